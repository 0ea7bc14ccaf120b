// Mouse, pen and fingers on the picture.

const pointers = new Map();
let gesture = null;
const NEAR = { mouse: 4, pen: 6, touch: 10 };

const onStage = event => {
  const box = stage.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
/** Whether the pointer takes away now. */
const removing = () => fixer.tool === "eraser" || (fixer.minus && isPointing()) || fixer.alt;
/** Whether the tool shows what is meant, in place of painting it. */
const isPointing = () => fixer.tool === "click" || fixer.tool === "draw";
const panning = () => fixer.tool === "hand" || fixer.space || Boolean(gesture && gesture.kind === "pan");

stage.addEventListener("pointerdown", event => {
  event.preventDefault();
  stage.focus({ preventScroll: true });
  stage.setPointerCapture(event.pointerId);
  fixer.cross = null;
  fixer.alt = event.altKey;
  const at = onStage(event);
  pointers.set(event.pointerId, at);
  if (pointers.size > 1) { dropGesture(); gesture = { kind: "pinch", ...pinch() }; return; }
  const away = removing() || event.button === 2 || event.ctrlKey || Boolean(event.buttons & 32);
  if (event.button === 1 || panning()) gesture = { kind: "pan", at };
  else if (!editable()) gesture = null;
  else if (fixer.tool === "draw") beginPath(at, away);
  else if (fixer.tool === "click") gesture = { kind: "click", from: at, away, near: NEAR[event.pointerType] || 6 };
  else beginStroke(at, away);
  showCursor();
});
stage.addEventListener("pointermove", event => {
  const at = onStage(event), before = pointers.get(event.pointerId);
  fixer.pointer = event.pointerType === "touch" && !gesture ? null : at;
  fixer.alt = event.altKey;
  if (before) pointers.set(event.pointerId, at);
  if (!gesture || !before) { showCursor(); if (fixer.tool !== "click") redraw(); return; }
  if (gesture.kind === "pinch") movePinch();
  else if (gesture.kind === "pan") {
    moveBy(at[0] - gesture.at[0], at[1] - gesture.at[1]);
    gesture.at = at;
  } else if (gesture.kind === "stroke" || gesture.kind === "path") {
    const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of all.length ? all : [event]) goOn(onStage(one));
  } else if (gesture.kind === "box" || (!gesture.away && Math.hypot(at[0] - gesture.from[0], at[1] - gesture.from[1]) > gesture.near)) {
    gesture.kind = "box";
    fixer.box = boxOf(toPicture(fixer.place, gesture.from), toPicture(fixer.place, at), fixer.item.size);
    redraw();
  }
});
for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, event => {
  pointers.delete(event.pointerId);
  const done = gesture;
  if (name === "pointercancel" || !done) dropGesture();
  else if (done.kind === "pinch") { if (!pointers.size) gesture = null; } else if (done.kind === "stroke" || done.kind === "path") lift();
  else {
    gesture = null;
    if (done.kind === "click") clickAt(toPicture(fixer.place, done.from), !done.away);
    else if (done.kind === "box") endBox();
  }
  if (event.pointerType === "touch") fixer.pointer = null;
  showCursor();
  redraw();
});
stage.addEventListener("pointerleave", () => { fixer.pointer = null; redraw(); });
stage.addEventListener("contextmenu", event => event.preventDefault());
stage.addEventListener("auxclick", event => event.preventDefault());
stage.addEventListener("wheel", event => {
  event.preventDefault();
  if (!fixer.place) return;
  if (event.shiftKey) return turnAnswers(event.deltaY || event.deltaX);  // some browsers turn it sideways
  const lines = event.deltaMode === 1 ? 20 : 1;
  zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? .01 : .0016)), onStage(event));
}, { passive: false });

function dropGesture() {
  gesture = fixer.box = fixer.path = fixer.live = null;
  redraw();
}
function endBox() {
  const box = fixer.box, { scale } = fixer.place;
  fixer.box = null;
  if ((box[2] - box[0]) * scale >= 6 && (box[3] - box[1]) * scale >= 6) drawnBox(box);
}
function pinch() {
  const [a, b] = [...pointers.values()];
  return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart: Math.hypot(a[0] - b[0], a[1] - b[1]) };
}
function movePinch() {
  if (pointers.size < 2) return;
  const now = pinch();
  moveBy(now.middle[0] - gesture.middle[0], now.middle[1] - gesture.middle[1]);
  zoomBy(now.apart / gesture.apart, now.middle);
  Object.assign(gesture, now);
}

let turned = 0;
/** Answers by the wheel: one for each notch, however many events a notch is. */
function turnAnswers(by) {
  if (performance.now() - turned < 120) return;
  turned = performance.now();
  nextAnswer(Math.sign(by));
}

// A line along a part or around it.
function beginPath(at, away) {
  gesture = { kind: "path", away };
  fixer.path = [toPicture(fixer.place, at)];
}
function goOn(at) {
  if (gesture.kind === "stroke") return continueStroke(at);
  const [x, y] = toPicture(fixer.place, at), [lastX, lastY] = fixer.path[fixer.path.length - 1];
  if (Math.hypot(x - lastX, y - lastY) * fixer.place.scale >= 2) fixer.path.push([x, y]);
  redraw();
}
/** The end of what was drawn or painted. */
function lift() {
  if (gesture.kind === "stroke") return endStroke();
  const { away } = gesture, { path } = fixer;
  gesture = fixer.path = null;
  drawnPath(path, !away);
}

// Brush and eraser: a stroke is one step of the history.
const toEdit = at => toPicture(fixer.place, at).map((value, index) => value * fixer.draft.edit[index] / fixer.draft.size[index]);
const brushRadius = () => Math.max(.5, fixer.brush / 2 / fixer.place.scale * fixer.draft.edit[0] / fixer.draft.size[0]);
function beginStroke(at, away) {
  const region = worked();
  if (!region) return;
  const runs = fixer.draft.maskOf(region), [wide, high] = fixer.draft.edit;
  fixer.live = runs ? unpacked(runs, wide * high) : new Uint8Array(wide * high);
  gesture = { kind: "stroke", region, value: away ? 0 : 1, last: toEdit(at) };
  continueStroke(at);
}
function continueStroke(at) {
  const to = toEdit(at);
  stroke(fixer.live, fixer.draft.edit[0], gesture.last, to, brushRadius(), gesture.value);
  gesture.last = to;
  redraw();
}
function endStroke() {
  const { region } = gesture, mask = packed(fixer.live);
  gesture = fixer.live = null;
  change(region, painted(mask));
}

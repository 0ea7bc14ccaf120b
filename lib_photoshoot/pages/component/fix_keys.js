// The editor's keys; with them alone everything can be done, at a crosshair in place of the pointer.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 6, LEAP = 48;  // pixels of the page
const LETTERS = {
  w: () => chooseTool("click"), d: () => chooseTool("draw"), b: () => chooseTool("brush"), e: () => chooseTool("eraser"), h: () => chooseTool("hand"),
  x: swapSign, n: addProduct, r: startNaming, p: event => chooseNext(event.shiftKey ? -1 : 1), j: startJoining, y: outlineIsRight, u: askUnsure, l: event => shadeOn(event.shiftKey), z: () => toPixels(), g: lookOn, m: () => setCorner(),
  v: event => chooseGround(GROUND_NAMES[(GROUND_NAMES.indexOf(fixer.view) + (event.shiftKey ? 3 : 1)) % 4]),
  c: () => showBefore(true), delete: removeProduct, pageup: () => stepFixer(-1), pagedown: () => stepFixer(1),
  "0": fit, f: fit, "+": ACTIONS.in, "=": ACTIONS.in, "-": ACTIONS.out, "?": ACTIONS.keys,
  "[": () => isPointing() ? nextAnswer(-1) : resizeBrush(fixer.brush / 1.2 - 1),
  "]": () => isPointing() ? nextAnswer(1) : resizeBrush(fixer.brush * 1.2 + 1),
};
LETTERS[","] = LETTERS["["];
LETTERS["."] = LETTERS["]"];
const HELD = { z: event => stepHistory(event.shiftKey ? 1 : -1), y: () => stepHistory(1), s: () => ACTIONS.save() };

dialog.addEventListener("keydown", event => {
  event.stopPropagation();  // the keys of the page below are not for here
  if (!fixer.item || event.defaultPrevented || $("#help").open) return;
  if (pressed(event)) event.preventDefault();
});
/** Whether the key meant something. */
function pressed(event) {
  const key = event.key, low = key.toLowerCase(), { target } = event, button = target.matches("button, summary");
  if (target === wordField) {
    if (key === "Enter") stage.focus({ preventScroll: true });
    if (key === "Escape") endNaming();
    return key === "Enter" || key === "Escape";
  }
  if (key === "Escape") return backOut();
  if (key === "Alt") { fixer.alt = true; showCursor(); redraw(); return true; }
  if ("[]".includes(key)) { LETTERS[key](event); return true; }  // some keyboards have them on a third level
  if (event.ctrlKey || event.metaKey) return low in HELD ? (HELD[low](event), true) : false;
  if (key in ARROWS) return target.matches("input") ? false : moveCross(ARROWS[key], event.shiftKey);
  if (key === "Enter" || key === "Backspace") return button ? false : enter(event.altKey || key === "Backspace");
  if (event.altKey) return false;
  if (key === " ") {
    if (button) return false;
    fixer.space = true;
    showCursor();
    return true;
  }
  if (low in LETTERS) { LETTERS[low](event); return true; }
  if (/^[1-9]$/.test(key)) { chooseNumber(Number(key) - 1); return true; }
  return false;
}
function letGo(event) {
  if (!fixer.item) return;
  if (event && event.key === "Alt") event.preventDefault();  // some browsers go to their menu
  if (!event || event.key === "Alt") fixer.alt = false;
  if (!event || event.key === " ") fixer.space = false;
  if (!event || event.key.toLowerCase() === "c") showBefore(false);
  if (event && event.key in ARROWS && fixer.cross) tellPlace();
  showCursor();
  redraw();
}
dialog.addEventListener("keyup", letGo);
addEventListener("blur", () => letGo(null));

/** One thing after the other: what is being drawn, the crosshair, the places that are unsure, and in the end the editor. */
function backOut() {
  if (gesture || fixer.corner) { fixer.corner = null; dropGesture(); } else if (fixer.cross) fixer.cross = null;
  else if (!leaveUnsure()) closeFixer();
  redraw();
  return true;
}

// The crosshair.
function moveCross(way, far) {
  const { place, item } = fixer, from = fixer.cross || toPicture(place, fixer.pointer || stageSize().map(side => side / 2));
  const step = (fixer.cross ? (far ? LEAP : STEP) : 0) / place.scale;
  fixer.cross = within(from.map((value, index) => value + way[index] * step), item.size);
  const [px, py] = toStage(place, fixer.cross), [across, down] = stageSize(), off = (at, space) => at - Math.min(space - 24, Math.max(24, at));
  if (!fixer.fitted) moveBy(-off(px, across), -off(py, down));
  if (fixer.corner) fixer.box = boxOf(fixer.corner, fixer.cross, item.size);
  if (gesture && (gesture.kind === "stroke" || gesture.kind === "path")) goOn(toStage(fixer.place, fixer.cross));
  redraw();
  return true;
}
function tellPlace() {
  const { draft, cross: at } = fixer, runs = draft && draft.region && draftMask(draft.region);
  const [x, y] = at.map(Math.round), [wide, high] = fixer.draft ? draft.edit : [1, 1];
  let where = "";
  if (runs) {
    const [column, row] = at.map((value, index) => Math.min([wide, high][index] - 1, Math.floor(value * [wide, high][index] / fixer.item.size[index])));
    where = unpacked(runs, wide * high)[row * wide + column] ? `, on ${draft.region.product}` : `, outside ${draft.region.product}`;
  }
  tell(`${x}, ${y}${where}`);
}
/** At the crosshair: a point, the end of a box, or the brush put down and lifted. */
function enter(away) {
  if (!fixer.cross) { moveCross([0, 0], false); tell("The crosshair is in the middle; the arrow keys move it"); return true; }
  if (!editable()) return true;
  if (fixer.corner) return setCorner();
  if (fixer.tool === "click") { clickAt(fixer.cross, !(away || fixer.minus)); return true; }
  if (fixer.tool === "hand") return true;
  if (gesture && gesture.kind === "stroke") { endStroke(); tell("Brush lifted"); } else if (gesture && gesture.kind === "path") lift();
  else if (fixer.tool === "draw") {
    beginPath(toStage(fixer.place, fixer.cross), away || fixer.minus);
    tell("Line begun: the arrow keys draw, Enter ends it");
  } else {
    beginStroke(toStage(fixer.place, fixer.cross), away || fixer.tool === "eraser");
    tell("Brush down: the arrow keys paint, Enter lifts it");
  }
  return true;
}
/** The first corner of a box at the crosshair, then the second. */
function setCorner() {
  if (!fixer.cross) moveCross([0, 0], false);
  if (!editable()) return true;
  if (!fixer.corner) {
    fixer.corner = fixer.cross;
    tell("First corner of the box; move, then press M or Enter");
  } else {
    fixer.box = boxOf(fixer.corner, fixer.cross, fixer.item.size);
    fixer.corner = null;
    endBox();
  }
  redraw();
  return true;
}

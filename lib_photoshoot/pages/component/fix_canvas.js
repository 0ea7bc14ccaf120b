// What is drawn over the photo: the outlines, or all that is not cut out, and what was clicked.

const dialog = $("#fixer"), inFixer = selector => $(selector, dialog), stage = inFixer(".easel"), canvas = $("canvas", stage), ink = canvas.getContext("2d");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const GROUNDS = { white: "#fff", checks: "", loud: "#ff00c8" };
let waiting = false, march = 0;

function redraw() {
  if (!waiting) { waiting = true; requestAnimationFrame(draw); }
}
const stageSize = () => [stage.clientWidth, stage.clientHeight];

function draw() {
  waiting = false;
  const { draft, place } = fixer, [across, down] = stageSize(), dense = devicePixelRatio;
  if (canvas.width !== Math.round(across * dense) || canvas.height !== Math.round(down * dense))
    Object.assign(canvas, { width: Math.round(across * dense), height: Math.round(down * dense) });
  ink.setTransform(1, 0, 0, 1, 0, 0);
  ink.clearRect(0, 0, canvas.width, canvas.height);
  if (!fixer.item || !place) return;
  for (const image of $$("img", stage)) putPhoto(image);
  // Without its outline one sees the photo as it is: nothing lies over it then.
  if (!draft || (fixer.before && fixer.view === "outline")) return;
  const regions = fixer.before ? draft.history.first : draft.history.now;
  const chosen = regions.find(region => region.key === draft.chosen);
  if (fixer.view === "outline") drawOutlines(draft, regions, chosen);
  else drawGround(draft, chosen);
  ink.setTransform(dense, 0, 0, dense, 0, 0);
  if (tint) drawTint(draft);
  if (fixer.view === "outline") { if (fixer.peek === null) drawUnsure(draft); else drawPeeked(draft); }
  if (!fixer.before && chosen && fixer.peek === null) drawPrompts(chosen);
  if (fixer.box) drawBox(fixer.box, true);
  if (fixer.path) drawPath(fixer.path, true);
  drawPointer();
}
function putPhoto(image) {
  if (!image.naturalWidth) return;
  const { x, y, scale } = fixer.place, more = fixer.item.size[0] / image.naturalWidth;
  image.style.transform = `translate(${x}px, ${y}px) scale(${scale * more})`;
  image.style.imageRendering = scale * more * devicePixelRatio >= SQUARES && image.className === "full" ? "pixelated" : "";
}

// Outlines: traced once for each mask.
const shapes = new WeakMap();
function shapeOf(draft, runs) {
  if (!shapes.has(runs)) shapes.set(runs, shapeFrom(unpacked(runs, draft.edit[0] * draft.edit[1]), draft.edit[0]));
  return shapes.get(runs);
}
function shapeFrom(mask, wide) {
  const path = new Path2D(), lines = traced(mask, wide).map(line => simplified(line, .75));
  for (const line of lines) {
    line.forEach(([x, y], at) => at ? path.lineTo(x, y) : path.moveTo(x, y));
    path.closePath();
  }
  return { path, top: lines.length ? lines[0][0] : null };
}
function drawOutlines(draft, regions, chosen) {
  const { x, y, scale } = fixer.place, dense = devicePixelRatio, by = scale * draft.size[0] / draft.edit[0];
  const across = scale * dense * draft.size[0] / draft.edit[0], down = scale * dense * draft.size[1] / draft.edit[1];
  const shown = regions.filter(region => !region.removed || region === chosen).sort((a, b) => (a === chosen) - (b === chosen));
  for (const region of shown) {
    const runs = runsShown(draft, region), live = region === chosen && fixer.live && !fixer.before;
    if (!runs && !live) continue;
    const shape = live ? shapeFrom(fixer.live, draft.edit[0]) : shapeOf(draft, runs);
    ink.setTransform(across, 0, 0, down, x * dense, y * dense);
    const line = (colour, width, dash = [], from = 0) => {
      Object.assign(ink, { strokeStyle: colour, lineWidth: width / by, lineDashOffset: from / by, lineJoin: "round" });
      ink.setLineDash(dash.map(part => part / by));
      ink.stroke(shape.path);
    };
    if (region.removed) { line("#fff", 2.5); line("#d3122f", 1.5, [2, 5]); }
    else if (region === chosen) { line("rgb(0 0 0 / .35)", 4); line("#fff", 1.75); line("#000", 1.75, [5, 5], -march); }
    else { line("rgb(0 0 0 / .6)", 2.5); line("rgb(255 255 255 / .85)", 1); }
    if (shape.top && regions.length > 1 && !fixer.before) drawNumber(draft, regions.indexOf(region) + 1, shape.top, region === chosen);
  }
  ink.setLineDash([]);
}
function drawNumber(draft, number, [x, y], strong) {
  const at = toStage(fixer.place, [x * draft.size[0] / draft.edit[0], y * draft.size[1] / draft.edit[1]]);
  ink.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  disc(at[0], Math.max(12, at[1] - 12), 9, strong ? "#fff" : "#1d1d1c");
  Object.assign(ink, { fillStyle: strong ? "#000" : "#fff", font: "600 12px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
  ink.fillText(number, at[0], Math.max(12, at[1] - 12) + .5);
}
function disc(x, y, radius, colour) {
  ink.beginPath();
  ink.arc(x, y, radius, 0, 2 * Math.PI);
  Object.assign(ink, { fillStyle: colour, strokeStyle: "rgb(0 0 0 / .7)", lineWidth: 1 });
  ink.fill();
  ink.stroke();
}

// The cut-out: a ground lies over everything that is not the product.
const COVERS = Uint32Array.from({ length: 10 }, (_, soft) => Math.round(255 * (9 - soft) / 9) * 0x1000000);
const cover = { of: null, size: "", canvas: null, image: null };
function coverOf(draft, runs) {
  const mask = fixer.live && !fixer.before ? fixer.live : null, size = String(draft.edit);
  if (cover.size !== size) {
    const [made, context] = canvasOf(draft.edit);
    Object.assign(cover, { size, of: null, canvas: made, context, image: context.createImageData(...draft.edit) });
  }
  if (!mask && cover.of === runs) return cover.canvas;
  const pixels = new Uint32Array(cover.image.data.buffer);
  if (mask) for (let at = 0; at < pixels.length; at++) pixels[at] = mask[at] ? 0 : 0xff000000;
  else {
    const soft = softened(unpacked(runs, pixels.length), draft.edit[0]);
    for (let at = 0; at < pixels.length; at++) pixels[at] = COVERS[soft[at]];
  }
  cover.context.putImageData(cover.image, 0, 0);
  cover.of = mask ? null : runs;
  return cover.canvas;
}
function drawGround(draft, chosen) {
  const { x, y, scale } = fixer.place, dense = devicePixelRatio, runs = chosen && !chosen.removed ? runsShown(draft, chosen) : [];
  if (!runs && !fixer.live) return;  // of a new product there is nothing to cut out yet
  const where = [x * dense, y * dense, draft.size[0] * scale * dense, draft.size[1] * scale * dense];
  Object.assign(ink, { imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
  ink.drawImage(coverOf(draft, runs), ...where);
  ink.globalCompositeOperation = "source-in";
  ink.fillStyle = fixer.view === "checks" ? checks(dense) : GROUNDS[fixer.view];
  ink.fillRect(0, 0, canvas.width, canvas.height);
  ink.globalCompositeOperation = "source-over";
}
function checks(dense) {
  const side = Math.round(10 * dense), [tile, context] = canvasOf([2 * side, 2 * side]);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 2 * side, 2 * side);
  context.fillStyle = "#c8c8c8";
  context.fillRect(0, 0, side, side);
  context.fillRect(side, side, side, side);
  return ink.createPattern(tile, "repeat");
}

// What was added and taken away last: it is tinted for a moment, and fades where pictures may move.
const TINTED_MS = 600, PEEKED_ALPHA = .4, ADDED = 0xffa0e600, TAKEN = 0xff462dff;  // alpha, blue, green, red
let tint = null;
/** What is in the one mask alone, and in the other, each in its colour. */
function changeOf(edit, before, after) {
  const [made, context] = canvasOf(edit), image = context.createImageData(...edit);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < pixels.length; at++) if (before[at] !== after[at]) pixels[at] = after[at] ? ADDED : TAKEN;
  context.putImageData(image, 0, 0);
  return made;
}
function tintChange(draft, before, after) {
  tint = { draft, state: draft.history.now, canvas: changeOf(draft.edit, before, after), from: performance.now() };
  redraw();
}
const peeked = { runs: null, taken: null, canvas: null };
/** What the answer that is looked at has more and less than the one that is taken. */
function drawPeeked(draft) {
  const { masks, chosen } = offered() || { masks: [] }, runs = masks[fixer.peek], taken = masks[chosen], { x, y, scale } = fixer.place;
  if (!runs || runs === taken) return;
  if (peeked.runs !== runs || peeked.taken !== taken)
    Object.assign(peeked, { runs, taken, canvas: changeOf(draft.edit, ...[taken, runs].map(one => unpacked(one, draft.edit[0] * draft.edit[1]))) });
  ink.globalAlpha = PEEKED_ALPHA;
  ink.drawImage(peeked.canvas, x, y, draft.size[0] * scale, draft.size[1] * scale);
  ink.globalAlpha = 1;
}
function drawTint(draft) {
  const left = 1 - (performance.now() - tint.from) / TINTED_MS, { x, y, scale } = fixer.place;
  if (left <= 0 || tint.draft !== draft || tint.state !== draft.history.now) { tint = null; return; }
  ink.globalAlpha = calm.matches ? .5 : Math.min(.75, 1.5 * left);
  if (!fixer.before) ink.drawImage(tint.canvas, x, y, draft.size[0] * scale, draft.size[1] * scale);
  ink.globalAlpha = 1;
  redraw();
}

// What was clicked, and where the pointer or the crosshair is.
function drawPrompts({ steps, mask }) {
  for (const { kind, path } of steps) if (kind === "box") drawBox([...path[0], ...path[1]], false);
  steps.forEach(({ kind, path, add }, at) => {
    // Of what was drawn, only where it began once it is answered: the line would hide the edge that came of it.
    if (kind === "box" || !path.length) return;
    if (kind !== "click" && !mask && at === steps.length - 1) drawPath(kind === "loop" ? [...path, path[0]] : path, false);
    const [px, py] = toStage(fixer.place, path[0]);
    mark(px, py, add ? "#0b7a5c" : "#c2182f");
  });
}
/** A small ring, green for what was added and red for what was taken: the edge below it can be seen. */
function mark(x, y, colour) {
  for (const [style, width] of [["rgb(255 255 255 / .9)", 4.5], [colour, 2.25]]) {
    ink.beginPath();
    ink.arc(x, y, 4, 0, 2 * Math.PI);
    Object.assign(ink, { strokeStyle: style, lineWidth: width });
    ink.stroke();
  }
}
function drawPath(path, strong) {
  for (const [colour, width] of [["rgb(0 0 0 / .6)", strong ? 4 : 2.5], [strong ? "#ffd34d" : "rgb(255 211 77 / .7)", strong ? 2 : 1]]) {
    Object.assign(ink, { strokeStyle: colour, lineWidth: width, lineJoin: "round", lineCap: "round" });
    ink.beginPath();
    for (const place of path) ink.lineTo(...toStage(fixer.place, place));
    ink.stroke();
  }
}
function cross(x, y, both, half, colour, width) {
  Object.assign(ink, { strokeStyle: colour, lineWidth: width });
  ink.beginPath();
  ink.moveTo(x - half, y);
  ink.lineTo(x + half, y);
  if (both) { ink.moveTo(x, y - half); ink.lineTo(x, y + half); }
  ink.stroke();
}
function drawBox([x0, y0, x1, y1], strong) {
  const [ax, ay] = toStage(fixer.place, [x0, y0]), [bx, by] = toStage(fixer.place, [x1, y1]);
  for (const [colour, width, dash] of [["rgb(0 0 0 / .75)", 3, []], ["#fff", 1.25, strong ? [] : [6, 4]]]) {
    Object.assign(ink, { strokeStyle: colour, lineWidth: width });
    ink.setLineDash(dash);
    ink.strokeRect(ax, ay, bx - ax, by - ay);
  }
  ink.setLineDash([]);
}
function drawPointer() {
  const brush = fixer.tool === "brush" || fixer.tool === "eraser", at = fixer.cross ? toStage(fixer.place, fixer.cross) : fixer.pointer || (brush && fixer.ring ? stageSize().map(side => side / 2) : null);
  if (!at || panning()) return;
  if (brush) {
    for (const [colour, width] of [["rgb(0 0 0 / .8)", 3], ["#fff", 1.25]]) {
      ink.beginPath();
      ink.arc(...at, fixer.brush / 2, 0, 2 * Math.PI);
      Object.assign(ink, { strokeStyle: colour, lineWidth: width });
      ink.stroke();
    }
  }
  if (!brush && !fixer.cross) return;
  const half = fixer.cross ? 14 : 4;
  cross(...at, fixer.cross || !removing(), half, "rgb(0 0 0 / .8)", 3.5);
  cross(...at, fixer.cross || !removing(), half, "#fff", 1.5);
  if (fixer.cross) {
    disc(at[0] + 15, at[1] + 15, 7, removing() ? "#c2182f" : "#0b7a5c");
    cross(at[0] + 15, at[1] + 15, !removing(), 3.5, "#fff", 1.75);
  }
}
setInterval(() => {
  if (!dialog.open || document.hidden || fixer.view !== "outline" || calm.matches || !fixer.draft) return;
  march = (march + 1) % 10;
  redraw();
}, 90);

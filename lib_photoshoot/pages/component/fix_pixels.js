// Masks as PNG files, as the server has them.

const LINE_WIDTH = .3;  // of how far a hand may be off, as the server has it of a line that stands as drawn
function canvasOf([wide, high]) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: wide, height: high });
  return [canvas, canvas.getContext("2d", { willReadFrequently: true })];
}
/** The runs of a mask in a file, brought to a size. */
async function maskFrom(blob, size) {
  const image = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  const [, context] = canvasOf(size);
  context.drawImage(image, 0, 0, ...size);
  image.close();
  const { data } = context.getImageData(0, 0, ...size), mask = new Uint8Array(size[0] * size[1]);
  for (let at = 0; at < mask.length; at++) mask[at] = data[at * 4] > 127 ? 1 : 0;
  return packed(mask);
}
const maskFromBase64 = (text, size) =>
  maskFrom(new Blob([Uint8Array.from(atob(text), letter => letter.charCodeAt(0))], { type: "image/png" }), size);

/** A mask as PNG in base64. */
async function pngOf(runs, [wide, high]) {
  const [canvas, context] = canvasOf([wide, high]), image = context.createImageData(wide, high);
  const grey = new Uint32Array(image.data.buffer), mask = unpacked(runs, wide * high);
  for (let at = 0; at < mask.length; at++) grey[at] = mask[at] ? 0xffffffff : 0xff000000;
  context.putImageData(image, 0, 0);
  const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
  const bytes = new Uint8Array(await blob.arrayBuffer()), part = 1 << 15;
  let text = "";
  for (let at = 0; at < bytes.length; at += part) text += String.fromCharCode(...bytes.subarray(at, at + part));
  return btoa(text);
}
/** The mask of what a step was drawn on: what lies below a click or a line, and within a loop or a box. */
function drawnBy({ kind, path, reach }, { size, edit }) {
  const [, context] = canvasOf(edit), way = new Path2D();
  if (kind === "box") way.rect(...path[0], path[1][0] - path[0][0], path[1][1] - path[0][1]);
  else for (const place of [path[0], ...path]) way.lineTo(...place);
  context.scale(edit[0] / size[0], edit[1] / size[1]);
  Object.assign(context, { lineWidth: Math.max(1, LINE_WIDTH * reach), lineCap: "round", lineJoin: "round" });
  if (kind === "box" || kind === "loop") context.fill(way); else context.stroke(way);
  const { data } = context.getImageData(0, 0, ...edit), mask = new Uint8Array(edit[0] * edit[1]);
  for (let at = 0; at < mask.length; at++) mask[at] = data[at * 4 + 3] > 127 ? 1 : 0;
  return mask;
}

// What one looks at: the product near by, where answers differ, the whole picture; and whether it is too dark or too pale to see.

const DARK = 60, PALE = 215;  // of 255: median lightness of the product below or above which its edges are hard to see
const SHADES = ["bright", "dark"];
const SHADE_HINTS = { dark: "It is dark: Brighten (L) shows its edges.", pale: "It is pale: Darken (L) shows its edges." };
const shades = new WeakMap();  // how pictures are shown, one of SHADES: one is dark, and the next is not
/** The box [x0, y0, x1, y1], in pixels of the picture, of where masks of a draft are not all the same. */
const boxWhere = (draft, masks) => differing(masks, draft.edit).map((value, at) => value * draft.size[at % 2] / draft.edit[at % 2]);
/** The box of the product at hand; null where it has no outline. */
function productBox() {
  const { draft } = fixer, runs = draft && draft.region && draft.maskOf(draft.region);
  if (!runs || isEmpty(runs)) return null;
  const mask = unpacked(runs, draft.edit[0] * draft.edit[1]);
  return boxWhere(draft, [mask, new Uint8Array(mask.length)]);
}
/** The box of where the answers to the last step differ; null where there is nothing to choose. */
function choiceBox() {
  const answers = offered(), { draft } = fixer;
  return answers && boxWhere(draft, comparable(answers.masks.map(runs => unpacked(runs, draft.edit[0] * draft.edit[1])), answers.chosen, draft.edit));
}
/** From one to the next: where the answers differ, the product, the whole picture. */
function lookOn() {
  const ways = [[choiceBox(), "Where the answers differ"], [productBox(), "The product"]].filter(([box]) => box);
  const places = ways.map(([box, name]) => [placeAround(box, fixer.item.size, stageSize()), name]);
  const seen = places.filter(([place]) => ["x", "y", "scale"].every(name => Math.abs(place[name] - fixer.place[name]) < .01)), at = places.indexOf(seen[seen.length - 1]);
  const [place, name] = fixer.fitted ? places[0] || [] : places[at + 1] || [];
  if (!place) { fit(); tell("The whole picture"); return; }
  Object.assign(fixer, { place, fitted: false });
  redraw();
  showZoom();
  tell(name);
}

const lightness = new WeakMap();  // of the photo below a mask, by its runs, or of all of it
/** The median lightness, 0 to 255, of what an outline holds of the photo, of all of it where there is none. */
function lightnessOf(draft, runs) {
  const photo = photoNow(), whole = !runs || isEmpty(runs), of = whole ? draft.item : runs;
  if (!lightness.has(of)) {
    const scale = Math.min(1, SAMPLES / Math.max(...draft.edit)), size = draft.edit.map(side => Math.max(1, Math.round(side * scale)));
    const [, context] = canvasOf(size), mask = whole ? null : unpacked(runs, draft.edit[0] * draft.edit[1]), counts = new Uint32Array(256);
    context.drawImage(photo, 0, 0, ...size);
    const { data } = context.getImageData(0, 0, ...size);
    for (let at = 0; at < size[0] * size[1]; at++) {
      const column = Math.floor((at % size[0] + .5) / scale), row = Math.floor((Math.floor(at / size[0]) + .5) / scale);
      // Luma of ITU-R BT.601.
      if (whole || mask[row * draft.edit[0] + column]) counts[Math.round(.299 * data[4 * at] + .587 * data[4 * at + 1] + .114 * data[4 * at + 2])]++;
    }
    const half = counts.reduce((sum, one) => sum + one, 0) / 2;
    let sum = 0;
    lightness.set(of, half ? counts.findIndex(one => (sum += one) >= half) : 255);
  }
  return lightness.get(of);
}
/** Whether the product at hand, or the photo in which none is outlined, is so "dark" or so "pale", with all around it, that edges are hard to see; else "". */
function hardToSee() {
  const { draft } = fixer;
  if (!draft || !photoNow()) return "";
  const lightness = lightnessOf(draft, draft.region && draft.maskOf(draft.region));
  // A white product on a coloured ground is seen well.
  return lightness < DARK ? "dark" : Math.min(lightness, lightnessOf(draft, null)) > PALE ? "pale" : "";
}
const shadeHint = () => shades.has(fixer.item) ? "" : SHADE_HINTS[hardToSee()];

// Masks that are edited: a byte for each pixel, 0 or 1, row by row. A history keeps them as runs, which are small.

const LONGEST_SIDE = 2048;
/** Half to even, as the server rounds. */
const rounded = value => value % 1 === .5 ? 2 * Math.round(value / 2) : Math.round(value);
/** The size in which a picture's outlines are edited. */
function editSize([wide, high]) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(wide, high));
  return [Math.max(1, rounded(wide * scale)), Math.max(1, rounded(high * scale))];
}

/** How many pixels in turn are not the product and are, the first number for those that are not. */
function packed(mask) {
  const runs = [];
  for (let from = 0, value = 0; from < mask.length; value = 1 - value) {
    const found = mask.indexOf(1 - value, from), end = found < 0 ? mask.length : found;
    runs.push(end - from);
    from = end;
  }
  return runs;
}
function unpacked(runs, length) {
  const mask = new Uint8Array(length);
  runs.reduce((from, run, index) => {
    if (index % 2) mask.fill(1, from, from + run);
    return from + run;
  }, 0);
  return mask;
}
/** How much of a pixel and its eight neighbours is the product, 0 to 9: what shows an edge about as soft as it will be. */
function softened(mask, wide) {
  const rows = new Uint8Array(mask.length), sums = new Uint8Array(mask.length), last = mask.length - 1;
  for (let at = 0; at < mask.length; at++) {
    const x = at % wide;
    rows[at] = mask[at] + mask[x ? at - 1 : at] + mask[x < wide - 1 ? at + 1 : at];
  }
  for (let at = 0; at <= last; at++) sums[at] = rows[at] + rows[at < wide ? at : at - wide] + rows[at + wide > last ? at : at + wide];
  return sums;
}
const HAIR = 4;  // pixels
/** Whether an edge moved by a hair at most: nothing changed farther from it, and less than a quarter of what was drawn on. */
function isSlight(before, after, wide, drawn, value) {
  let asked = 0, done = 0;
  for (let at = 0; at < drawn.length; at++) if (drawn[at] && before[at] !== value) { asked++; if (after[at] === value) done++; }
  if (asked && done * 4 >= asked) return false;
  return before.every((was, at) => was === after[at] || isNearEdge(before, wide, at));
}
function isNearEdge(mask, wide, at) {
  const x = at % wide, from = Math.max(-HAIR, -x), to = Math.min(HAIR, wide - 1 - x);
  for (let row = -HAIR; row <= HAIR; row++)
    for (let column = from; column <= to; column++) {
      const other = mask[at + row * wide + column];
      if (other !== undefined && other !== mask[at]) return true;
    }
  return false;
}
const isEmpty = runs => runs.length < 2;

/** Set all pixels of a mask of a width whose centres are nearer than `radius` to the way from `a` to `b`. */
function stroke(mask, wide, a, b, radius, value) {
  const high = mask.length / wide, dx = b[0] - a[0], dy = b[1] - a[1], square = dx * dx + dy * dy;
  const from = at => Math.max(0, Math.floor(Math.min(a[at], b[at]) - radius));
  const to = (at, most) => Math.min(most, Math.ceil(Math.max(a[at], b[at]) + radius));
  for (let y = from(1); y < to(1, high); y++) {
    for (let x = from(0); x < to(0, wide); x++) {
      const px = x + .5 - a[0], py = y + .5 - a[1];
      const along = square ? Math.min(1, Math.max(0, (px * dx + py * dy) / square)) : 0;
      if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= radius * radius) mask[y * wide + x] = value;
    }
  }
}

const SAMPLES = 384;  // along the longest side: so finely is looked where masks differ
const sampledEach = size => Math.max(1, Math.ceil(Math.max(...size) / SAMPLES));
const FAR = 5;
/** The masks without those that differ from one of them by far more than the others do: where these differ would not be seen. */
function comparable(masks, taken, [wide, high]) {
  const step = sampledEach([wide, high]), apart = masks.map(() => 0);
  for (let y = 0; y < high; y += step) for (let x = 0; x < wide; x += step) {
    const at = y * wide + x;
    masks.forEach((mask, which) => { if (mask[at] !== masks[taken][at]) apart[which]++; });
  }
  const others = apart.filter((_, at) => at !== taken).sort((a, b) => a - b), usual = others[(others.length - 1) >> 1];
  return masks.filter((_, at) => apart[at] <= FAR * usual);
}
/** The box [x0, y0, x1, y1] of where masks are not all the same; of all the picture where they are. */
function differing(masks, [wide, high]) {
  const step = sampledEach([wide, high]), box = [wide, high, 0, 0];
  for (let y = 0; y < high; y += step) for (let x = 0; x < wide; x += step) {
    const at = y * wide + x, first = masks[0][at];
    if (!masks.some(mask => mask[at] !== first)) continue;
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x + step);
    box[3] = Math.max(box[3], y + step);
  }
  return box[2] ? box : [0, 0, wide, high];
}

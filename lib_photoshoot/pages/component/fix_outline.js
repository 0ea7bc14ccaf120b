// Outlines as lines: the edges between a mask's pixels, and fewer points that say the same.

// Right, down, left, up; and from a corner the pixels ahead, left and right of the way.
const WAYS = [[1, 0], [0, 1], [-1, 0], [0, -1]];
const AHEAD = [[[0, -1], [0, 0]], [[0, 0], [-1, 0]], [[-1, 0], [-1, -1]], [[-1, -1], [0, -1]]];

/** Closed lines around all that a mask holds, the product on their right: lists of corners [x, y] where they turn. */
function traced(mask, wide) {
  const high = mask.length / wide, seen = new Uint8Array(mask.length), lines = [];
  for (let at = mask.indexOf(1); at >= 0 && at < mask.length; at++) {
    if (mask[at] && !seen[at] && !(at >= wide && mask[at - wide])) lines.push(followed(mask, wide, high, seen, at));
  }
  return lines;
}
function followed(mask, wide, high, seen, start) {
  const inside = (x, y) => x >= 0 && y >= 0 && x < wide && y < high && mask[y * wide + x] === 1;
  const x0 = start % wide, y0 = (start - x0) / wide, line = [[x0, y0]];
  let x = x0, y = y0, way = 0;
  do {
    if (way === 0) seen[y * wide + x] = 1;
    x += WAYS[way][0];
    y += WAYS[way][1];
    const [left, right] = AHEAD[way], before = way;
    if (inside(x + left[0], y + left[1])) way = (way + 3) % 4;
    else if (!inside(x + right[0], y + right[1])) way = (way + 1) % 4;
    if (way !== before) line.push([x, y]);
  } while (x !== x0 || y !== y0 || way !== 0);
  line.pop();  // it is the first again
  return line;
}

const MOST_PLACES = 500;
/** An open line without the places that lie nearer than `near` to the rest of it; at most so many. */
function thinned(line, near) {
  const ends = line.length > 2 ? simplified([...line, ...line.slice(1, -1).reverse()], near) : line;
  const kept = new Set(ends), thin = line.filter((place, at) => kept.has(place) || at === line.length - 1 || at === 0);
  const each = Math.ceil(thin.length / MOST_PLACES);
  return thin.filter((_, at) => at % each === 0 || at === thin.length - 1);
}
/** A closed line without the points that lie nearer than `near` to the rest of it (Douglas and Peucker, 1973). */
function simplified(line, near) {
  if (line.length < 4) return line;
  const far = line.reduce((best, point, at) => apart(point, line[0]) > apart(line[best], line[0]) ? at : best, 0);
  const keep = new Uint8Array(line.length + 1), closed = [...line, line[0]], parts = [[0, far], [far, line.length]];
  keep[0] = keep[far] = 1;
  while (parts.length) {
    const [from, to] = parts.pop();
    let most = near * near, at = -1;
    for (let index = from + 1; index < to; index++) {
      const off = offLine(closed[index], closed[from], closed[to]);
      if (off > most) { most = off; at = index; }
    }
    if (at < 0) continue;
    keep[at] = 1;
    parts.push([from, at], [at, to]);
  }
  return line.filter((_, index) => keep[index]);
}
const apart = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;
function offLine(point, a, b) {
  const length = apart(a, b);
  if (!length) return apart(point, a);
  return ((b[0] - a[0]) * (a[1] - point[1]) - (a[0] - point[0]) * (b[1] - a[1])) ** 2 / length;
}

// Where the picture lies in the stage: (x, y) of its corner and how many pixels of the page one of its own takes.

const LARGEST_SCALE = 32;
const LARGEST_BOXED = 16;  // of a spot of a few pixels one would see nothing around it

const FIT_MARGIN = 12;  // pixels of the page around a picture that fits: a line along its edge begins and ends there
function fittedPlace([wide, high], [across, down]) {
  const margin = Math.min(across, down) > 20 * FIT_MARGIN ? 2 * FIT_MARGIN : 0, scale = Math.min((across - margin) / wide, (down - margin) / high);
  return { x: (across - wide * scale) / 2, y: (down - high * scale) / 2, scale };
}
/** Zoomed so that the picture stays where it is below a point of the stage. */
function zoomedPlace(place, size, stage, factor, [px, py]) {
  const fit = fittedPlace(size, stage);
  const scale = Math.min(LARGEST_SCALE, Math.max(Math.min(fit.scale, 1), place.scale * factor)), by = scale / place.scale;
  return boundPlace({ x: px - (px - place.x) * by, y: py - (py - place.y) * by, scale }, size, stage);
}
/** A picture that fits is in the middle; a larger one can be moved until its edge is in the middle. */
function boundPlace({ x, y, scale }, size, stage) {
  const bound = (at, index) => {
    const side = size[index] * scale, space = stage[index];
    return side <= space + .5 ? (space - side) / 2 : Math.min(space / 2, Math.max(space / 2 - side, at));
  };
  return { x: bound(x, 0), y: bound(y, 1), scale };
}
const AROUND_BOX = 1.5;  // so much is shown with what is looked at: what it lacks lies beside it
/** With a box of the picture, [x0, y0, x1, y1], as large as the stage takes it with something around. */
function placeAround([x0, y0, x1, y1], size, stage) {
  const fit = fittedPlace(size, stage).scale, most = Math.max(LARGEST_BOXED, fit);
  // What nearly fills the picture is seen no better than with all of it.
  const scale = Math.max(fit, Math.min(most, stage[0] / AROUND_BOX / Math.max(1, x1 - x0), stage[1] / AROUND_BOX / Math.max(1, y1 - y0)));
  return boundPlace({ x: stage[0] / 2 - (x0 + x1) / 2 * scale, y: stage[1] / 2 - (y0 + y1) / 2 * scale, scale }, size, stage);
}
const toPicture = (place, [px, py]) => [(px - place.x) / place.scale, (py - place.y) / place.scale];
const toStage = (place, [x, y]) => [x * place.scale + place.x, y * place.scale + place.y];
const within = (point, size) => point.map((value, index) => Math.min(size[index], Math.max(0, value)));
/** A box from two corners, inside the picture: its upper left corner first. */
function boxOf(a, b, size) {
  const [[ax, ay], [bx, by]] = [within(a, size), within(b, size)];
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)].map(value => Math.round(value * 10) / 10);
}

const PREVIEW_LEAST = .2;  // of the picture's longest side: of less one would not know where it is
const PREVIEW_SHAPES = [.75, 1.5];  // across by down
/** The part of a picture, [x, y, width, height], that shows a box with something around it; it may reach beyond the picture. */
function previewCrop([x0, y0, x1, y1], [wide, high]) {
  const least = PREVIEW_LEAST * Math.max(wide, high), around = 1.25;
  const across = Math.min(wide, Math.max(least, around * (x1 - x0))), down = Math.min(high, Math.max(least, around * (y1 - y0)));
  const shape = Math.min(PREVIEW_SHAPES[1], Math.max(PREVIEW_SHAPES[0], across / down));
  const size = [Math.max(across, down * shape), Math.max(down, across / shape)];
  const begin = (middle, length, all) => length >= all ? (all - length) / 2 : Math.min(all - length, Math.max(0, middle - length / 2));
  return [begin((x0 + x1) / 2, size[0], wide), begin((y0 + y1) / 2, size[1], high), ...size];
}

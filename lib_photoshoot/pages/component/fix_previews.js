// What else the last step may have meant, as small pictures beside the photo: each shows the same part of it, and in
// colour what it has more and less than the one that is taken.

const PREVIEW = 112;  // pixels of the page, the longer side
const strip = inFixer(".answers .previews");

/** The answers to choose among now; none while another state is looked at. */
function offered() {
  const region = fixer.draft && fixer.draft.region, { answers } = region || {};
  return answers && !region.removed && answers.masks.length > 1 ? answers : null;
}
/** Whether the others are still being looked for. */
const awaited = () => { const { region } = fixer.draft || {}; return Boolean(region && region.answers && region.answers.more && !region.removed); };
const ASKED = inFixer(".answers > p").textContent;
const WHAT_FOR = inFixer(".answers .none").textContent;
function showAnswers() {
  const answers = offered(), { names, chosen } = answers || { names: [], chosen: 0 };
  inFixer(".answers").classList.toggle("empty", !answers);
  inFixer(".answers .none").textContent = !awaited() ? WHAT_FOR : isUnsureStep(fixer.draft.region) ? SEEKING : "What else you may have meant is on its way…";
  inFixer(".answers > p").textContent = placesOf(fixer.draft && fixer.draft.region) ? "Where it may be otherwise:" : ASKED;
  if (fixer.peek !== null && fixer.peek >= names.length) fixer.peek = null;
  while (strip.children.length > names.length) strip.lastElementChild.remove();
  while (strip.children.length < names.length) strip.append($("#answer-template").content.firstElementChild.cloneNode(true));
  names.forEach((name, at) => {
    const button = strip.children[at];
    $("kbd", button).textContent = at + 1;
    $("span", button).textContent = name;
    button.setAttribute("aria-pressed", at === chosen ? !takenOf(answers).length : takenOf(answers).includes(at));
    button.title = `${name} (${at + 1})`;
  });
  if (!answers) { strip.shown = ""; return; }
  drawPreviews(fixer.draft, answers);
  const taken = strip.children[chosen];
  if (strip.at !== taken) taken.scrollIntoView({ block: "nearest", inline: "nearest" });
  strip.at = taken;
}

const photoNow = () => $$("img", stage).reverse().find(image => !image.hidden && image.complete && image.naturalWidth);
function drawPreviews(draft, { masks, chosen }) {
  const photo = photoNow(), length = draft.edit[0] * draft.edit[1];
  if (!photo || (strip.masks === masks && strip.shown === photo.src && strip.count === masks.length && strip.chosen === chosen)) return;
  Object.assign(strip, { masks, chosen, shown: photo.src, count: masks.length });
  const whole = masks.map(runs => unpacked(runs, length)), crop = previewCrop(differing(comparable(whole, chosen, draft.edit), draft.edit), draft.edit);
  strip.style.setProperty("--shape", crop[2] / crop[3]);
  strip.classList.toggle("high", crop[3] > crop[2]);
  whole.forEach((mask, at) => drawPreview($("canvas", strip.children[at]), photo, mask, whole[chosen], draft.edit, crop));
}
const PREVIEW_LINE = 0xffffffff, PREVIEW_GROUND = 0xc0141414, PREVIEW_MORE = 0x78a0e600, PREVIEW_LESS = 0xa8462dff;  // alpha, blue, green, red
/** The photo, dark where the product is not, and a line between; what is in one of `mask` and `taken` is tinted. */
function drawPreview(target, photo, mask, taken, [wide, high], [x0, y0, across, down]) {
  const dense = Math.min(2, Math.max(1, devicePixelRatio)), unit = PREVIEW * dense / Math.max(across, down), size = [across, down].map(side => Math.max(1, Math.round(side * unit)));
  const [made, context] = canvasOf(size), image = context.createImageData(...size), pixels = new Uint32Array(image.data.buffer);
  const inside = new Uint8Array(size[0] * size[1]), before = new Uint8Array(size[0] * size[1]);
  for (let row = 0; row < size[1]; row++) for (let column = 0; column < size[0]; column++) {
    const x = Math.floor(x0 + (column + .5) / size[0] * across), y = Math.floor(y0 + (row + .5) / size[1] * down);
    if (x < 0 || y < 0 || x >= wide || y >= high) continue;
    inside[row * size[0] + column] = mask[y * wide + x];
    before[row * size[0] + column] = taken[y * wide + x];
  }
  const soft = softened(inside, size[0]);
  const colour = at => !inside[at] ? before[at] ? PREVIEW_LESS : PREVIEW_GROUND : soft[at] < 9 ? PREVIEW_LINE : before[at] ? 0 : PREVIEW_MORE;
  for (let at = 0; at < pixels.length; at++) pixels[at] = colour(at);
  context.putImageData(image, 0, 0);
  Object.assign(target, { width: size[0], height: size[1] });
  const more = photo.naturalWidth / wide, drawing = target.getContext("2d");
  Object.assign(drawing, { fillStyle: "#2a2a29", imageSmoothingQuality: "high" });
  drawing.fillRect(0, 0, ...size);
  drawing.drawImage(photo, x0 * more, y0 * more, across * more, down * more, 0, 0, ...size);
  drawing.drawImage(made, 0, 0);
}

/** While a pointer or the focus rests on a preview, the picture shows it. */
function peek(at) {
  if (fixer.peek === at) return;
  fixer.peek = at;
  showHint();
  redraw();
}
const previewAt = target => { const button = target.closest("button"); return button ? [...strip.children].indexOf(button) : null; };
strip.addEventListener("pointerover", event => { if (event.pointerType !== "touch") peek(previewAt(event.target)); });
strip.addEventListener("pointerleave", () => peek(null));
strip.addEventListener("focusin", event => { if (event.target.matches(":focus-visible")) peek(previewAt(event.target)); });
strip.addEventListener("focusout", () => peek(null));
/** The runs that are shown of a region: those of the preview that is looked at, or its own. */
function runsShown(draft, region) {
  const answers = fixer.peek !== null && region.key === draft.chosen && region === draft.region && offered();
  return answers ? answers.masks[fixer.peek] : draft.maskOf(region);
}

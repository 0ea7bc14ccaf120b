// The editor of outlines: which picture it shows, and what is done there.

const fixer = {
  item: null, draft: null, place: null, fitted: true,
  tool: "click", minus: false, brush: 28, view: "outline", before: false,  // what was chosen
  space: false, alt: false, ring: false,                                  // what is held down, and shown for a moment
  pointer: null, peek: null, cross: null, corner: null, box: null, path: null, live: null,  // where one is, and what is being drawn
};
const GROUND_NAMES = ["outline", "white", "checks", "loud"];

async function openFixer(item) {
  if (!canFix(item)) return;
  if (!item.size) try { await learnSize(item); } catch (error) { warn(`${named(item)}: ${error.message}`); return; }
  if (fixer.item && fixer.item !== item) leave();
  const again = fixer.item === item;
  // Who draws goes on drawing; a brush, an eraser or a hand is for one place.
  if (!again) Object.assign(fixer, { tool: fixer.tool === "draw" ? "draw" : "click", minus: false });
  Object.assign(fixer, { item, draft: null, place: null, fitted: true, peek: null, cross: null, corner: null, before: false, joining: false });
  $("#help").classList.add("fixing");
  if (!dialog.open) dialog.showModal();
  if (!again) showPhoto(item);
  fit();
  showPanel();
  stage.focus({ preventScroll: true });
  makeReady(item);
  await opened(item);
}
/** With the outlines as they are kept, or as they were left; the one at a place is chosen. */
async function opened(item, place = null) {
  let draft;
  try { draft = await draftOf(item); } catch (error) { if (fixer.item === item) showGone(error.message); return; }
  if (fixer.item !== item) { if (!draft.changed && !draft.saving) drafts.delete(item.id); return; }
  const { now } = draft.history;
  if (place !== null && now.length) draft.chosen = now[Math.min(place, now.length - 1)].key;
  fixer.draft = draft;
  showPanel();
  showUnfixed();
  redraw();
  if (!draft.saving && draft.history.now.some(isLacking)) settled(draft, draft.note);
}
/** Leave the picture: what was changed is saved. */
function leave() {
  const { draft } = fixer;
  dropGesture();
  pointers.clear();
  Object.assign(fixer, { item: null, draft: null });
  if (!draft) return;
  if (draft.changed) save(draft);
  else if (!draft.saving) drafts.delete(draft.item.id);
}
function closeFixer() {
  const { item } = fixer;
  if (!item) return;
  leave();
  $("#help").classList.remove("fixing");
  dialog.close();
  showUnfixed();
  if (viewer.open) {
    if (!panes.includes(item)) panes[active] = item;
    fill();
    $(".stage", $(".panes").children[active]).focus({ preventScroll: true });
  } else { measure(); goTo(item); }
}
function stepFixer(by) {
  let at = stepFrom(fixer.item, by);
  while (list[at] && !canFix(list[at])) at += by;
  if (list[at]) openFixer(list[at]);
  else tell(by > 0 ? "This is the last picture that can be fixed" : "This is the first picture that can be fixed");
}
function afterSaving(draft) {
  const later = drafts.get(draft.item.id);
  if (fixer.item !== draft.item) { if (later && later !== draft && later.changed) save(later); return; }
  fixer.draft = drafts.get(draft.item.id) || null;
  showPanel();
  redraw();
  if (!fixer.draft || isStale(fixer.draft)) return opened(draft.item, placeKept(draft.history.now, draft.chosen));
}

// Where the picture lies.
function fit() {
  Object.assign(fixer, { place: fittedPlace(fixer.item.size, stageSize()), fitted: true });
  redraw();
  showZoom();
}
function zoomBy(factor, at = stageSize().map(side => side / 2)) {
  Object.assign(fixer, { place: zoomedPlace(fixer.place, fixer.item.size, stageSize(), factor, at), fitted: false });
  redraw();
  showZoom();
}
function moveBy(x, y) {
  const { place } = fixer;
  Object.assign(fixer, { place: boundPlace({ ...place, x: place.x + x, y: place.y + y }, fixer.item.size, stageSize()), fitted: false });
  redraw();
}
const toPixels = () => fixer.place.scale * devicePixelRatio === 1 ? fit() : zoomBy(1 / devicePixelRatio / fixer.place.scale, zoomPoint());
const zoomPoint = () => fixer.cross ? toStage(fixer.place, fixer.cross) : fixer.pointer || undefined;
new ResizeObserver(() => {
  if (!fixer.item) return;
  if (fixer.fitted) fit(); else moveBy(0, 0);
}).observe(stage);

// What is done.
function editable() {
  const { draft } = fixer;
  if (!draft) say("The outlines are still on their way; that was not done.");
  return Boolean(draft);
}
/** The region at hand: the chosen one, or a new one where there is none. */
function worked() {
  const { draft } = fixer;
  if (draft.region && draft.region.removed) { say(`${draft.region.product} is removed; restore it first.`); return null; }
  return draft.region || newRegion(freshKey(draft), wordOfNew(words(), draft.history.now));
}
const freshKey = draft => `new ${draft.history.states.reduce((most, state) => Math.max(most, state.length), 0)} ${draft.history.at}`;
const words = () => page.products.map(product => product.name);

function change(region, changes) {
  const { draft } = fixer, { now } = draft.history;
  const there = now.some(one => one.key === region.key);
  draft.chosen = region.key;
  return changeTo(there ? withRegion(now, region.key, changes) : [...now, { ...region, ...changes }]);
}
function changeTo(state) {
  fixer.draft.history.push(state);
  return settled(fixer.draft);
}
/** After any change: it is kept, shown, and what it needs is asked for. */
async function settled(draft, note = "") {
  if (!draft.history.now.some(region => region.key === draft.chosen)) draft.chosen = (draft.history.now[0] || { key: null }).key;
  Object.assign(draft, { note, problem: "", saved: "" });
  const known = () => { keepDraft(draft); if (draft === fixer.draft) { showPanel(); redraw(); } showUnfixed(); };
  const mark = setTimeout(() => { if (draft === fixer.draft) showBusy(); }, 150);
  const answer = settle(draft);
  known();
  try { await answer; } catch (error) { Object.assign(draft, { problem: error.message, retry: one => settled(one) }); }
  clearTimeout(mark);
  if (draft === fixer.draft && !draft.asking.size) showBusy("");
  known();
  if (!draft.problem) wonderAbout(draft);
}
/** The chips come later; nothing else is other then. */
async function wonderAbout(draft) {
  try {
    if (await wonder(draft) && draft === fixer.draft) showPanel();
  } catch (error) {
    Object.assign(draft, { problem: error.message, retry: one => settled(one) });
    showUnfixed();
  }
}
const HAND_OFF = { true: 26, false: 18 };  // pixels of the page that a finger and a mouse may be off
const reach = () => Math.round(10 * HAND_OFF[coarse.matches] / fixer.place.scale) / 10;
const spot = point => within(point, fixer.item.size).map(value => Math.round(value * 10) / 10);
const clickAt = (point, add) => take({ kind: "click", add, path: [spot(point)], reach: reach() });
/** A line that was drawn, in pixels of the picture. */
function drawnPath(path, add) {
  const places = thinned(path, 1 / fixer.place.scale), kind = meaning(places, 24 / fixer.place.scale);
  if (places.length > 1) take({ kind, add, path: places.map(spot), reach: reach() });
  else clickAt(places[0], add);
}
const drawnBox = ([x0, y0, x1, y1]) => take({ kind: "box", add: true, path: [[x0, y0], [x1, y1]], reach: reach() });
async function take(step) {
  const region = worked(), { draft } = fixer;
  if (!region) return;
  showBefore(false);  // what comes of it is to be seen
  if (!step.add && !draftMask(region) && !isPrompted(region)) return say("There is no outline yet to take from; click on the product, or draw around it.");
  // While it is being saved, numbers of regions may change: it goes on from what is seen.
  const from = draft.saving && region.mask ? painted(region.mask) : {};
  const before = draftMask(region), answered = change(region, { ...from, ...stepped({ ...region, ...from }, step) }), wanted = draft.region;
  tell(step.kind === "box" ? `A box around ${called(region)}` : `${step.add ? "Added to" : "Removed from"} ${called(region)}`);
  await answered;
  if (wanted.mask && draft.region === wanted && draft === fixer.draft) showChange(draft, before || [], wanted.mask, step);
}
/** A number is one of what is to be chosen for the last step, else a product. */
function chooseNumber(at) {
  const answers = fixer.joining ? null : offered();
  if (!fixer.joining && awaited()) say("What else it may mean is on its way.");
  else if (!answers) choose(at);
  else if (at < answers.masks.length) chooseAnswer(at);
}
/** Another answer to the last step: by a number, or the next one by a way. */
function chooseAnswer(at) {
  const { draft } = fixer, region = draft && draft.region, { answers } = region || {};
  if (answers && answers.more && !region.removed) { say("What else it may mean is on its way."); return; }
  if (!answers || answers.masks.length < 2 || region.removed || !editable()) return;
  if (isUnsureStep(region)) { togglePlace(at); return; }
  const count = answers.masks.length, chosen = (at + count) % count, before = region.mask;
  draft.history.swap(withRegion(draft.history.now, region.key, answeredBy(region, chosen)));
  settled(draft);
  tell(`${answers.names[chosen]}, ${chosen + 1} of ${count}`);
  // Two answers may differ by little; nothing is wrong with that.
  tintChange(draft, ...[before, draft.region.mask].map(runs => unpacked(runs, draft.edit[0] * draft.edit[1])));
}
const nextAnswer = by => { const { answers } = (fixer.draft && fixer.draft.region) || {}; if (isUnsureStep(fixer.draft && fixer.draft.region)) say("Places are chosen by their numbers."); else if (answers) chooseAnswer(answers.chosen + by); };
/** What a step changed is tinted for a moment; that it changed nothing, or hardly anything, is said. */
function showChange(draft, before, after, step) {
  const [wide, high] = draft.edit, masks = [before, after].map(runs => unpacked(runs, wide * high));
  tintChange(draft, ...masks);
  if (!isSlight(...masks, wide, drawnBy(step, draft), step.add ? 1 : 0)) return;
  const same = masks[0].every((value, at) => value === masks[1][at]);
  const instead = step.kind === "loop" && step.add ? "choose Only this where the rest is to go" : "draw around the part (D)";
  draft.note = `${same ? "That changed nothing" : "That moved the edge by a hair"}; ${instead}, or paint with the brush (B).`;
  tell(draft.note);
  showPanel();
}
const draftMask = region => fixer.draft.maskOf(region);
function stepHistory(by) {
  if (!editable()) return;
  dropGesture();
  if (!fixer.draft.history.step(by)) return tell(by < 0 ? "Nothing is left to undo" : "Nothing is left to redo");
  settled(fixer.draft);
  tell(by < 0 ? "Undone" : "Done again");
}
function choose(at) {
  const region = fixer.draft && fixer.draft.history.now[at];
  if (!region) return;
  if (fixer.joining) { joinWith(at); return; }
  Object.assign(fixer.draft, { chosen: region.key, note: "" });
  fixer.peek = null;
  showPanel();
  redraw();
  tell(`${at + 1}, ${called(region)}${region.removed ? ", removed" : ""}`);
}
/** The next one, or the one before. */
function chooseNext(by) {
  const { draft } = fixer, count = draft ? draft.history.now.length : 0;
  if (count) choose((draft.history.now.indexOf(draft.region) + by + count) % count);
}
function removeProduct() {
  if (!editable()) return;
  const { region, history: past } = fixer.draft;
  if (!region) return;
  if (region.index === null) changeTo(past.now.filter(one => one !== region));
  else change(region, { removed: !region.removed });
  tell(region.removed ? `${region.product} is back` : `${called(region)} removed`);
}
/** Who has looked at a doubtful outline and finds nothing wrong says so: it is as good as drawn by hand. */
function outlineIsRight() {
  if (!editable()) return;
  const { region } = fixer.draft;
  if (!region) return;
  if (!isDoubtful(region)) { say(region.seen ? `${called(region)} is right already.` : `Nothing speaks against the outline of ${called(region)}.`); return; }
  change(region, { ...fixer.draft.history.first.find(one => one.key === region.key), seen: true });
  const next = fixer.draft.history.now.find(isDoubtful);
  if (next) fixer.draft.chosen = next.key;
  showPanel();
  redraw();
  tell(`The outline of ${called(region)} is right${next ? `; now ${called(next)}` : ""}; undo takes that back`);
}
function discard() {
  if (!editable() || !fixer.draft.changed) return;
  changeTo(fixer.draft.history.first);
  tell("Your changes are discarded; undo brings them back");
}

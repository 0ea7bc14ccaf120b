// The editor's buttons, and what they say.

function showPhoto(item) {
  const source = thumbnail(item, indexOfView(item, "before"));
  const [low, full] = $$("img", stage);
  inFixer(".gone").hidden = true;
  for (const image of [low, full]) { image.removeAttribute("src"); image.hidden = true; image.onload = () => { image.hidden = false; low.hidden = image === full; redraw(); showAnswers(); showHint(); }; }
  if (source) low.src = source;
  full.onerror = async () => {
    const why = await fetched(fixAddress(`original/${item.id}`)).then(() => "The picture cannot be shown.", error => error.message);
    if (fixer.item === item) showGone(why);
  };
  full.src = "./" + fixAddress(`original/${item.id}`);
}

function showGone(why) {
  inFixer(".gone").textContent = why;
  inFixer(".gone").hidden = false;
}

function showPanel() {
  const { item, draft } = fixer;
  if (!item) return;
  inFixer("#fix-name").textContent = item.name;
  inFixer(".which").textContent = item.at >= 0 ? `${item.at + 1} of ${list.length}` : "";
  const press = (selector, value) => { for (const button of $$(selector, dialog)) button.setAttribute("aria-pressed", button.value === value); };
  press(".tool", fixer.tool);
  press(".sign", fixer.minus ? "remove" : "add");
  press(".ground", fixer.view);
  inFixer(".compare").setAttribute("aria-pressed", fixer.before);
  inFixer(".compare").textContent = fixer.view === "outline" ? "No outline" : "Before";
  inFixer(".compare").title = fixer.view === "outline" ? "The photo without the outline (or hold C)" : "The cut-out as it was before your changes (or hold C)";
  for (const shade of SHADES) {
    inFixer(`.shade.${shade}`).setAttribute("aria-pressed", shades.get(item) === shade);
    dialog.classList.toggle(shade, shades.get(item) === shade);
  }
  const brush = fixer.tool === "brush" || fixer.tool === "eraser";
  inFixer(".signs").hidden = !isPointing();
  inFixer(".size").hidden = !brush;
  inFixer(".size input").value = fixer.brush;
  const past = draft ? draft.history : { at: 0, states: [0] }, still = !draft;
  inFixer(".undo").disabled = still || past.at === 0;
  inFixer(".redo").disabled = still || past.at === past.states.length - 1;
  inFixer(".save").disabled = inFixer(".discard").disabled = still || draft.saving || !draft.changed;
  inFixer(".save").textContent = draft && draft.saving ? "Saving…" : "Save";
  showRegions();
  showAnswers();
  showZoom();
  showCursor();
  showHint();
  stage.setAttribute("aria-busy", !draft || draft.saving || draft.asking.size > 0);
}
function showZoom() {
  const text = `${Math.round(fixer.place.scale * devicePixelRatio * 100)} %`;
  inFixer(".percent").textContent = text;
  inFixer(".pixels").setAttribute("aria-pressed", text === "100 %");
}
function showBusy(text = "Finding the outline…") {
  inFixer(".busy").hidden = !text;
  if (text) inFixer(".busy").textContent = text;
}
/** In the line of hints, until that says something else, and to a reader. */
function say(text) {
  tell(text);
  showHint(text);
}
function showHint(said = "") {
  const line = inFixer("#fix-hint");
  line.textContent = said || hint();
  line.classList.toggle("said", Boolean(said));
}
const coarse = matchMedia("(pointer: coarse)");
const minusHint = () => coarse.matches ? "" : fixer.minus ? "It is taken away." : "With Alt or the right button it is taken away.";
const NAMING = "Type what it is, or choose one of the run’s words; Enter takes it, Esc leaves it.";
const AROUND = "Drag a box to begin anew, or draw around what is wrong (D).";
const hint = () => [fixer.draft && !fixer.draft.saving && fixer.draft.saved, usualHint(), shadeHint(), doubtHint()].filter(Boolean).join(" ");
function doubtHint() {
  const { region } = fixer.draft || {};
  return region && isDoubtful(region) && !isUnsureStep(region) ? `It is to check: ${coarse.matches ? "Unsure?" : "U"} shows where it may be otherwise.` : "";
}
function usualHint() {
  const { draft, tool } = fixer;
  if (!draft) return fixer.item && fixer.item.unfound ? LOOKING : "The outlines are on their way…";
  if (draft.saving) return "Saving. You can go on, here or with another picture.";
  const { region } = draft, name = region ? called(region) : "";
  const answers = region && !region.removed && isPointing() ? offered() : null, others = answers
    ? `${answers.names[answers.chosen]}, ${answers.chosen + 1} of ${answers.masks.length}. If you meant another, ${coarse.matches ? "tap it" : "press its number, or [ and ]"}; G shows where they differ.` : "";
  if (answers && fixer.peek !== null && fixer.peek !== answers.chosen)
    return `${answers.names[fixer.peek]} (${fixer.peek + 1}): green is what it has more than “${answers.names[answers.chosen]}”, red what it lacks.`;
  if (isUnsureStep(region) && !region.removed && isPointing()) return unsureHint(region);
  if (draft.note) return [draft.note, others].filter(Boolean).join(" ");
  if (document.activeElement === wordField) return region && region.product ? `${NAMING} Enter alone keeps “${region.product}”.` : NAMING;
  if (region && region.removed) return `${name} is removed. Restore it to change its outline.`;
  if (tool === "hand") return "Drag moves the picture.";
  if (others) return others;
  const finer = `Zoom in for a finer ${tool}. Save lets the edge follow the picture.`;
  if (tool === "brush") return `Paint what belongs to ${name || "the product"}${coarse.matches ? "" : "; Alt or right button erases"}. ${finer}`;
  if (tool === "eraser") return `Paint over what does not belong to ${name || "the product"}. ${finer}`;
  if (tool === "draw") return `Draw around a part of ${name || "the product"}, or along it, roughly: it goes to the nearest edges. ${minusHint()}`;
  if (!region || !draft.maskOf(region)) return `Drag a box around ${region && region.product ? `the ${name}` : name || "the product"}, or ${coarse.matches ? "tap" : "click"} on it.`;
  if (coarse.matches) return `A tap ${fixer.minus ? "takes away from" : "adds to"} ${name}, a box begins anew; Draw goes around what is wrong.`;
  return fixer.minus ? `A click takes away from ${name}. ${AROUND}` : `A click adds to ${name}, Alt-click or right click takes away. ${AROUND}`;
}
function showCursor() {
  const pan = panning(), brush = fixer.tool === "brush" || fixer.tool === "eraser";
  stage.dataset.cursor = pan ? (gesture ? "grabbing" : "grab") : !fixer.draft ? "wait"
    : brush ? "ring" : gesture && gesture.kind === "box" ? "box" : removing() ? "minus" : "plus";
}
/** What the picture says of a region of the draft that is as it was; null of one that is other or new. */
const saidOf = region => (fixer.draft.history.first.includes(region) || isOnlyAsked(region)) && (fixer.item.regions || [])[region.index] || null;
const isDoubtful = region => ((saidOf(region) || {}).doubts || []).length > 0;
function showRegions() {
  const { draft } = fixer, holder = inFixer(".regions"), regions = draft ? draft.history.now : [];
  while (holder.children.length > regions.length) holder.lastElementChild.remove();
  while (holder.children.length < regions.length) holder.append($("#region-template").content.firstElementChild.cloneNode(true));
  regions.forEach((region, at) => {
    const button = holder.children[at], known = saidOf(region);
    $(".number", button).textContent = at + 1;
    $(".word", button).textContent = region.product || "no name yet";
    $(".state", button).textContent = region.removed ? "removed" : region.index === null ? "new" : !known ? region.seen ? "right" : "changed"
      : known.by_hand ? "by hand" : isDoubtful(region) ? "to check" : "";
    button.classList.toggle("removed", region.removed);
    button.setAttribute("aria-pressed", region.key === draft.chosen);
    button.title = "Work on this product (P: the next one)";
  });
  const region = draft && draft.region;
  inFixer(".unsure").hidden = !region || region.removed || !draft.maskOf(region);
  inFixer(".right").hidden = !region || !isDoubtful(region);
  inFixer(".remove").hidden = !region;
  inFixer(".remove").textContent = region && region.removed ? "Restore" : "Remove";
  inFixer(".remove").setAttribute("aria-label", region ? `${region.removed ? "Restore" : "Remove"} ${called(region)}` : "");
  inFixer(".join").hidden = !draft || joinable(draft).length < 2;
  inFixer(".join").setAttribute("aria-pressed", Boolean(fixer.joining));
  showName();
  for (const button of $$(".remove, .add", dialog)) button.disabled = !draft;
}

function chooseTool(name) {
  Object.assign(fixer, { tool: name, corner: null });
  dropGesture();
  if (name === "brush" || name === "eraser") showRing();
  showPanel();
}
function swapSign() {
  if (isPointing()) fixer.minus = !fixer.minus;
  else fixer.tool = fixer.tool === "eraser" ? "brush" : fixer.tool === "brush" ? "eraser" : fixer.tool;
  showPanel();
  redraw();
  tell(removing() ? "Takes away" : "Adds");
}
function chooseGround(name) {
  fixer.view = name;
  showPanel();
  redraw();
}
/** Show the picture at hand brighter or darker; as it is where it is shown so already. */
function shadeAs(shade) {
  if (shades.get(fixer.item) === shade) shades.delete(fixer.item);
  else shades.set(fixer.item, shade);
  showPanel();
  tell({ bright: "Shown brighter", dark: "Shown darker" }[shades.get(fixer.item)] || "Shown as it is");
}
/** As it is where it is shown otherwise; else brighter, and a pale picture darker, or the other way. */
function shadeOn(other) {
  const needed = hardToSee() === "pale" ? "dark" : "bright", unlike = SHADES.find(shade => shade !== needed);
  shadeAs(shades.get(fixer.item) || (other ? unlike : needed));
}
function showBefore(on) {
  if (fixer.before === on) return;
  fixer.before = on;
  showPanel();
  redraw();
  tell(!on ? "After" : fixer.view === "outline" ? "The photo without the outline" : "Before");
}
let calmed = 0;
/** Who has no pointer over the picture sees the brush's ring in the middle for a moment. */
function showRing() {
  fixer.ring = true;
  clearTimeout(calmed);
  calmed = setTimeout(() => { fixer.ring = false; redraw(); }, 2500);
}
function resizeBrush(to) {
  showRing();
  fixer.brush = Math.round(Math.min(300, Math.max(2, to)));
  showPanel();
  redraw();
}

const ACTIONS = {
  previous: () => stepFixer(-1), next: () => stepFixer(1), undo: () => stepHistory(-1), redo: () => stepHistory(1),
  out: () => zoomBy(1 / 1.4, zoomPoint()), in: () => zoomBy(1.4, zoomPoint()), fit, look: lookOn, pixels: () => toPixels(),
  save: () => { save(fixer.draft); showPanel(); }, discard, close: closeFixer, add: addProduct, remove: removeProduct, join: startJoining, right: outlineIsRight, unsure: askUnsure,
  bright: () => shadeAs("bright"), dark: () => shadeAs("dark"),
  keys: showHelp,
};
dialog.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button || !fixer.item) return;
  if (button.matches(".tool")) chooseTool(button.value);
  else if (button.matches(".sign")) { fixer.minus = button.value === "remove"; showPanel(); }
  else if (button.matches(".ground")) chooseGround(button.value);
  else if (button.matches(".answers button")) chooseAnswer([...button.parentNode.children].indexOf(button));
  else if (button.matches(".regions button")) choose([...button.parentNode.children].indexOf(button));
  else if (button.matches(".compare")) { if (!event.detail) showBefore(!fixer.before); }
  else if (button.name in ACTIONS) ACTIONS[button.name]();
  // With a mouse one goes on in the picture, whose keys are then its own.
  if (event.detail && fixer.item && !button.matches(".keys") && document.activeElement !== wordField) stage.focus({ preventScroll: true });
});
// Held down it shows the bare photo as long as that; a click keeps it so until the next one.
const CLICK_MS = 350;
let shownAt = 0;  // when it was pressed; 0 where it is not held, or was on already
inFixer(".compare").addEventListener("pointerdown", () => { shownAt = fixer.before ? 0 : performance.now(); showBefore(true); });
inFixer(".compare").addEventListener("pointerup", () => { if (performance.now() - shownAt > CLICK_MS) showBefore(false); shownAt = 0; });
for (const name of ["pointercancel", "pointerleave"]) inFixer(".compare").addEventListener(name, () => { if (shownAt) showBefore(false); shownAt = 0; });
inFixer(".compare").addEventListener("contextmenu", event => event.preventDefault());
inFixer(".size input").addEventListener("input", event => resizeBrush(Number(event.target.value)));
dialog.addEventListener("cancel", event => { event.preventDefault(); closeFixer(); });
dialog.addEventListener("close", closeFixer);
addEventListener("popstate", closeFixer);

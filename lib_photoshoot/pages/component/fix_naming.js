// What a product is called: asked of a new one, and changed of one that was found.

const wordField = inFixer("#fix-word");
/** What is said of a region, also of one that has no name yet. */
const called = region => region.product || "the new product";
function showName() {
  const region = fixer.draft && fixer.draft.region;
  inFixer(".name").hidden = !region || region.removed;
  if (!region || document.activeElement === wordField) return;
  wordField.value = region.product;
  wordField.placeholder = "What is it?";
}
let naming = null;  // the region that was there before a new one, and that one
/** A product that was missed: first its name, then its outline. */
function addProduct() {
  if (!editable()) return;
  const { draft } = fixer, region = newRegion(freshKey(draft), wordOfNew(words(), draft.history.now)), before = draft.chosen;
  Object.assign(fixer, { tool: "click", minus: false });
  change(region, {});
  naming = { before, key: region.key };
  wordField.focus();
  tell("A new product: type its name and press Enter, then drag a box around it or click on it");
}
function startNaming() {
  const region = fixer.draft && fixer.draft.region;
  if (!editable() || !region) return;
  if (region.removed) { say(`${region.product} is removed; restore it first.`); return; }
  wordField.focus();
}
function nameIt(word) {
  const region = fixer.draft && fixer.draft.region;
  if (!region || !word || word === region.product || !editable()) return;
  const from = region.product;
  change(region, { product: word });
  tell(from ? `${from} is called ${word} now; undo takes that back` : `The new product is ${word}: drag a box around it, or click on it`);
}
/** Away from the field, as it was: a new product that has nothing yet is gone again. */
function endNaming() {
  const { draft } = fixer, began = naming, region = draft && draft.region;
  naming = null;
  wordField.value = "";
  stage.focus({ preventScroll: true });
  if (began && region && region.key === began.key && region.index === null && !hasOutline(region)) {
    changeTo(draft.history.now.filter(one => one !== region));
    draft.chosen = began.before;
    tell("No product is added");
  }
  showPanel();
  redraw();
}
wordField.addEventListener("focus", () => {
  const { draft } = fixer;
  $("#fix-words").replaceChildren(...wordsOffered(words(), draft ? draft.history.now : []).map(word => new Option("", word)));
  // An empty field is offered all words; the name so far stays to be read, and stays the name where nothing is typed.
  wordField.placeholder = wordField.value || "What is it?";
  wordField.value = "";
});
wordField.addEventListener("blur", () => {
  nameIt(wordField.value.trim());
  naming = null;
  if (fixer.item) showPanel();
});

// Two outlines that are of one thing, as a laptop's screen and its keyboard: one is made of both.

const joinable = draft => draft.history.now.filter(region => !region.removed && draft.maskOf(region));
/** With the other one, where there is but one; else the next one that is chosen is meant. */
function startJoining() {
  if (!editable()) return;
  const { draft } = fixer, others = joinable(draft).filter(region => region.key !== draft.chosen);
  if (!others.length || !joinable(draft).some(region => region.key === draft.chosen)) return say("There is no other outline to join this one with.");
  if (others.length === 1) return joinWith(draft.history.now.indexOf(others[0]));
  fixer.joining = !fixer.joining;
  showPanel();
  say(fixer.joining ? `Choose what is one thing with ${draft.region.product}: press its number.` : "Nothing is joined.");
}
function joinWith(at) {
  fixer.joining = false;
  const { draft } = fixer, { now } = draft.history, one = draft.region, other = now[at];
  if (!other || other === one || !joinable(draft).includes(other)) { showPanel(); return say("That is no other outline; nothing is joined."); }
  const length = draft.edit[0] * draft.edit[1], mask = unpacked(draft.maskOf(one), length);
  unpacked(draft.maskOf(other), length).forEach((value, place) => { if (value) mask[place] = 1; });
  const joined = withRegion(now, one.key, painted(packed(mask)));
  changeTo(other.index === null ? joined.filter(region => region.key !== other.key) : withRegion(joined, other.key, { removed: true }));
  tell(`${other.product} is part of ${one.product} now`);
}
/** That a picture was saved, when, and what is to be known of it: here, or where one looks now. */
function tellSaved(draft, told) {
  const text = [`saved at ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })}`, ...told].join(". ");
  tell(`${named(draft.item)}: ${text}`);
  if (fixer.item !== draft.item) {
    if (told.length) warn(`${named(draft.item)}: ${told.join(" ")}`);
    else if (fixer.item) showHint(`${named(draft.item)} is ${text}.`);
    return;
  }
  if (fixer.draft) fixer.draft.saved = `S${text.slice(1)}${told.length ? "" : "."}`;
  showPanel();
}

// Saving: one picture after the other, while the next one is looked at.

let saving = Promise.resolve();

/** Whether the picture's changes are with the server, in the end. */
function save(draft) {
  if (!draft.changed || draft.saving) return saving;
  draft.saving = true;
  draft.problem = "";
  showUnfixed();
  saving = saving.then(() => tryToSave(draft));
  return saving;
}
async function tryToSave(draft) {
  let sent = null, told = null;
  try {
    if (isStale(draft)) throw new Error("Its outlines were changed elsewhere meanwhile; look at it, then save again.");
    await settle(draft);
    sent = draft.history.now;
    const empty = changedRegions(draft.history).find(region => !region.removed && isEmpty(region.mask || []));
    if (empty) throw new Error(`Nothing is left of ${called(empty)}. Undo, or remove it.`);
    const nameless = sent.find(region => !region.removed && !region.product && hasOutline(region));
    if (nameless) throw new Error(`Product ${sent.indexOf(nameless) + 1} has no name yet. Choose it and type what it is (R), or remove it.`);
    const answer = await saved(draft);
    takeSaved(answer);
    await rebase(draft, sent);
    draft.saving = false;
    told = answer.told;
  } catch (error) {
    draft.saving = false;
    Object.assign(draft, { problem: error.message, retry: save });
  }
  showUnfixed();
  await afterSaving(draft);
  if (told) tellSaved(draft, told);
}
/**
 * The picture as it is saved now, and over it what was done while it was being saved. Until the server has said the new
 * outlines, those that were sent stay in sight: nothing is taken from the page before what comes in its place is there.
 */
async function rebase(draft, sent) {
  const { item } = draft;
  let masks = null, now;
  if (fixer.draft === draft) try { masks = await keptMasks(item); } catch { /* it is saved; what was sent shows it well enough */ }
  do {
    ({ now } = draft.history);
    try { await settle(draft); } catch { /* what has no answer goes on without it */ }
    while (gesture && fixer.draft === draft) await new Promise(done => setTimeout(done, 50));  // a hand that is drawing
  } while (now !== draft.history.now);
  if (now === sent && fixer.draft !== draft) { forgetDraft(draft); return; }
  masks = masks || keptOf(sent).map(region => region.mask);
  const fresh = new Draft(item, (item.regions || []).map((region, index) => keptRegion(index, region.product, masks[index])));
  if (now !== sent) fresh.history.push(restored(fresh.history.now, changesSince(sent, now)));
  const there = fresh.history.now;
  fresh.chosen = (there[Math.min(placeKept(now, draft.chosen), there.length - 1)] || { key: null }).key;
  drafts.set(item.id, fresh);
  keepDraft(fresh);
}

/** Show what the server made of the pictures. */
function takeSaved(answer) {
  for (const news of answer.shots || []) if (byId.has(news.id)) renew(byId.get(news.id), news);
  takeProducts(answer.products || []);
  refresh();
  if (viewer.open) fill();
}

/** What is not saved, wherever one looks: with why, once it was tried. */
function showUnfixed() {
  const failed = [...drafts.values()].filter(draft => draft.problem), idle = unsavedItems().filter(item => !drafts.has(item.id));
  const [first] = failed, text = first ? `${named(first.item)}: ${first.problem}${failed.length > 1 ? ` (and ${failed.length - 1} more)` : ""}`
    : idle.length ? `The outlines of ${one(idle.length, "picture")} were changed and never saved: ${idle.slice(0, 3).map(named).join(", ")}${idle.length > 3 ? ", …" : ""}` : "";
  for (const bar of $$(".unfixed")) {
    if ($("p", bar).textContent !== text) $("p", bar).textContent = text;
    $(".again", bar).hidden = !failed.length;
    $(".look", bar).hidden = Boolean(first && fixer.draft === first && dialog.contains(bar));
    bar.hidden = !text;
  }
}
for (const bar of $$(".unfixed")) bar.addEventListener("click", event => {
  const failed = [...drafts.values()].filter(draft => draft.problem);
  if (event.target.matches(".again")) failed.forEach(draft => { draft.problem = ""; draft.retry(draft); });
  else if (event.target.matches(".look")) openFixer(failed.length ? failed[0].item : unsavedItems()[0]);
  showUnfixed();
});

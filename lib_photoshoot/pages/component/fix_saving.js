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
    if (empty) throw new Error(`Nothing is left of ${empty.product}. Undo, or remove it.`);
    const answer = await saved(draft);
    takeSaved(answer);
    while (gesture && fixer.draft === draft) await new Promise(done => setTimeout(done, 50));  // a hand that is drawing
    if (draft.history.now === sent) forgetDraft(draft); else await rebase(draft, sent);
    draft.saving = false;
    tell(`${named(draft.item)}: saved`);
    told = answer.told;
  } catch (error) {
    draft.saving = false;
    Object.assign(draft, { problem: error.message, retry: save });
  }
  showUnfixed();
  await afterSaving(draft);
  tellSaved(draft, told);
}
/** What was done while the picture was being saved, laid over what was saved. */
async function rebase(draft, sent) {
  try { await settle(draft); } catch { /* what has no answer goes on without it */ }
  const { item } = draft, masks = await keptMasks(item), { now } = draft.history;
  const fresh = new Draft(item, item.regions.map((region, index) => keptRegion(index, region.product, masks[index])));
  fresh.history.push(restored(fresh.history.now, changesSince(sent, now)));
  fresh.chosen = (fresh.history.now[placeKept(now, draft.chosen)] || { key: null }).key;
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

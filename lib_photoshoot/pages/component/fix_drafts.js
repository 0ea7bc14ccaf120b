// Changes that are not saved yet: kept in the browser until the server has them.

const drafts = new Map();  // by the picture's id
const draftPlace = "photoshoot fix " + page.key + " ";

class Draft {
  constructor(item, regions) {
    this.item = item;
    this.of = JSON.stringify(item.regions);  // what the picture had then
    this.size = item.size;
    this.edit = editSize(item.size);
    this.history = new FixHistory(regions);
    this.chosen = regions.length ? regions[0].key : null;
    this.shown = new Map(regions.map(({ key, mask }) => [key, mask]));  // what was last known of each region's outline
    this.asking = new Map();  // what ends each question to which there is no answer yet, by its region
    this.wondering = new Map();  // the same of questions what else a step may mean
    this.problem = "";        // why it could not be saved, or asked for; `retry` does it again
    this.retry = null;
    this.saving = false;
    this.note = "";
    this.saved = "";          // that it was saved, and when, until something is done
  }
  get region() { return this.history.now.find(region => region.key === this.chosen) || null; }
  get changed() { return changedRegions(this.history).length > 0; }
  /** The runs to show of a region: while an answer is on its way, those before. */
  maskOf(region) {
    if (region.mask) this.shown.set(region.key, region.mask);
    return region.mask || (isPrompted(region) && this.shown.get(region.key)) || null;
  }
}

/** The draft of a picture: one that is there, or a new one, with what this browser kept of an earlier one. */
async function draftOf(item) {
  const there = drafts.get(item.id), stale = there && !there.saving && isStale(there);
  if (!there || stale) {
    const masks = await keptMasks(item), kept = stale ? changedRegions(there.history) : recalled(item);
    if (drafts.get(item.id) !== there) return drafts.get(item.id);
    const draft = new Draft(item, (item.regions || []).map((region, index) => keptRegion(index, region.product, masks[index])));
    if (kept.length) {
      draft.history.push(restored(draft.history.now, kept));
      draft.note = stale ? "The outlines were changed elsewhere meanwhile; your changes are laid over them."
        : "What you changed here and did not save is back.";
    }
    drafts.set(item.id, draft);
  }
  return drafts.get(item.id);
}
/** Whether somebody else has corrected the picture since. */
const isStale = draft => draft.of !== JSON.stringify(draft.item.regions);
function forgetDraft(draft) {
  drafts.delete(draft.item.id);
  try { localStorage.removeItem(draftPlace + draft.item.id); } catch { /* there was none */ }
}

/** Written down at each step, so that a browser that ends loses nothing. */
function keepDraft(draft) {
  try {
    const changed = changedRegions(draft.history), key = draftPlace + draft.item.id;
    if (changed.length) localStorage.setItem(key, JSON.stringify(changed, (name, value) => name === "answers" ? null : value));
    else localStorage.removeItem(key);
  } catch { /* private windows have none, and there is an end to the room; the page asks before it is left */ }
}
function recalled(item) {
  try {
    const changes = JSON.parse(localStorage.getItem(draftPlace + item.id));
    return Array.isArray(changes) ? changes : [];
  } catch { return []; }
}
/** The pictures with changes that were never saved. */
function unsavedItems() {
  const found = new Set([...drafts.values()].filter(draft => draft.changed).map(draft => draft.item));
  try {
    for (const key of Object.keys(localStorage)) {
      const item = key.startsWith(draftPlace) && byId.get(Number(key.slice(draftPlace.length)));
      if (item && canFix(item) && !drafts.has(item.id)) found.add(item);
    }
  } catch { /* as above */ }
  return [...found];
}
addEventListener("beforeunload", event => { if ([...drafts.values()].some(draft => draft.changed)) event.preventDefault(); });

const isLacking = region => !region.mask && !region.removed && isPrompted(region);
/** Ask for the outlines that are not known, and no more for those that are nothing any more. */
async function settle(draft) {
  const now = draft.history.now;
  for (const questions of [draft.asking, draft.wondering])
    for (const [region, end] of questions) if (!now.includes(region)) { end.abort(); questions.delete(region); }
  const lacking = now.filter(isLacking);
  const answers = await Promise.allSettled(lacking.map(region => draft.asking.get(region)?.answer || askFor(draft, region)));
  const failed = answers.find(answer => answer.reason);
  if (failed) throw failed.reason;
}
const askFor = (draft, region) => asked(draft.asking, region, async signal => {
  const answers = await answersTo(draft, region, "likely", signal);
  Object.assign(region, { answers, mask: answers.masks[answers.chosen] });
  draft.shown.set(region.key, region.mask);
});
/** Ask what else the last steps may mean, where that is not known; whether anything came of it. */
async function wonder(draft) {
  const open = draft.history.now.filter(({ answers, removed }) => answers && answers.more && !removed);
  const fresh = open.filter(region => !draft.wondering.has(region));
  await Promise.all(fresh.map(region => asked(draft.wondering, region, async signal => {
    const answers = await answersTo(draft, region, "others", signal);
    region.answers = answersAround(region, answers);
  })));
  return fresh.length > 0;
}
/** Ask about a region in a way that can be ended; `questions` holds it meanwhile. */
function asked(questions, region, ask) {
  const end = new AbortController();
  end.answer = (async () => {
    try {
      await ask(end.signal);
    } catch (error) {
      if (!end.signal.aborted) throw error;
    } finally { if (questions.get(region) === end) questions.delete(region); }
  })();
  questions.set(region, end);
  return end.answer;
}

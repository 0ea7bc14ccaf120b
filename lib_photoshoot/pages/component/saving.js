// Decisions that outlive the page: those of a page that is a file, and those that a review could not write.

// Each with what the ledger said then: what was decided elsewhere since stands above it.
const place = "photoshoot " + page.key;
const unsaved = () => items.filter(item => !sameHand(handOf(item), item.kept));
const plain = item => wanted(item, handOf(item));
let recalled = [], saved = "";
function keep() {
  const values = unsaved().map(item => ({ ...plain(item), before: item.kept }));
  const all = [...values, ...recalled.map(([, value]) => value)];  // of pictures that are still on their way
  try {
    if (all.length) localStorage.setItem(place, JSON.stringify(all));
    else localStorage.removeItem(place);
  } catch { /* private windows have none; the bar below still saves */ }
  showUnsaved(values.length);
}
function recall() {
  let values = [];
  try { values = JSON.parse(localStorage.getItem(served ? unsentPlace : place)) || []; } catch { values = []; }
  if (Array.isArray(values)) recalled = values.map(value => {
    const { decision, reason, note, before, ...reference } = value || {};
    return [JSON.stringify(reference), value || {}];
  });
  takeRecalled(0);
}
/** What was kept about the pictures from this one on. */
function takeRecalled(from) {
  if (!recalled.length) return;
  const found = new Map(items.slice(from).map(item => [JSON.stringify(item.reference), item]));
  const left = [];
  for (const [reference, value] of recalled) {
    const item = found.get(reference), { decision, reason, note, before } = value;
    if (!item) { left.push([reference, value]); continue; }
    if (!["accepted", "rejected", null].includes(decision)) continue;
    const hand = { decision, reason: typeof reason === "string" ? reason : "", note: typeof note === "string" ? note : "" };
    if (served) { if (!sameHand(hand, item.kept)) { setHand(item, hand); failed.set(item, hand); } }
    // Older pages kept the decision alone.
    else if (sameHand(item.kept, before && before.decision !== undefined ? before : { ...NOBODY, decision: before })) setHand(item, hand);
  }
  recalled = left;
  if (served) { showFailed("It had not been written when the page was closed."); remember(); } else keep();
}
function showUnsaved(number) {
  const done = saved && saved === JSON.stringify(unsaved().map(plain));
  $("#unsaved").hidden = !number;
  $("#unsaved").classList.toggle("saved", Boolean(done));
  $("#unsaved p").textContent = done ? `${one(number, "decision")} saved to decisions.json, not yet written into the folder`
    : number === 1 ? "1 decision is only in this page" : `${number} decisions are only in this page`;
  $("#unsaved button").textContent = done ? "Save again" : "Save decisions";
}
function folder() {
  if (location.protocol !== "file:") return "FOLDER";
  const path = decodeURIComponent(location.pathname).replace(/\/[^/]*$/, "").replace(/^\/([A-Za-z]:)/, "$1");
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
$("#unsaved code").textContent = page.apply.replace("FOLDER", folder);
$("#unsaved small").hidden = !page.apply;
$("#unsaved button").addEventListener("click", () => {
  const values = unsaved().map(plain), link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(values, null, 1)], { type: "application/json" }));
  link.download = "decisions.json";
  link.click();
  saved = JSON.stringify(values);
  showUnsaved(values.length);
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});

// Decisions by hand.

const history = [], queue = [];
let sending = false;

function setHand(item, hand) {
  const before = item.decision;
  item.by_hand = hand;
  item.decision = hand || item.filter;
  if (item.decision === before) return;
  const more = item.decision === "accepted" ? 1 : -1;
  for (const product of item.products.map(name => products.get(name))) {
    product.accepted += more;
    product.rejected -= more;
    label(product);
  }
}

function decide(item, hand, goOn = false, undo = false) {
  if (!item || !item.reference) return;
  if (item.by_hand !== hand) {
    if (!undo) history.push([item, item.by_hand]);
    setHand(item, hand);
    if (served) { queue.push({ item, hand }); send(); } else keep();
  }
  tell(`${named(item)}: ${decided(item)}`);
  const index = item.at, focused = grid.contains(document.activeElement);
  const target = goOn ? list[stepFrom(item, 1)] : null;
  refresh();
  if (viewer.open) {
    if (target) { panes[active] = target; fill(); } else fillInfo();
  } else if (target && target.at >= 0) goTo(target, focused);
  else if (index >= 0 && item.at < 0) goTo(current, focused);
}
function undo() {
  const last = history.pop();
  if (!last) return tell("Nothing is left to take back");
  decide(last[0], last[1], false, true);
  if (viewer.open) { if (!panes.includes(last[0])) { panes[active] = last[0]; fill(); } } else goTo(last[0]);
}
function refresh() {
  totals();  // first: its words decide where the grid begins
  refilter();
}

/** One after the other, so that the ledger has them in the order of the keys. */
async function send() {
  if (sending) return;
  sending = true;
  while (queue.length) {
    const { item, hand } = queue[0];
    const body = JSON.stringify({ decisions: [{ ...item.reference, decision: hand }] });
    let answer = null, problem = "";
    try {
      const response = await fetch(page.decide, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      try { answer = await response.json(); } catch { answer = null; }
      if (!response.ok || !answer || !Array.isArray(answer.shots))
        problem = (answer && answer.error) || `The decision was not kept (answer ${response.status}); load the page again and decide again.`;
    } catch {
      problem = "The decision was not kept, since the review does not answer any more; start it again, and open its new address.";
    }
    queue.shift();
    const again = other => queue.some(job => job.item === other);
    if (problem) {
      if (!again(item)) setHand(item, item.kept);
      warn(`${named(item)}: ${problem}`);
    } else {
      for (const news of answer.shots) {
        const known = byId.get(news.id);
        if (!known) continue;
        known.kept = news.by_hand;
        for (const name of ["file", "thumbnail", "why"]) if (name in news) known[name] = news[name];
        if (!again(known)) setHand(known, news.by_hand);
      }
      if (!queue.length) for (const news of answer.products || []) {
        const product = products.get(news.name);
        if (product && ["wanted", "accepted", "rejected"].some(name => product[name] !== news[name])) {
          Object.assign(product, news);
          label(product);
        }
      }
    }
    refresh();
    if (viewer.open) fillInfo();
  }
  sending = false;
}
addEventListener("beforeunload", event => { if (queue.length) event.preventDefault(); });

// A page that is a file keeps decisions itself, each with what the ledger said then: what was decided elsewhere since
// stands above it.
const place = "photoshoot " + page.key;
const unsaved = () => items.filter(item => item.by_hand !== item.kept);
const plain = item => ({ ...item.reference, decision: item.by_hand });
function keep() {
  const values = unsaved();
  try {
    if (values.length) localStorage.setItem(place, JSON.stringify(values.map(item => ({ ...plain(item), before: item.kept }))));
    else localStorage.removeItem(place);
  } catch { /* private windows have none; the bar below still saves */ }
  showUnsaved(values.length);
}
function recall() {
  let values = [];
  try { values = JSON.parse(localStorage.getItem(place)) || []; } catch { values = []; }
  const found = new Map(items.map(item => [JSON.stringify(item.reference), item]));
  for (const value of Array.isArray(values) ? values : []) {
    const { decision, before, ...reference } = value || {}, item = found.get(JSON.stringify(reference));
    if (item && item.kept === before && ["accepted", "rejected", null].includes(decision)) setHand(item, decision);
  }
  keep();
}
function showUnsaved(number) {
  $("#unsaved").hidden = !number;
  $("#unsaved p").textContent = number === 1 ? "1 decision is only in this page" : `${number} decisions are only in this page`;
}
function folder() {
  if (location.protocol !== "file:") return "FOLDER";
  const path = decodeURIComponent(location.pathname).replace(/\/[^/]*$/, "").replace(/^\/([A-Za-z]:)/, "$1");
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
$("#unsaved code").textContent = page.apply.replace("FOLDER", folder);
$("#unsaved small").hidden = !page.apply;
$("#unsaved button").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(unsaved().map(plain), null, 1)], { type: "application/json" }));
  link.download = "decisions.json";
  link.click();
  $("#unsaved").classList.add("saved");
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});

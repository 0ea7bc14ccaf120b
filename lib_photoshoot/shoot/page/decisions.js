// Decisions by hand.

const history = [], queue = [];
let sending = false;

function setHand(shot, hand) {
  const before = shot.decision, product = products.get(shot.product);
  shot.by_hand = hand;
  shot.decision = hand || shot.filter;
  if (shot.decision === before) return;
  const more = shot.decision === "accepted" ? 1 : -1;
  product.accepted += more;
  product.rejected -= more;
  label(product);
}

function decide(shot, hand, goOn = false, undo = false) {
  if (!shot) return;
  if (shot.by_hand !== hand) {
    if (!undo) history.push([shot, shot.by_hand]);
    setHand(shot, hand);
    if (served) { queue.push({ shot, hand }); send(); } else keep();
  }
  tell(`${named(shot)}: ${decided(shot)}`);
  const index = shot.at, focused = grid.contains(document.activeElement);
  const target = goOn ? list[stepFrom(shot, 1)] : null;
  refresh();
  if (viewer.open) {
    if (target) { panes[active] = target; fill(); } else fillInfo();
  } else if (target && target.at >= 0) goTo(target, focused);
  else if (index >= 0 && shot.at < 0) goTo(current, focused);
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
    const { shot, hand } = queue[0];
    const body = JSON.stringify({ decisions: [{ product: shot.product, number: shot.number, decision: hand }] });
    let answer = null, problem = "";
    try {
      const response = await fetch(shoot.decide, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      try { answer = await response.json(); } catch { answer = null; }
      if (!response.ok || !answer || !Array.isArray(answer.shots))
        problem = (answer && answer.error) || `The decision was not kept (answer ${response.status}); load the page again and decide again.`;
    } catch {
      problem = "The decision was not kept, since the review does not answer any more; start it again, and open its new address.";
    }
    queue.shift();
    const again = other => queue.some(job => job.shot === other);
    if (problem) {
      if (!again(shot)) setHand(shot, shot.kept);
      warn(`${named(shot)}: ${problem}`);
    } else {
      for (const news of answer.shots) {
        const known = byId.get(news.id);
        if (!known) continue;
        known.kept = news.by_hand;
        Object.assign(known, { file: news.file, thumbnail: news.thumbnail, why: news.why });
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

// A page that is a file keeps decisions itself, each with what the shoot said then: what was decided elsewhere since
// stands above it.
const place = "photoshoot " + shoot.key;
const unsaved = () => shots.filter(shot => shot.by_hand !== shot.kept);
const plain = shot => ({ product: shot.product, number: shot.number, decision: shot.by_hand });
function keep() {
  const values = unsaved();
  try {
    if (values.length) localStorage.setItem(place, JSON.stringify(values.map(shot => ({ ...plain(shot), before: shot.kept }))));
    else localStorage.removeItem(place);
  } catch { /* private windows have none; the bar below still saves */ }
  showUnsaved(values.length);
}
function recall() {
  let values = [];
  try { values = JSON.parse(localStorage.getItem(place)) || []; } catch { values = []; }
  const found = new Map(shots.map(shot => [JSON.stringify([shot.product, shot.number]), shot]));
  for (const value of Array.isArray(values) ? values : []) {
    const shot = found.get(JSON.stringify([value.product, value.number]));
    if (shot && shot.kept === value.before && ["accepted", "rejected", null].includes(value.decision)) setHand(shot, value.decision);
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
$("#unsaved code").textContent = `python3 photoshoot.py review ${folder()} --apply decisions.json`;
$("#unsaved button").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(unsaved().map(plain), null, 1)], { type: "application/json" }));
  link.download = "decisions.json";
  link.click();
  $("#unsaved").classList.add("saved");
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});

// Decisions by hand: what a key does, and how a served page sends it.

const history = [], queue = [], failed = new Map();
let sending = false;
const waits = item => failed.has(item) || queue.some(job => job.item === item);

function setHand(item, hand) {
  const before = item.decision;
  item.by_hand = hand.decision;
  item.reason = hand.reason;
  item.note = hand.note;
  item.decision = hand.decision || item.filter || item.decision;
  if (item.decision === before || !item.reference) return;
  const more = item.decision === "accepted" ? 1 : -1;
  for (const product of item.products.map(name => products.get(name)).filter(Boolean)) {
    product.accepted += more;
    product.rejected -= more;
    label(product);
  }
}

function decide(item, decision, goOn = false) {
  if (!item) return;
  if (!item.reference) return warn(`${named(item)} ${item.decision === "unreadable" ? "cannot be read, so there is" : "has"} nothing to decide.`);
  const reason = decision === item.by_hand ? item.reason || "" : "";
  hold(item, decision ? { decision, reason, note: item.note || "" } : NOBODY, goOn);
  askWhy(decision === "rejected" ? item : null);
}
function hold(item, hand, goOn = false, undo = false) {
  if (!sameHand(handOf(item), hand)) {
    if (!undo) history.push([item, handOf(item)]);
    setHand(item, hand);
    if (served) { queue.push({ item, hand }); remember(); send(); } else keep();
  }
  tell(`${named(item)}: ${[decided(item), whyByHand(item)].filter(Boolean).join(", ")}`);
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
  hold(last[0], last[1], false, true);
  if (viewer.open) { if (!panes.includes(last[0])) { panes[active] = last[0]; fill(); } } else goTo(last[0]);
}
function refresh() {
  totals();  // first: its words decide where the grid begins
  refilter();
}

const ENDED = "The review does not answer any more; start it again, and open the address that it prints.";
/** One after the other, so that the ledger has them in the order of the keys. */
async function send() {
  if (sending) return;
  sending = true;
  while (queue.length) {
    const { item, hand } = queue[0];
    const body = JSON.stringify({ decisions: [wanted(item, hand)] });
    let answer = null, problem = "";
    try {
      const response = await fetch(page.decide, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      try { answer = await response.json(); } catch { answer = null; }
      if (!response.ok || !answer || !Array.isArray(answer.shots))
        problem = (answer && answer.error) || `The review answered ${response.status}; load the page again.`;
    } catch { problem = ENDED; }
    queue.shift();
    const again = other => queue.some(job => job.item === other);
    if (problem) {
      if (!again(item)) failed.set(item, hand);
      showFailed(problem);
    } else {
      failed.delete(item);
      for (const news of answer.shots) if (byId.has(news.id)) renew(byId.get(news.id), news);
      if (!queue.length) takeProducts(answer.products || []);
      if (!failed.size) showFailed("");
    }
    remember();
    refresh();
    if (viewer.open) fillInfo();
  }
  sending = false;
}
const wanted = (item, hand) => ({ ...item.reference, decision: hand.decision,
  ...(hand.reason ? { reason: hand.reason } : {}), ...(hand.note ? { note: hand.note } : {}) });
function takeProducts(all) {
  for (const news of all) {
    const product = products.get(news.name);
    if (product && ["wanted", "accepted", "rejected"].some(name => product[name] !== news[name])) {
      Object.assign(product, news);
      label(product);
    }
  }
}
addEventListener("beforeunload", event => { if (queue.length) event.preventDefault(); });

// What could not be written stays in the page, and beyond it, until it is tried again or given up.
const unsentPlace = "photoshoot unsent " + page.key;
function remember() {
  const last = new Map([...failed, ...queue.map(({ item, hand }) => [item, hand])]);
  try {
    if (last.size) localStorage.setItem(unsentPlace, JSON.stringify([...last].map(([item, hand]) => wanted(item, hand))));
    else localStorage.removeItem(unsentPlace);
  } catch { /* private windows have none */ }
}
function showFailed(problem) {
  for (const bar of $$(".unkept")) {
    bar.hidden = !failed.size;
    const number = failed.size === 1 ? `A decision about ${named([...failed.keys()][0])} is not kept yet` : `${failed.size} decisions are not kept yet`;
    $("p", bar).textContent = `${number}. ${problem}`;
  }
}
for (const bar of $$(".unkept")) {
  $(".again", bar).addEventListener("click", () => {
    for (const [item, hand] of failed) queue.push({ item, hand });
    send();
  });
  $(".give-up", bar).addEventListener("click", () => {
    const given = [...failed.keys()];
    failed.clear();
    for (const item of given) if (!waits(item)) setHand(item, item.kept);
    showFailed("");
    remember();
    refresh();
    if (viewer.open) fillInfo();
  });
}

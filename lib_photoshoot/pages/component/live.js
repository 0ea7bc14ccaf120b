// A served page asks what is new: pictures of a run that goes on, and decisions taken elsewhere.

const EVERY_MS = 1000, WHEN_SILENT_MS = 5000;
let next = page.changes, silent = 0;

async function ask() {
  let answer = null;
  if (!document.hidden) try {
    const response = await fetch(next);
    if (response.ok) answer = await response.json();
    silent = response.ok ? 0 : silent + 1;
  } catch { silent++; }
  if (silent === 2) warn(ENDED);
  if (answer) {
    if (next !== answer.changes && silent === 0) take(answer);
    next = answer.changes;
  }
  // Very many changes come one part after the other.
  if (next) setTimeout(ask, silent ? WHEN_SILENT_MS : answer && answer.items.length > 100 ? 20 : EVERY_MS);
}
/** A change after which the picture at hand, or else the first in sight, stands where it stood. */
function anchored(change) {
  const bar = $("#tools").offsetHeight, box = item => cards.has(item) ? cards.get(item).getBoundingClientRect() : null;
  const inSight = item => { const at = item && box(item); return Boolean(at) && at.bottom > bar && at.top < innerHeight; };
  const seen = inSight(current) ? current : list.find(inSight);
  const before = seen && box(seen).top, scrolled = scrollY > top - bar;
  change();
  if (!scrolled || !seen || seen.at < 0) return;
  const now = top + Math.floor(seen.at / columns) * (height + GAP) - scrollY;
  if (now !== before) { scrollBy(0, now - before); paint(); }
}
function take(answer) {
  const first = items.length;
  anchored(() => {
    for (const item of answer.items) if (byId.has(item.id)) renew(byId.get(item.id), item); else adopt(item);
    for (const id of answer.gone) forget(byId.get(id));
    if (answer.page) takePage(answer.page);
    takeRecalled(first);
    showControls();
    rank();
    refresh();
  });
  if (items.length > first) tell(`${one(items.length - first, "picture")} more`);
  if (viewer.open) fill();
}
function forget(item) {
  if (!item) return;
  byId.delete(item.id);
  items.splice(items.indexOf(item), 1);
  items.forEach((other, index) => { other.index = index; });
  for (const name of item.products) count(name, -1);
  item.at = -1;
  item.reference = null;
  chosen = chosen.filter(other => other !== item);
}
function takePage(news) {
  const { products: groups, ...others } = news;
  Object.assign(page, others);
  if (news.title) document.title = news.title;
  for (const group of groups || []) if (!products.has(group.name)) addProduct(group);
  takeProducts((groups || []).filter(group => group.wanted !== undefined));
  for (const product of products.values()) label(product);
  if (news.shows) showShows();
}

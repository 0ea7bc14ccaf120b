// The grid: only what is in sight is in the page.

const cards = new Map();
let columns = 1, width = 200, height = 300, top = 0, asked = false;

/** So that every card is made anew: what is in it has changed altogether. */
function emptyGrid() {
  for (const card of cards.values()) card.remove();
  cards.clear();
}

/** So that a picture's card is made anew when it is painted next; the focus stays in it. */
let refocus = null;
function stale(item) {
  const card = cards.get(item);
  if (!card) return;
  if (card.contains(document.activeElement)) refocus = item;
  card.remove();
  cards.delete(item);
}

function measure() {
  const whole = grid.clientWidth, least = whole < 560 ? 148 : 214;
  columns = Math.max(1, Math.floor((whole + GAP) / (least + GAP)));
  // Pictures that belong in a row stand in one, where the window has room.
  if (page.columns && page.columns <= Math.floor((whole + GAP) / (148 + GAP))) columns = Math.max(page.columns, 2);
  width = Math.floor((whole - GAP * (columns - 1)) / columns);
  height = Math.min(width, page.columns ? 420 : 300) + TEXT;
  grid.style.height = Math.max(0, Math.ceil(list.length / columns) * (height + GAP) - GAP) + "px";
  top = grid.getBoundingClientRect().top + scrollY;
  paint();
}

function paint() {
  asked = false;
  const row = height + GAP, from = scrollY - top;
  const first = Math.max(0, Math.floor(from / row) - 1) * columns;
  const end = Math.min(list.length, (Math.ceil((from + innerHeight) / row) + 1) * columns);
  const wanted = new Set(list.slice(first, end));
  if (current) wanted.add(current);  // it may have the focus
  for (const [item, card] of cards) if (!wanted.has(item)) { card.remove(); cards.delete(item); }
  let before = null;
  for (const item of [...wanted].sort((a, b) => a.at - b.at)) {
    let card = cards.get(item);
    if (!card) {
      card = newCard(item);
      cards.set(item, card);
      grid.insertBefore(card, before ? before.nextSibling : grid.firstChild);
    }
    before = card;
    update(card, item);
    const style = card.style;
    style.width = width + "px";
    style.height = height + "px";
    style.transform = `translate(${(item.at % columns) * (width + GAP)}px, ${Math.floor(item.at / columns) * row}px)`;
    card.setAttribute("aria-posinset", item.at + 1);
    card.setAttribute("aria-setsize", list.length);
  }
  const back = refocus && cards.get(refocus);
  refocus = null;
  if (back) $(".open", back).focus({ preventScroll: true });
}
function askPaint() {
  if (!asked) { asked = true; requestAnimationFrame(paint); }
}

function newCard(item) {
  const card = $("#card-template").content.firstElementChild.cloneNode(true);
  card.dataset.id = item.id;
  $(".product", card).textContent = item.name;
  $(".product", card).title = item.name;
  $(".seed", card).textContent = item.detail;
  $(".seed", card).title = item.detail_label || item.detail;
  $(".score", card).textContent = item.scores.length > 1 || page.heading ? scores(item) : score(item);
  $(".score", card).title = scores(item, 3);
  $(".acts .accept", card).hidden = $(".acts .reject", card).hidden = !item.reference;
  $(".mark", card).hidden = !item.thumbnail && !item.file;
  return card;
}

const scores = (item, digits = 2) =>
  item.scores.map(([product, value], at) => `${product} ${drawnByHand(item, at) ? "by hand" : value.toFixed(digits)}`).join(", ");

function update(card, item) {
  const link = $(".open", card), here = item === current;
  card.className = `card ${item.decision || ""}${here ? " current" : ""}${chosen.includes(item) ? " chosen" : ""}${item.check ? " doubtful" : ""}`;
  const what = decided(item);
  $(".decision", card).textContent = what;
  $(".decision", card).title = what;
  const told = [whyByHand(item), item.why].filter(Boolean).join(" · ");
  if (item.aside !== undefined) $(".score", card).textContent = item.aside;
  $(".why", card).textContent = told;
  $(".why", card).title = told;
  const view = indexOfView(item, shownView), file = viewsOf(item)[view].file || viewsOf(item).map(one => one.file).find(Boolean);
  if (file) link.href = addressOf(item, file); else link.setAttribute("role", "button");
  link.setAttribute("aria-label", `${named(item)}: ${what}${item.best < 0 ? "" : ", score " + score(item)}. ${told}`);
  for (const node of [link, ...$$("button", card)]) node.tabIndex = here ? 0 : -1;
  press(card, item);
  $(".mark", card).setAttribute("aria-pressed", chosen.includes(item));
  $(".mark", card).setAttribute("aria-label", `Compare ${named(item)}`);
  const image = $("img", link);
  if (!image.hasAttribute("src")) {
    const source = thumbnail(item, view);
    if (source) image.src = source;
    $(".gone", link).hidden = source !== "";
    if (!pictured(item)) $(".gone", link).textContent = what;
    image.hidden = !source;
  }
}
function press(root, item) {
  for (const name of ["accept", "reject"]) {
    const button = $("." + name, root);
    button.setAttribute("aria-pressed", item.decision === name + "ed");
    button.setAttribute("aria-label", `${titled(name)} ${named(item)}`);
  }
}

function goTo(item, focus = true) {
  if (!item || item.at < 0) return;
  current = item;
  const bar = $("#tools").offsetHeight, y = top + Math.floor(item.at / columns) * (height + GAP);
  const below = y + height + GAP + $("#bars").offsetHeight - innerHeight;
  if (y - bar - 12 < scrollY) scrollTo(0, y - bar - 12);
  else if (below > scrollY) scrollTo(0, Math.min(below, y - bar - 12));
  paint();
  if (focus) $(".open", cards.get(item)).focus({ preventScroll: true });
}

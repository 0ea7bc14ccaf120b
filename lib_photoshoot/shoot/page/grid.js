// The grid: only what is in sight is in the page.

const cards = new Map();
let columns = 1, width = 200, height = 300, top = 0, asked = false;

function measure() {
  const whole = grid.clientWidth, least = whole < 560 ? 148 : 214;
  columns = Math.max(1, Math.floor((whole + GAP) / (least + GAP)));
  width = Math.floor((whole - GAP * (columns - 1)) / columns);
  height = Math.min(width, 300) + TEXT;
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
  for (const [shot, card] of cards) if (!wanted.has(shot)) { card.remove(); cards.delete(shot); }
  let before = null;
  for (const shot of [...wanted].sort((a, b) => a.at - b.at)) {
    let card = cards.get(shot);
    if (!card) {
      card = newCard(shot);
      cards.set(shot, card);
      grid.insertBefore(card, before ? before.nextSibling : grid.firstChild);
    }
    before = card;
    update(card, shot);
    const style = card.style;
    style.width = width + "px";
    style.height = height + "px";
    style.transform = `translate(${(shot.at % columns) * (width + GAP)}px, ${Math.floor(shot.at / columns) * row}px)`;
    card.setAttribute("aria-posinset", shot.at + 1);
    card.setAttribute("aria-setsize", list.length);
  }
}
function askPaint() {
  if (!asked) { asked = true; requestAnimationFrame(paint); }
}

function newCard(shot) {
  const card = $("#card-template").content.firstElementChild.cloneNode(true);
  card.dataset.id = shot.id;
  $(".product", card).textContent = shot.product;
  $(".product", card).title = shot.product;
  $(".seed", card).textContent = shot.seed;
  $(".seed", card).title = "seed " + shot.seed;
  $(".score", card).textContent = score(shot);
  $(".score", card).title = shot.scores.map(pair => `${pair[0]} ${pair[1].toFixed(3)}`).join(", ");
  return card;
}

function update(card, shot) {
  const link = $(".open", card), here = shot === current;
  card.className = `card ${shot.decision}${here ? " current" : ""}${chosen.includes(shot) ? " chosen" : ""}`;
  const what = decided(shot);
  $(".decision", card).textContent = what;
  $(".why", card).textContent = shot.why;
  $(".why", card).title = shot.why;
  link.href = address(shot.file);
  link.setAttribute("aria-label", `${named(shot)}: ${what}${shot.best < 0 ? "" : ", score " + score(shot)}. ${shot.why}`);
  for (const node of [link, ...$$("button", card)]) node.tabIndex = here ? 0 : -1;
  press(card, shot);
  $(".mark", card).setAttribute("aria-pressed", chosen.includes(shot));
  $(".mark", card).setAttribute("aria-label", `Compare ${named(shot)}`);
  const image = $("img", link);
  if (!image.hasAttribute("src")) {
    const source = thumbnail(shot);
    if (source) image.src = source;
    $(".gone", link).hidden = source !== "";
    image.hidden = !source;
  }
}
function press(root, shot) {
  for (const name of ["accept", "reject"]) {
    const button = $("." + name, root);
    button.setAttribute("aria-pressed", shot.decision === name + "ed");
    button.setAttribute("aria-label", `${titled(name)} ${named(shot)}`);
  }
}

function goTo(shot, focus = true) {
  if (!shot || shot.at < 0) return;
  current = shot;
  const bar = $("#tools").offsetHeight, y = top + Math.floor(shot.at / columns) * (height + GAP);
  const below = y + height + GAP + $("#bars").offsetHeight - innerHeight;
  if (y - bar - 12 < scrollY) scrollTo(0, y - bar - 12);
  else if (below > scrollY) scrollTo(0, Math.min(below, y - bar - 12));
  paint();
  if (focus) $(".open", cards.get(shot)).focus({ preventScroll: true });
}

// Filters and order.

let show = "all", ordered = shots, list = [], current = null;
const SHOWS = {
  all: () => true,
  accepted: shot => shot.decision === "accepted",
  rejected: shot => shot.decision === "rejected",
  hand: shot => shot.by_hand !== null,
  differ: shot => shot.by_hand !== null && shot.by_hand !== shot.filter,
};
const grid = $("#grid"), viewer = $("#viewer"), select = $("#product");

function sort() {
  ordered = $("#order").value === "score" ? [...shots].sort((a, b) => b.best - a.best || a.index - b.index) : shots;
  ordered.forEach((shot, rank) => { shot.rank = rank; });
  for (const card of cards.values()) card.remove();
  cards.clear();
}

/** Make the list anew after a change; the place in it stays, whether the picture there is still in it or not. */
function refilter() {
  const before = current && current.at >= 0 ? current.at : 0;
  const matches = SHOWS[show], only = select.value === "" ? null : select.options[select.selectedIndex].product;
  const sums = { all: 0, accepted: 0, rejected: 0, hand: 0, differ: 0 };
  list = [];
  for (const shot of ordered) {
    shot.at = -1;
    if (only !== null && shot.product !== only) continue;
    for (const name in sums) if (SHOWS[name](shot)) sums[name]++;
    if (matches(shot)) { shot.at = list.length; list.push(shot); }
  }
  if (!current || current.at < 0) current = list[Math.min(before, list.length - 1)] || null;
  for (const button of $$("nav [data-show]")) {
    button.setAttribute("aria-pressed", button.dataset.show === show);
    $("span", button).textContent = sums[button.dataset.show];
  }
  $("#none").hidden = list.length > 0;
  $("#none p").textContent = shots.length ? "No picture is like that." : "This shoot has no pictures yet.";
  $("#none button").hidden = !shots.length;
  measure();
}

/** The index in the list that a step from this picture leads to; the picture itself need not be in it. */
function stepFrom(shot, step) {
  if (shot.at >= 0) return shot.at + step;
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].rank < shot.rank) low = middle + 1; else high = middle;
  }
  return step > 0 ? low + step - 1 : low + step;
}

function totals() {
  let accepted = 0, wanted = 0, lacking = 0;
  for (const product of products.values()) {
    accepted += product.accepted;
    wanted += product.wanted;
    if (product.accepted < product.wanted) lacking++;
  }
  const byHand = shots.reduce((sum, shot) => sum + (shot.by_hand !== null), 0);
  const one = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  $("#heading").textContent = `${accepted} accepted, ${wanted} wanted`;
  const parts = [`${one(shots.length, "picture")} of ${one(products.size, "product")}`];
  if (byHand) parts.push(`${byHand} decided by hand`);
  if (products.size) parts.push(lacking ? `${one(lacking, "product")} still short` : "every product complete");
  $("#lead").textContent = parts.join("  ·  ");
}
function label(product) {
  const mark = product.accepted >= product.wanted ? "✓" : "○";
  product.option.textContent = `${mark} ${product.name}: ${product.accepted} of ${product.wanted}`;
}

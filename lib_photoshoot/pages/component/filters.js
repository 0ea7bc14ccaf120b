// Filters and order.

let show = "all", ordered = items, list = [], current = null, shownView = page.views.length ? page.views[0].name : "";
const marked = (item, name) => (item.marks || []).includes(name);
const SHOWS = {
  all: () => true,
  accepted: item => item.decision === "accepted",
  rejected: item => item.decision === "rejected",
  match: item => item.filter === "accepted",
  skip: item => item.filter === "rejected",
  check: item => Boolean(item.check),
  unreadable: item => item.decision === "unreadable",
  findings: item => marked(item, "findings"),
  duplicates: item => marked(item, "duplicates"),
  edited: item => marked(item, "edited"),
  fine: item => marked(item, "fine"),
  misses: item => marked(item, "misses"),
  hand: item => item.by_hand !== null || marked(item, "hand"),
  drift: item => Boolean(item.apart),
  differ: item => item.by_hand !== null && item.by_hand !== item.filter,
};
const grid = $("#grid"), viewer = $("#viewer"), select = $("#product"), search = $("#named");
/** Whether a picture is called so, or its product, as it is shown: a part of the name is enough. */
const isCalled = (item, text) => [item.label, item.name, item.detail_label, item.detail].some(name => name && String(name).toLowerCase().includes(text));

function rank() {
  const by = { score: "best", doubt: "doubt", apart: "apart" }[$("#order").value];
  ordered = by ? [...items].sort((a, b) => (b[by] || 0) - (a[by] || 0) || a.index - b.index) : items;
  ordered.forEach((item, place) => { item.rank = place; });
}
function sort() {
  rank();
  emptyGrid();
}

/** Make the list anew after a change; the place in it stays, whether the picture there is still in it or not. */
function refilter() {
  const before = current && current.at >= 0 ? current.at : 0;
  const matches = SHOWS[show], text = search.value.trim().toLowerCase(), only = select.value === "" ? null : select.options[select.selectedIndex].product;
  const shows = page.shows.map(({ name }) => [name, SHOWS[name]]), sums = {};
  for (const [name] of shows) sums[name] = 0;
  list = [];
  for (const item of ordered) {
    item.at = -1;
    if (only !== null && !item.products.includes(only)) continue;
    if (text && !isCalled(item, text)) continue;
    for (const [name, shown] of shows) if (shown(item)) sums[name]++;
    if (matches(item)) { item.at = list.length; list.push(item); }
  }
  if (!current || current.at < 0) current = list[Math.min(before, list.length - 1)] || null;
  for (const button of $$("nav [data-show]")) {
    button.setAttribute("aria-pressed", button.dataset.show === show);
    $("span", button).textContent = sums[button.dataset.show];
  }
  $("#none").hidden = list.length > 0;
  $("#none p").textContent = items.length ? "No picture is like that." : page.empty;
  $("#none button").hidden = !items.length;
  measure();
}

/** The index in the list that a step from this picture leads to; the picture itself need not be in it. */
function stepFrom(item, step) {
  if (item.at >= 0) return item.at + step;
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].rank < item.rank) low = middle + 1; else high = middle;
  }
  return step > 0 ? low + step - 1 : low + step;
}

/** The heading and the line below it: what the data say, or else how much of what is wanted is there. */
function totals() {
  const byHand = items.reduce((sum, item) => sum + (item.by_hand !== null), 0);
  const parts = page.lead ? [page.lead] : [];
  let heading = page.heading;
  if (!heading) {
    let accepted = 0, wanted = 0, lacking = 0;
    for (const product of products.values()) {
      accepted += product.accepted;
      wanted += product.wanted;
      if (product.accepted < product.wanted) lacking++;
    }
    heading = `${accepted} accepted, ${wanted} wanted`;
    parts.push(`${one(items.length, "picture")} of ${one(products.size, "product")}`);
    if (products.size) parts.push(lacking ? `${one(lacking, "product")} still short` : "every product complete");
  }
  if (byHand) parts.splice(1, 0, `${byHand} decided by hand`);
  $("#heading").textContent = heading;
  $("#lead").textContent = parts.join("  ·  ");
}
function label(product) {
  const wanted = product.wanted !== undefined, mark = product.accepted >= product.wanted ? "✓" : "○";
  product.option.textContent = wanted ? `${mark} ${product.name}: ${product.accepted} of ${product.wanted}`
    : `${product.name}: ${product.pictures}`;
}

// Beginning.

takeItems();
function showShows() {
  const known = new Map($$("nav [data-show]").map(button => [button.dataset.show, button]));
  for (const { name, label: text, title } of page.shows) {
    let button = known.get(name);
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.dataset.show = name;
      if (title) button.title = title;
      button.append(text + " ", document.createElement("span"));
      button.addEventListener("click", event => {
        show = name;
        changed();
        if (event.detail) goTo(current);  // of a mouse: so that Enter opens the picture, and does not press the button again
      });
    }
    $("nav .group").append(button);
  }
}
function showControls() {
  $('#order [value="score"]').hidden = !items.some(item => item.best >= 0);
  $('#order [value="doubt"]').hidden = !items.some(item => item.doubt > 0);
  $('#order [value="apart"]').hidden = !items.some(item => item.apart > 0);
  $("#order").hidden = $$("#order option").filter(option => !option.hidden).length < 2;
  select.hidden = products.size < 2;
}
for (const { name, label: text } of page.views) $("#view").append(new Option(text, name));
$("#view").hidden = page.views.length < 2;
$("#view").addEventListener("change", () => { shownView = $("#view").value; emptyGrid(); paint(); });
if (page.order) $("#order").options[0].textContent = page.order;
select.append(new Option(`All ${products.size} ${page.noun}s`, ""));
select.setAttribute("aria-label", titled(page.noun));
function addProduct(product) {
  products.set(product.name, product);
  product.pictures = product.pictures || 0;
  product.option = new Option("", String(select.length));
  product.option.product = product.name;
  label(product);
  select.append(product.option);
  select.options[0].textContent = `All ${products.size} ${page.noun}s`;
}
[...products.values()].forEach(addProduct);
showShows();
const changed = () => { current = null; scrollTo(0, Math.min(scrollY, top - $("#tools").offsetHeight - 12)); refilter(); };
select.addEventListener("change", changed);
$("#order").addEventListener("change", () => { sort(); changed(); mark(); });
$("#none button").addEventListener("click", () => { show = "all"; select.value = search.value = ""; changed(); });
search.addEventListener("input", changed);
search.addEventListener("keydown", event => {
  if (event.key === "Escape" && search.value) { search.value = ""; changed(); }
  if (event.key === "Escape" || (event.key === "Enter" && list.length)) { event.preventDefault(); goTo(current); }
});
for (const row of $$("#help .of-captions")) row.hidden = !page.captions;
addEventListener("scroll", askPaint, { passive: true });
addEventListener("resize", () => { measure(); if (viewer.open) fill(); });

for (const { text, links } of page.footer || []) {
  const line = document.createElement("p");
  line.append(text);
  for (const name of links || []) {
    const link = document.createElement("a");
    link.href = address(name);
    link.textContent = name;
    line.append(" ", link);
  }
  $("#footer").append(line);
  $("#footer").hidden = false;
}

$("#order").value = linkedOrder();
showControls();
sort();
recall();
refresh();
let linked = true;  // what the address names is opened without an entry of its own in the history
const opened = () => { if (!viewer.open) followLink(); };
opened();
/** What has come meanwhile: pictures, and the thumbnails of what is in sight. */
function arrive() {
  const first = items.length;
  if (!takeItems()) return paint();
  takeRecalled(first);
  for (const product of products.values()) label(product);
  showControls();
  anchored(() => { rank(); refresh(); });
  if (linked) opened();
}
function arrived() {
  arrive();
  linked = false;
  outlines.showUnfixed();
  if (next) setTimeout(ask, EVERY_MS);
}
if (document.readyState === "loading") {
  const timer = setInterval(arrive, 120);
  document.addEventListener("DOMContentLoaded", () => { clearInterval(timer); arrived(); });
} else arrived();

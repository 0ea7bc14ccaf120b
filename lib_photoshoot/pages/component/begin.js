// Beginning.

for (const { name, label: text, title } of page.shows) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.show = name;
  if (title) button.title = title;
  button.append(text + " ", document.createElement("span"));
  $("nav .group").append(button);
}
for (const { name, label: text } of page.views) $("#view").append(new Option(text, name));
$("#view").hidden = page.views.length < 2;
$("#view").addEventListener("change", () => { shownView = $("#view").value; emptyGrid(); paint(); });
if (page.order) $("#order").options[0].textContent = page.order;
$("#order").hidden = !items.some(item => item.best >= 0);
select.append(new Option(`All ${products.size} ${page.noun}s`, ""));
select.setAttribute("aria-label", titled(page.noun));
for (const item of items) for (const name of item.products) products.get(name).pictures = (products.get(name).pictures || 0) + 1;
for (const product of products.values()) {
  product.pictures = product.pictures || 0;
  product.option = new Option("", String(select.length));
  product.option.product = product.name;
  label(product);
  select.append(product.option);
}
select.hidden = products.size < 2;
const changed = () => { current = null; scrollTo(0, Math.min(scrollY, top - $("#tools").offsetHeight - 12)); refilter(); };
select.addEventListener("change", changed);
for (const button of $$("nav [data-show]")) button.addEventListener("click", event => {
  show = button.dataset.show;
  changed();
  if (event.detail) goTo(current);  // of a mouse: so that Enter opens the picture, and does not press the button again
});
$("#order").addEventListener("change", () => { sort(); changed(); });
$("#none button").addEventListener("click", () => { show = "all"; select.value = ""; changed(); });
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

function followLink() {
  const item = location.hash.length > 1 && items.find(one => hashOf(one) === location.hash);
  if (item && panes[0] !== item) view([item]);
}
addEventListener("hashchange", followLink);
sort();
if (!served) recall();
refresh();
if (document.readyState === "loading") {
  // The thumbnails of what is in sight may still be on their way.
  const timer = setInterval(paint, 120);
  document.addEventListener("DOMContentLoaded", () => { clearInterval(timer); paint(); });
}
followLink();
outlines.showUnkept();

// Beginning.

select.append(new Option(`All ${products.size} products`, ""));
for (const product of products.values()) {
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

function followLink() {
  const [product, seed] = location.hash.slice(1).split("/").map(part => { try { return decodeURIComponent(part); } catch { return part; } });
  const shot = seed === undefined ? null : shots.find(item => item.product === product && String(item.seed) === seed);
  if (shot && panes[0] !== shot) view([shot]);
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

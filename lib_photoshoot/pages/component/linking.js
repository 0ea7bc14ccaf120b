// The page's fragment: the picture that is shown large, and an order other than the list's. Back closes the large view.

const hashOf = item => "#" + item.link.map(encoded).join("/");
// A name's own & and = stand in the fragment as %26 and %3D.
const parts = () => location.hash.slice(1).split("&");
const ORDERS = ["score", "doubt", "apart"];
const linkedOrder = () => ORDERS.find(name => parts().includes("order=" + name)) || "list";
const linkedItem = () => { const name = "#" + parts()[0]; return parts()[0] ? items.find(item => hashOf(item) === name) : null; };

let above = false;  // whether the entry of the history is one that the large view has added
function write(item, add) {
  const order = $("#order").value === "list" ? "" : "order=" + $("#order").value;
  const text = [item ? hashOf(item).slice(1) : "", order].filter(Boolean).join("&");
  const where = text ? "#" + text : location.pathname + location.search;
  try {
    if (add && !above) { window.history.pushState({ photoshoot: "large" }, "", where); above = true; }
    else window.history.replaceState(above ? { photoshoot: "large" } : null, "", where);
  } catch { /* not everywhere for files */ }
}
function mark(add = false) {
  write(viewer.open && panes.length === 1 ? panes[0] : null, add);
}
function followLink() {
  const item = linkedItem();
  if (item && panes[0] !== item) view([item]);
  return Boolean(item);
}
addEventListener("popstate", event => {
  const was = above;
  above = Boolean(event.state && event.state.photoshoot);
  if (followLink()) return;
  if (viewer.open) closeView();
  else if (was && !above) window.history.back();  // the entry was left over from a view closed before
});

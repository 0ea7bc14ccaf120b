// In a page around this one, of the same site: it says what else can be done with a picture that has outlines.

let offered = [];
addEventListener("message", event => {
  if (parent === window || event.source !== parent || event.origin !== location.origin || !Array.isArray(event.data?.offered)) return;
  offered = event.data.offered;
  if (viewer.open) fillInfo();
});
function offer(pane, item) {
  const place = $(".offered", pane), fits = (item.regions || []).some(region => region.mask) ? offered : [];
  if (place.shown === fits && place.item === item) return;  // a button that is being pressed stays
  Object.assign(place, { shown: fits, item });
  place.replaceChildren(...fits.map(({ name, label: text }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", event => {
      event.stopPropagation();
      parent.postMessage({ chosen: name, id: item.id }, location.origin);
    });
    return button;
  }));
}

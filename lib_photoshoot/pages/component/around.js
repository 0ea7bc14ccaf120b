// What else can be done with a picture that has outlines: what the server can, and what a page of the same site around
// this one can, which says so, and whether it is light or dark.

let offered = [];
addEventListener("message", event => {
  if (parent === window || event.source !== parent || event.origin !== location.origin || !Array.isArray(event.data?.offered)) return;
  offered = event.data.offered;
  if (["light", "dark"].includes(event.data.theme)) document.documentElement.dataset.theme = event.data.theme;
  if (viewer.open) fillInfo();
});
const enhancing = new Set();
/** Paint the picture's products again, by their outlines as they are now. */
async function enhance(item) {
  if (enhancing.has(item)) return;
  enhancing.add(item);
  fillInfo();
  tell(`${named(item)}: enhancing…`);
  let problem = "";
  try {
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ id: item.id }) };
    const response = await fetch(page.enhance, options), answer = await response.json().catch(() => null);
    if (response.ok && answer) answer.shots.forEach(news => renew(byId.get(news.id), news));
    else problem = (answer && answer.error) || `The picture was not enhanced (answer ${response.status}).`;
  } catch {
    problem = "The picture was not enhanced, since the server does not answer; start it again.";
  }
  enhancing.delete(item);
  if (problem) warn(`${named(item)}: ${problem}`);
  else { tell(`${named(item)}: enhanced`); large = "after"; }
  refresh();
  if (viewer.open) fill();
}
function offer(pane, item) {
  const place = $(".offered", pane), masked = (item.regions || []).some(region => region.mask), busy = enhancing.has(item);
  const acts = masked ? offered.map(({ name, label: text }) =>
    ({ text, act: () => parent.postMessage({ chosen: name, id: item.id }, location.origin) })) : [];
  if (masked && page.enhance) acts.unshift({ text: busy ? "Enhancing…" : "Enhance again", act: () => enhance(item), busy });
  const now = JSON.stringify([item.id, acts]);
  if (place.now === now) return;  // a button that is being pressed stays
  place.now = now;
  place.replaceChildren(...acts.map(({ text, act, busy: disabled }) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: text, disabled: Boolean(disabled) });
    button.addEventListener("click", event => { event.stopPropagation(); act(); });
    return button;
  }));
}

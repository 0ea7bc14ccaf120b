// The large view and the comparison: one to four panes with one zoom.

const SQUARES = 8;  // pixels of the screen for one of the picture, from which they are squares: shapes are seen better without
let panes = [], active = 0, zoom = null, center = [.5, .5];

function view(wanted, at = 0) {
  panes = wanted.slice(0, MOST);
  active = at;
  large = viewer.open ? large : "";
  zoom = null;
  center = [.5, .5];
  const fresh = !viewer.open;
  if (fresh) viewer.showModal();
  fill(fresh && !linked);
  if (fresh) activate(active);  // else the first button has the focus
}
function fill(fresh = false) {
  const holder = $(".panes");
  while (holder.children.length > panes.length) holder.lastElementChild.remove();
  while (holder.children.length < panes.length) holder.append($("#pane-template").content.firstElementChild.cloneNode(true));
  const narrow = innerWidth < innerHeight * .9;
  const across = panes.length === 1 ? 1 : panes.length === 2 ? (narrow ? 1 : 2) : panes.length === 3 && !narrow ? 3 : 2;
  holder.style.setProperty("--columns", across);
  viewer.classList.toggle("many", panes.length > 1);
  viewer.setAttribute("aria-label", panes.length > 1 ? "Comparison" : "Large view");
  panes.forEach((item, index) => {
    const pane = holder.children[index];
    if (pane.item !== item || pane.fresh !== item.fresh) {
      Object.assign(pane, { item, fresh: item.fresh });
      $(".views", pane).item = null;
      load(pane);
    }
  });
  fillInfo();
  adjust();
  if (!viewer.contains(document.activeElement) || document.activeElement.matches(".stage, dialog"))
    $(".stage", holder.children[active]).focus({ preventScroll: true });
  if (panes.length === 1 && panes[0].at >= 0) current = panes[0];
  mark(fresh);
  for (const step of [1, -1]) preload(list[stepFrom(panes[active], step)]);
  outlines.makeReady(panes[active]);
}
function fillInfo() {
  [...$(".panes").children].forEach((pane, index) => {
    const item = pane.item, info = $(".info", pane);
    pane.classList.toggle("active", index === active);
    info.className = "info " + (item.decision || "");
    $(".product", pane).textContent = item.name;
    $(".seed", pane).textContent = item.detail_label || item.detail;
    const otherwise = page.judge && item.by_hand && item.filter && item.by_hand !== item.filter;
    $(".decision", pane).textContent = decided(item) + (otherwise ? `, ${word(item.filter).toLowerCase()} by ${page.judge}` : "");
    fillHand(pane, item);
    const why = $(".why", pane), said = (item.notes || []).some(note => note.text === item.why) || item.why === item.caption;
    why.textContent = said ? "" : item.why;
    why.classList.toggle("wrong", Boolean(item.check));
    describe(pane, item);
    fillCaption(pane, item);
    for (const name of ["accept", "reject"]) $("." + name, pane).hidden = !item.reference;
    press(pane, item);
    $(".withdraw", pane).hidden = item.by_hand === null;
    $(".fix", pane).hidden = !outlines.canFix(item);
    $(".drop", pane).hidden = panes.length < 2;
    offer(pane, item);
    $(".stage", pane).setAttribute("aria-label", `${panes.length > 1 ? index + 1 + " of " + panes.length + ": " : ""}${named(item)}, ${decided(item)}. ${item.why}`);
  });
  const item = panes[active], index = item.at;
  $(".where", viewer).textContent = index >= 0 ? `${index + 1} of ${list.length}` : `not among the ${list.length} filtered`;
  const open = step => { const to = stepFrom(item, step); return to >= 0 && to < list.length; };
  $(".previous", viewer).disabled = !open(-1);
  $(".next", viewer).disabled = !open(1);
  $("#viewer .compare").setAttribute("aria-pressed", panes.length > 1);
  $("#viewer .keep").hidden = panes.length < 2;
  $("#viewer .keep").disabled = active === 0;
}

const preloaded = [];
function preload(item) {
  const file = item && viewsOf(item)[indexOfView(item, large || shownView)].file;
  if (!file) return;
  const image = new Image();
  image.src = address(file);
  preloaded.push(image);
  if (preloaded.length > 6) preloaded.shift();
}

function load(pane) {
  const { item } = pane, stage = $(".stage", pane), split = large === SPLIT && splits(item), range = $(".split", pane);
  stage.replaceChildren();
  stage.load = {};  // a picture that comes late is none of this one
  range.hidden = !split;
  const divide = () => stage.style.setProperty("--at", range.value + "%");
  range.oninput = divide;
  divide();
  const views = split ? [indexOfView(item, "before"), indexOfView(item, "after")] : [shownIn(pane)];
  stage.classList.toggle("checks", !split && Boolean(viewsOf(item)[views[0]].cropped && viewsOf(item)[views[0]].label));
  views.forEach((view, layer) => layIn(stage, item, view, layer));
}
/** Show the thumbnail at once, and the picture in its place as soon as it is there. */
function layIn(stage, item, index, layer) {
  const view = viewsOf(item)[index], { file } = view, mine = stage.load;
  const place = document.createElement("div"), low = new Image(), full = new Image();
  place.className = layer ? "layer after" : "layer";
  stage.append(place);
  const note = text => {
    const node = document.createElement("p");
    node.className = "gone";
    node.textContent = text;
    stage.append(node);
  };
  const showing = image => {
    if (stage.load !== mine) return;
    Object.assign(image, { alt: "", draggable: false, size: view.cropped ? null : item.size });
    place.replaceChildren(image);
    adjust();
  };
  low.className = "low";
  low.onload = () => { if (!place.firstElementChild) showing(low); };
  const source = thumbnail(item, index);
  if (source) low.src = source;
  if (!file) {
    low.className = source ? "full" : "low";
    if (!source) note("There is no picture to show.");
    return;
  }
  full.className = "full";
  full.onload = () => showing(full);
  const places = [file, otherPlace(file)], tried = [file];
  full.onerror = () => {
    // It may have moved with a decision since the page was written.
    const next = places.find(path => !full.src.endsWith(address(path).slice(1)) && !tried.includes(path));
    if (next) { tried.push(next); full.src = address(next); return; }
    if (stage.load === mine) note(`${file} is not beside this page any more${source ? "; this is its preview" : ""}.`);
  };
  full.src = address(file);
}

function adjust() {
  for (const pane of $(".panes").children) {
    const stage = $(".stage", pane);
    stage.classList.toggle("zoomed", zoom !== null);
    for (const image of $$("img", stage)) setImage(stage, image);
  }
  $("#viewer .zoom").setAttribute("aria-pressed", zoom !== null);
}
function setImage(stage, image) {
  if (!image.naturalWidth) return;
  const [wide, high] = image.size || [image.naturalWidth, image.naturalHeight];
  const across = stage.clientWidth, down = stage.clientHeight, fit = Math.min(across / wide, down / high);
  const scale = zoom === null || (image.className === "low" && !image.size) ? fit : zoom;
  const put = (space, side, at) => side <= space ? (space - side) / 2 : Math.min(0, Math.max(space - side, space / 2 - at * side));
  const x = put(across, wide * scale, center[0]), y = put(down, high * scale, center[1]), more = wide / image.naturalWidth;
  image.style.imageRendering = scale * more * devicePixelRatio >= SQUARES && image.className === "full" ? "pixelated" : "";
  image.style.transform = `translate(${x}px, ${y}px) scale(${scale * more})`;
  stage.spot = { x, y, scale, fit, wide, high };
}
/** Zoom so that what is under the pointer stays there. */
function zoomTo(scale, stage, event) {
  const spot = stage.spot;
  if (!spot) return;
  if (scale !== null && event) {
    const box = stage.getBoundingClientRect(), mx = event.clientX - box.left, my = event.clientY - box.top;
    center = [
      (mx - spot.x) / (spot.wide * spot.scale) + (box.width / 2 - mx) / (spot.wide * scale),
      (my - spot.y) / (spot.high * spot.scale) + (box.height / 2 - my) / (spot.high * scale),
    ];
  }
  if (scale === null) center = [.5, .5];
  zoom = scale;
  bound(stage);
  adjust();
}
function bound(stage) {
  const spot = stage.spot;
  if (!spot || zoom === null) return;
  const sides = [[stage.clientWidth, spot.wide * zoom], [stage.clientHeight, spot.high * zoom]];
  center = center.map((at, index) => {
    const half = Math.min(.5, sides[index][0] / 2 / sides[index][1]);
    return Math.min(1 - half, Math.max(half, at));
  });
}
const toggleZoom = event => {
  const stage = $(".stage", $(".panes").children[active]);
  zoomTo(zoom === null ? 1 / devicePixelRatio : null, stage, event);
};

function step(by) {
  const others = panes.filter((_, index) => index !== active);
  let index = stepFrom(panes[active], by);
  while (index >= 0 && index < list.length && others.includes(list[index])) index += by;
  if (!list[index]) return tell(by > 0 ? "This is the last picture" : "This is the first picture");
  panes[active] = list[index];
  fill();
  tell(`${named(panes[active])}: ${decided(panes[active])}`);
}
function activate(index) {
  if (index >= panes.length) return;
  active = index;
  fillInfo();
  $(".stage", $(".panes").children[index]).focus({ preventScroll: true });
}
function sideBySide() {
  if (panes.length > 1) { panes = [panes[active]]; active = 0; return fill(); }
  const other = neighbour(panes[0], panes);
  if (!other) return;
  panes = [panes[0], other];
  active = 1;
  fill();
}
function keepThis() {
  if (active === 0) return;
  const best = panes[active];
  panes[0] = best;
  panes[active] = neighbour(best, panes.filter((_, index) => index !== active)) || best;
  if (panes[active] === best) { panes.splice(active, 1); active = 0; }
  fill();
}
function drop(index) {
  panes.splice(index, 1);
  chosen = chosen.filter(item => panes.includes(item));
  showChosen();
  active = Math.min(active, panes.length - 1);
  fill();
  activate(active);
}

const paneOf = target => [...$(".panes").children].indexOf(target.closest(".pane"));
let drag = null;
$(".panes").addEventListener("pointerdown", event => {
  const stage = event.target.closest(".stage");
  if (!stage || event.button !== 0 || event.target.matches("input")) return;
  active = paneOf(stage);
  fillInfo();
  drag = { stage, x: event.clientX, y: event.clientY, center: [...center], moved: false };
  stage.setPointerCapture(event.pointerId);
});
$(".panes").addEventListener("pointermove", event => {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (Math.abs(dx) + Math.abs(dy) > 5) drag.moved = true;
  const spot = drag.stage.spot;
  if (!drag.moved || zoom === null || !spot) return;
  drag.stage.classList.add("dragged");
  center = [drag.center[0] - dx / (spot.wide * spot.scale), drag.center[1] - dy / (spot.high * spot.scale)];
  bound(drag.stage);
  adjust();
});
for (const name of ["pointerup", "pointercancel"]) $(".panes").addEventListener(name, event => {
  if (!drag) return;
  const { stage, x, moved } = drag, dx = event.clientX - x;
  drag = null;
  stage.classList.remove("dragged");
  if (name === "pointercancel") return;
  if (!moved) toggleZoom(event);
  else if (zoom === null && event.pointerType === "touch" && Math.abs(dx) > 50) step(dx < 0 ? 1 : -1);
});
$(".panes").addEventListener("wheel", event => {
  const stage = event.target.closest(".stage");
  if (!stage || !stage.spot) return;
  event.preventDefault();
  const scale = Math.min(8, (zoom === null ? stage.spot.fit : zoom) * Math.exp(-event.deltaY * .0016));
  zoomTo(scale <= stage.spot.fit ? null : scale, stage, event);
}, { passive: false });
$(".panes").addEventListener("focusin", event => {
  const index = paneOf(event.target);
  if (index >= 0 && index !== active) { active = index; fillInfo(); }
});
$(".panes").addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  const index = paneOf(button), item = panes[index];
  active = index;
  if (button.matches(".views button")) showView(button.dataset.view);
  else if (button.matches(".accept")) decide(item, "accepted", goOn.checked);
  else if (button.matches(".reject")) decide(item, "rejected", goOn.checked);
  else if (button.matches(".reasons button")) giveReason(item, button.dataset.reason);
  else if (button.matches(".note")) openNote(item);
  else if (button.matches(".withdraw")) { decide(item, null); $(".stage", $(".panes").children[active]).focus({ preventScroll: true }); }
  else if (button.matches(".fix")) outlines.open(item);
  else drop(index);
});
const goOn = $("#go-on");
try { goOn.checked = localStorage.getItem("photoshoot go on") === "yes"; } catch { /* as above */ }
goOn.addEventListener("change", () => {
  try { localStorage.setItem("photoshoot go on", goOn.checked ? "yes" : "no"); } catch { /* as above */ }
});
const onTool = (name, action) => $("#viewer " + name).addEventListener("click", action);
onTool(".previous", () => step(-1));
onTool(".next", () => step(1));
onTool(".zoom", () => toggleZoom());
onTool(".top .compare", sideBySide);
onTool(".keep", keepThis);
onTool(".keys", showHelp);
onTool(".close", closeView);
viewer.addEventListener("cancel", event => { event.preventDefault(); closeView(); });
viewer.addEventListener("close", () => { if (!viewer.open) closeView(); });
/** At once: the dialog's own event of closing may come after it was opened again. */
function closeView() {
  if (!panes.length) return;
  viewer.close();
  const item = panes[active];
  $(".panes").replaceChildren();
  panes = [];
  mark();
  showWhy();
  if (item.at >= 0) current = item;
  measure();  // the page has its scroll bar again
  goTo(current);
}
/** The list of keys, from its beginning: the button that takes the focus is at its end. */
function showHelp() {
  $("#help").showModal();
  $("#help").scrollTop = 0;
}
$("#keys").addEventListener("click", showHelp);
$("#help button").addEventListener("click", () => $("#help").close());
$("#help").addEventListener("click", event => { if (event.target === $("#help")) $("#help").close(); });

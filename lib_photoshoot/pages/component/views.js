// What stands below a picture in the large view, and which of its views is shown.

/** What a person decided, why, and the buttons for that. */
function fillHand(pane, item) {
  const rejected = item.by_hand === "rejected" && page.reasons.length > 0, reasons = $(".reasons", pane);
  reasons.hidden = !rejected;
  if (rejected) fillReasons(reasons, item);
  $(".by-hand", pane).textContent = whyByHand(item);
  $(".by-hand", pane).hidden = !whyByHand(item);
  $(".acts .note", pane).hidden = !item.by_hand || !page.reasons.length;
  $(".acts .note", pane).setAttribute("aria-label", `Note on ${named(item)}`);
}

/** What else is known of the picture: sentences, colours, figures, and its file. */
function describe(pane, item) {
  const make = (tag, text, kind) => {
    const node = document.createElement(tag);
    node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };
  $(".notes", pane).replaceChildren(...(item.notes || []).map(note => {
    const line = make("li", "", note.wrong ? "wrong" : "");
    for (const colour of note.colours || []) {
      const swatch = make("i", "");
      swatch.style.background = colour;
      line.append(swatch);
    }
    line.append(note.text);
    return line;
  }));
  const facts = [...(item.more || [])];
  if (item.scores.length) facts.splice(item.more && item.more.length > 1 ? 1 : 0, 0, (item.best < 0 ? "" : "score ") + scores(item));
  const file = viewsOf(item)[shownIn(pane)].file, line = $(".more", pane);
  line.replaceChildren(facts.join("  ·  "));
  if (file) {
    const link = make("a", file);
    Object.assign(link, { href: address(file), target: "_blank", rel: "noreferrer" });
    line.append(facts.length ? "  ·  " : "", link);
  }
  const details = $("details", pane);
  details.hidden = !(item.details || []).length;
  $("table", details).replaceChildren(...(item.details || []).map(([name, value]) => {
    const row = document.createElement("tr");
    row.append(make("td", name), make("td", value));
    return row;
  }));
  const names = viewsOf(item).map(view => [viewName(item, view), view.label || viewLabel(viewName(item, view))]);
  if (splits(item)) names.splice(names.findIndex(([name]) => name === "before") + 1, 0, [SPLIT, "Before | after"]);
  const tabs = $(".views", pane);
  tabs.hidden = names.length < 2;
  if (tabs.item !== item) tabs.replaceChildren(...names.map(([name, text]) => {
    const button = make("button", text);
    button.type = "button";
    button.dataset.view = name;
    return button;
  }));
  tabs.item = item;
  const at = splits(item) && large === SPLIT ? SPLIT : viewName(item, viewsOf(item)[shownIn(pane)]);
  for (const button of tabs.children) button.setAttribute("aria-pressed", button.dataset.view === at);
}

// Which view of the pictures is shown large; "" is each one's own. Before and after can lie above one another where they
// are of one size.
const SPLIT = "before and after";
let large = "";
const splits = item => ["before", "after"].every(name => viewsOf(item).some(view => viewName(item, view) === name && !view.cropped));
const shownIn = pane => indexOfView(pane.item, large === SPLIT ? "after" : large || shownView);
function showView(name) {
  large = name;
  for (const pane of $(".panes").children) load(pane);
  fillInfo();
}
function nextView(by) {
  const names = $$(".views button", $(".panes").children[active]).map(button => button.dataset.view);
  const at = names.findIndex((_, index) => $$(".views button", $(".panes").children[active])[index].getAttribute("aria-pressed") === "true");
  if (names.length > 1) showView(names[(at + by + names.length) % names.length]);
}

// The grid's mouse, everyone's keys.

grid.addEventListener("click", event => {
  const card = event.target.closest(".card");
  if (!card) return;
  const item = byId.get(Number(card.dataset.id)), button = event.target.closest("button");
  if (!button) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    current = item;
    return view([item]);
  }
  current = item;
  paint();
  if (button.matches(".accept")) decide(item, "accepted");
  else if (button.matches(".reject")) decide(item, "rejected");
  else choose(item);
});
grid.addEventListener("focusin", event => {
  const card = event.target.closest(".card"), item = card && byId.get(Number(card.dataset.id));
  if (item && item !== current) { current = item; askPaint(); }
});

/** In the overview only of a picture that one has gone to: which one would be fixed is not seen otherwise. */
function fixOrChoose(item) {
  if (viewer.open || grid.contains(document.activeElement)) return outlines.open(item);
  goTo(item);
  tell(`${named(item)} is chosen: F again fixes its outline, the arrow keys choose another`);
}
addEventListener("keydown", event => {
  if (event.altKey || event.defaultPrevented || $("#help").open || $("#note").open) return;
  const target = event.target, key = event.key, inViewer = viewer.open;
  if (target.matches("select, textarea, input:not([type=checkbox])")) return;
  if (event.ctrlKey || event.metaKey) {
    if (key.toLowerCase() === "z" && !event.shiftKey) { event.preventDefault(); undo(); }
    return;
  }
  const item = inViewer ? panes[active] : current;
  const rows = Math.max(1, Math.floor((innerHeight - $("#tools").offsetHeight) / (height + GAP)));
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -columns * rows, PageDown: columns * rows };
  const about = reasonable(item);
  let done = true;
  if (!"123456789n".includes(key.toLowerCase()) && !["Shift", "Control", "Meta"].includes(key)) askWhy(null);
  if (about && key >= "1" && key <= String(page.reasons.length)) giveReason(about, page.reasons[Number(key) - 1].name);
  else if (inViewer && event.shiftKey && key.startsWith("Arrow") && zoom !== null) {
    const shift = { ArrowLeft: [-.1, 0], ArrowRight: [.1, 0], ArrowUp: [0, -.1], ArrowDown: [0, .1] }[key];
    center = [center[0] + shift[0], center[1] + shift[1]];
    bound($(".stage", $(".panes").children[active]));
    adjust();
  } else if (key in moves) {
    if (inViewer) step(Math.sign(moves[key]));
    else if (item) {
      const to = item.at + moves[key];
      // Up from the first row and down from the last stay in their column.
      goTo(Math.abs(moves[key]) === 1 || (to >= 0 && to < list.length) || key.startsWith("Page")
        ? list[Math.min(Math.max(to, 0), list.length - 1)] : item);
    }
  } else if (key === "Home" || key === "End") {
    const last = list[key === "Home" ? 0 : list.length - 1];
    if (!inViewer) goTo(last); else if (last && !panes.includes(last)) { panes[active] = last; fill(); }
  } else if (key === "Enter" || key === " ") {
    if (target.matches("button, input") || (key === "Enter" && target.matches("a:not(.open)"))) done = false;
    else if (inViewer) closeView();
    else if (item) view([item]);
  } else if (inViewer && panes.length > 1 && "1234".includes(key)) activate(Number(key) - 1);
  else switch (key.toLowerCase()) {
    case "a": case "p": decide(item, "accepted", event.shiftKey || goOn.checked); break;
    case "r": case "x": decide(item, "rejected", event.shiftKey || goOn.checked); break;
    case "u": decide(item, null); break;
    case "n": openNote(about || item); break;
    case "c": if (inViewer) sideBySide(); else compare(item); break;
    case "e": done = typeCaption(item); break;
    case "m": if (inViewer && panes.length > 1) done = false; else choose(item); break;
    case "z": if (inViewer) toggleZoom(); else done = false; break;
    case "v": if (inViewer) nextView(event.shiftKey ? -1 : 1); else done = false; break;
    case "s": if (inViewer) keepThis(); else done = false; break;
    case "f": if (outlines.canFix(item)) fixOrChoose(item); else done = false; break;
    case "/": if (inViewer) done = false; else { search.focus(); search.select(); } break;
    case "?": showHelp(); break;
    default: done = false;
  }
  if (done) event.preventDefault();
});

// The grid's mouse, everyone's keys.

grid.addEventListener("click", event => {
  const card = event.target.closest(".card");
  if (!card) return;
  const shot = byId.get(Number(card.dataset.id)), button = event.target.closest("button");
  if (!button) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    current = shot;
    return view([shot]);
  }
  current = shot;
  paint();
  if (button.matches(".accept")) decide(shot, "accepted");
  else if (button.matches(".reject")) decide(shot, "rejected");
  else choose(shot);
});
grid.addEventListener("focusin", event => {
  const card = event.target.closest(".card"), shot = card && byId.get(Number(card.dataset.id));
  if (shot && shot !== current) { current = shot; askPaint(); }
});

addEventListener("keydown", event => {
  if (event.altKey || event.defaultPrevented || $("#help").open) return;
  const target = event.target, key = event.key, large = viewer.open;
  if (target.matches("select, textarea, input:not([type=checkbox])")) return;
  if (event.ctrlKey || event.metaKey) {
    if (key.toLowerCase() === "z" && !event.shiftKey) { event.preventDefault(); undo(); }
    return;
  }
  const shot = large ? panes[active] : current;
  const rows = Math.max(1, Math.floor((innerHeight - $("#tools").offsetHeight) / (height + GAP)));
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -columns * rows, PageDown: columns * rows };
  let done = true;
  if (large && event.shiftKey && key.startsWith("Arrow") && zoom !== null) {
    const shift = { ArrowLeft: [-.1, 0], ArrowRight: [.1, 0], ArrowUp: [0, -.1], ArrowDown: [0, .1] }[key];
    center = [center[0] + shift[0], center[1] + shift[1]];
    bound($(".stage", $(".panes").children[active]));
    adjust();
  } else if (key in moves) {
    if (large) step(Math.sign(moves[key]));
    else if (shot) {
      const to = shot.at + moves[key];
      // Up from the first row and down from the last stay in their column.
      goTo(Math.abs(moves[key]) === 1 || (to >= 0 && to < list.length) || key.startsWith("Page")
        ? list[Math.min(Math.max(to, 0), list.length - 1)] : shot);
    }
  } else if (key === "Home" || key === "End") {
    const last = list[key === "Home" ? 0 : list.length - 1];
    if (!large) goTo(last); else if (last && !panes.includes(last)) { panes[active] = last; fill(); }
  } else if (key === "Enter" || key === " ") {
    if (target.matches("button, input") || (key === "Enter" && target.matches("a:not(.open)"))) done = false;
    else if (large) closeView();
    else if (shot) view([shot]);
  } else if (large && panes.length > 1 && "1234".includes(key)) activate(Number(key) - 1);
  else switch (key.toLowerCase()) {
    case "a": case "p": decide(shot, "accepted", event.shiftKey || goOn.checked); break;
    case "r": case "x": decide(shot, "rejected", event.shiftKey || goOn.checked); break;
    case "u": decide(shot, null); break;
    case "c": if (large) sideBySide(); else compare(shot); break;
    case "m": if (large && panes.length > 1) done = false; else choose(shot); break;
    case "z": if (large) toggleZoom(); else done = false; break;
    case "s": if (large) keepThis(); else done = false; break;
    case "?": $("#help").showModal(); break;
    default: done = false;
  }
  if (done) event.preventDefault();
});

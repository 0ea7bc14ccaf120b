// Captions of photos: typed beside the picture, and kept a moment after the last key.

const typed = new Map(), WHEN_STILL_MS = 700;  // texts that are not kept yet
let stillTyping = 0, keeping = false, captionProblem = "";

function fillCaption(pane, item) {
  const box = $(".caption", pane), field = $("textarea", box);
  box.hidden = item.caption === undefined;
  if (box.hidden) return;
  field.setAttribute("aria-label", `Caption of ${named(item)}`);
  field.readOnly = !served;
  const text = typed.has(item) ? typed.get(item) : item.caption;
  if (field.value !== text && (field.item !== item || document.activeElement !== field)) field.value = text;
  field.item = item;
  $(".state", box).textContent = !typed.has(item) ? "" : captionProblem ? "not kept yet" : "…";
}
function typeCaption(item) {
  if (!item || item.caption === undefined) return false;
  if (!viewer.open) view([item]);
  const field = $(".caption textarea", $(".panes").children[active]);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  return true;
}
$(".panes").addEventListener("input", event => {
  if (!event.target.matches(".caption textarea")) return;
  typed.set(event.target.item, event.target.value);
  clearTimeout(stillTyping);
  stillTyping = setTimeout(keepCaptions, WHEN_STILL_MS);
});
$(".panes").addEventListener("focusout", event => { if (event.target.matches(".caption textarea")) keepCaptions(); });
$(".panes").addEventListener("keydown", event => {
  if (!event.target.matches(".caption textarea") || event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
  event.preventDefault();  // a caption is one line
  $(".stage", event.target.closest(".pane")).focus({ preventScroll: true });
});
async function keepCaptions() {
  clearTimeout(stillTyping);
  if (keeping) return;
  keeping = true;
  captionProblem = "";
  while (typed.size && !captionProblem) {
    const [item, caption] = typed.entries().next().value;
    const body = JSON.stringify({ decisions: [{ ...item.reference, caption }] });
    try {
      const response = await fetch(page.decide, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      const answer = await response.json().catch(() => null);
      if (response.ok && answer && Array.isArray(answer.shots)) {
        if (typed.get(item) === caption) typed.delete(item);
        for (const news of answer.shots) if (byId.has(news.id)) renew(byId.get(news.id), news);
      } else captionProblem = (answer && answer.error) || `The review answered ${response.status}; load the page again.`;
    } catch { captionProblem = ENDED; }
    if (captionProblem) {
      warn(`The caption of ${named(item)} is not kept yet. ${captionProblem}`);
      stillTyping = setTimeout(keepCaptions, 8 * WHEN_STILL_MS);
    } else tell(`Caption of ${named(item)} kept`);
    refresh();
    if (viewer.open) fillInfo();
  }
  keeping = false;
}
addEventListener("beforeunload", event => { if (typed.size) { keepCaptions(); event.preventDefault(); } });

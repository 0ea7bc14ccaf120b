// Why a picture was rejected, and a note: R and then a digit, or N.

let asked_about = null;  // the picture that was rejected last: a digit is about it, whichever is at hand now
function askWhy(item) {
  asked_about = page.reasons.length ? item : null;
  showWhy();
}
function showWhy() {
  $("#why").hidden = !asked_about || viewer.open;
  if (asked_about) fillReasons($("#why .reasons"), asked_about);
}
/** The buttons of the reasons, made once and then marked for the picture. */
function fillReasons(holder, item) {
  if (!holder.children.length) page.reasons.forEach(({ name, label: text }, index) => {
    const button = document.createElement("button"), key = document.createElement("kbd");
    button.type = "button";
    button.dataset.reason = name;
    key.textContent = index + 1;
    button.append(key, " " + text);
    holder.append(button);
  });
  holder.setAttribute("aria-label", `Why ${named(item)} is rejected`);
  for (const button of holder.children) button.setAttribute("aria-pressed", button.dataset.reason === item.reason);
}
function giveReason(item, name) {
  if (!item || item.by_hand !== "rejected") return;
  const hand = handOf(item);
  hold(item, { ...hand, reason: hand.reason === name ? "" : name });
  showWhy();
}
/** The picture that a digit is about: none where digits choose a pane. */
const reasonable = item => asked_about || (item && item.by_hand === "rejected" && panes.length < 2 ? item : null);

let noted = null;
function openNote(item) {
  if (!item || !page.reasons.length) return;
  if (!item.by_hand) return warn(`Accept or reject ${named(item)} first: a note belongs to a decision.`);
  noted = item;
  $("#note h2").textContent = `Note on ${named(item)}`;
  $("#note textarea").value = item.note || "";
  $("#note").showModal();
  $("#note textarea").select();
}
function closeNote(keepIt) {
  const item = noted, note = $("#note textarea").value.trim();
  noted = null;
  $("#note").close();
  if (keepIt && item && item.by_hand) hold(item, { ...handOf(item), note });
  showWhy();
}
$("#note form").addEventListener("submit", event => { event.preventDefault(); closeNote(true); });
$("#note .cancel").addEventListener("click", () => closeNote(false));
$("#note").addEventListener("cancel", event => { event.preventDefault(); closeNote(false); });
$("#note textarea").addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); closeNote(true); }
});
$("#why").addEventListener("click", event => {
  const button = event.target.closest("button"), item = asked_about;
  if (!button || !item) return;
  if (button.matches(".note")) openNote(item);
  else if (button.matches(".close")) askWhy(null);
  else giveReason(item, button.dataset.reason);
});

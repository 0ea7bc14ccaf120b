// What is said.

function tell(text) {
  for (const node of $$("[role=status]")) node.textContent = text;
}
function warn(text) {
  for (const node of $$(".problem")) { $("p", node).textContent = text; node.hidden = false; }
}
for (const node of $$(".problem button")) node.addEventListener("click", () => $$(".problem").forEach(bar => { bar.hidden = true; }));

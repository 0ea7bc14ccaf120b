// What is said.

function tell(text) {
  for (const node of $$("[role=status]")) node.textContent = text;
}
function warn(text) {
  for (const node of $$(".said")) { $("p", node).textContent = text; node.hidden = false; }
}
for (const node of $$(".said button")) node.addEventListener("click", () => $$(".said").forEach(bar => { bar.hidden = true; }));

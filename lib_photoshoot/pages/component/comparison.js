// Choosing for a comparison.

let chosen = [];
const pictured = item => Boolean(item.thumbnail || item.file);
function choose(item) {
  if (!item || !pictured(item)) return;
  if (chosen.includes(item)) chosen = chosen.filter(other => other !== item);
  else if (chosen.length < MOST) chosen = [...chosen, item];
  else return warn(`No more than ${MOST} pictures can be compared; take one out first.`);
  showChosen();
}
function showChosen() {
  $("#chosen").hidden = !chosen.length;
  $("#chosen p").textContent = chosen.length === 1 ? "1 picture chosen" : `${chosen.length} pictures chosen`;
  $("#chosen .compare").textContent = chosen.length === 1 ? "Compare with the next" : "Compare";
  tell($("#chosen p").textContent);
  askPaint();
}
$("#chosen .clear").addEventListener("click", () => { chosen = []; showChosen(); });
$("#chosen .compare").addEventListener("click", () => compare(chosen[0]));

function compare(item) {
  if (chosen.length > 1) return view(chosen, chosen.length === 2 ? 1 : 0);
  const first = chosen[0] || item;
  if (!first) return;
  const other = item !== first ? item : neighbour(first, [first]);
  view(other ? [first, other] : [first], other ? 1 : 0);
}
/** The nearest picture of the list that is none of these: a later one, else an earlier one. */
function neighbour(item, without) {
  for (const step of [1, -1])
    for (let index = stepFrom(item, step); index >= 0 && index < list.length; index += step)
      if (!without.includes(list[index]) && pictured(list[index])) return list[index];
  return null;
}

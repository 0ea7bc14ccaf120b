// Where an outline is unsure: what other looks at the product see otherwise, each place to be changed alone.

/** Of a step that asked for it, which places there are: answers beside the outline as it is. */
const isUnsureStep = region => Boolean(region && region.steps.length && region.steps[region.steps.length - 1].kind === "unsure");
const placesOf = region => isUnsureStep(region) ? offered() : null;
const SEEKING = "Looking for places that may be otherwise…";
async function askUnsure() {
  if (!editable()) return;
  const { draft } = fixer, region = worked();
  if (!region) return;
  if (!draftMask(region)) { say(isPrompted(region) ? "The outline is still on its way." : "There is no outline yet that could be unsure."); return; }
  if (isUnsureStep(region) && !region.steps[region.steps.length - 1].choice) { say(unsureHint(region)); return; }
  showBefore(false);
  const from = draft.saving && region.mask ? painted(region.mask) : {};
  const answered = change(region, { ...from, ...stepped({ ...region, ...from }, { kind: "unsure", add: true, path: [], reach: 0 }), seen: region.seen });
  tell(SEEKING);
  await answered;
}
/** What there is to be seen, or that it is not known yet. */
function unsureHint(region) {
  const { answers } = region, { choice } = region.steps[region.steps.length - 1];
  if (!answers || answers.more) return SEEKING;
  const name = called(region), count = answers.masks.length - 1;
  if (!count) return `Other looks at ${name} see it as it is outlined, as far as they can tell.`;
  const press = coarse.matches ? "tap one to change it" : "press a number to change one";
  return choice ? "That place is changed; U shows what else is unsure." : `Other looks at ${name} see ${one(count, "place")} otherwise, green to add and red to take away; ${press}, G goes near.`;
}

const AS_IT_IS = "As it is";  // as the server calls it
const marked = { of: null, canvas: null };
/** All places that may be otherwise, until one of them is looked at or taken. */
function drawUnsure(draft) {
  const answers = placesOf(draft.region), { x, y, scale } = fixer.place;
  if (!answers || answers.names[answers.chosen] !== AS_IT_IS) return;
  if (marked.of !== answers.masks) {
    const masks = answers.masks.map(runs => unpacked(runs, draft.edit[0] * draft.edit[1])), now = masks[answers.chosen];
    const other = now.map((value, at) => masks.some(mask => mask[at] !== value) ? 1 - value : value);
    Object.assign(marked, { of: answers.masks, canvas: changeOf(draft.edit, now, other) });
  }
  ink.globalAlpha = PEEKED_ALPHA;
  ink.drawImage(marked.canvas, x, y, draft.size[0] * scale, draft.size[1] * scale);
  ink.globalAlpha = 1;
}

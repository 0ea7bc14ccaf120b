// Where an outline is unsure: what other looks at the product see otherwise, each place to be changed alone, or several.
//
// The answers to such a step are the outline as it is, and the same with one place changed. Taken places add up: `asked`
// is the region as it was asked, `taken` the numbers of those that are changed, and the masks are made anew here.

const isUnsureStep = region => Boolean(region && region.steps.length && region.steps[region.steps.length - 1].kind === "unsure");
const placesOf = region => isUnsureStep(region) ? offered() : null;
const takenOf = answers => answers && answers.taken || [];
const UNSURE_STEP = { kind: "unsure", add: true, path: [], reach: 0 }, SEEKING = "Looking for places that may be otherwise…";
async function askUnsure() {
  if (!editable()) return;
  const { draft } = fixer, region = worked();
  if (!region) return;
  if (!draftMask(region)) { say(isPrompted(region) ? "The outline is still on its way." : "There is no outline yet that could be unsure."); return; }
  if (isUnsureStep(region) && !takenOf(region.answers).length) { say(unsureHint(region)); return; }
  showBefore(false);
  const from = draft.saving && region.mask ? painted(region.mask) : {};
  const answered = change(region, { ...from, ...stepped({ ...region, ...from }, UNSURE_STEP), seen: region.seen });
  tell(SEEKING);
  await answered;
}
/** What there is to be seen, or that it is not known yet. */
function unsureHint(region) {
  const { answers } = region, taken = takenOf(answers).length;
  if (!answers || answers.more) return SEEKING;
  const count = answers.masks.length - 1, name = called(region), press = coarse.matches ? "tap" : "press the numbers of";
  if (!count) return `Other looks at ${name} see it as it is outlined, as far as they can tell.`;
  return taken ? `${taken} of ${one(count, "place")} changed, together; once more takes one back. U looks anew.`
    : `Other looks at ${name} see ${one(count, "place")} otherwise, green to add and red to take away: ${press} what is right. Hold C for the bare photo; Esc leaves them.`;
}
/** Change a place, or take that back; 0 takes all back. */
function togglePlace(at) {
  const { draft } = fixer, { region } = draft, { answers } = region, places = answers.places || answers.masks, asked = answers.asked || region;
  if (at < 0 || at >= places.length) return;
  const before = takenOf(answers), taken = !at ? [] : before.includes(at) ? before.filter(one => one !== at) : [...before, at];
  if (!before.length && !taken.length) return;
  const length = draft.edit[0] * draft.edit[1], masks = places.map(runs => unpacked(runs, length)), [base] = masks;
  const together = numbers => packed(base.map((value, pixel) => numbers.some(number => masks[number][pixel] !== value) ? 1 - value : value));
  const now = together(taken), first = answers.first || answers.names, names = first.map((name, number) => taken.includes(number) ? "As it was here" : !number && taken.length ? "All as it was" : name);
  const others = places.map((_, number) => !number ? now : together(taken.includes(number) ? taken.filter(one => one !== number) : [...taken, number]));
  const next = { names, first, masks: others, places, asked, taken, chosen: 0, more: false };
  change(region, taken.length ? { start: { mask: now }, steps: [UNSURE_STEP], mask: now, answers: next, seen: false } : asked);
  tell(`${answers.names[at]}, place ${at} of ${places.length - 1}`);
  tintChange(draft, ...[region.mask, draft.region.mask].map(runs => unpacked(runs, length)));
}
/** Away from the places, with those that were taken; whether there were any to leave. */
function leaveUnsure() {
  const { draft } = fixer, region = draft && draft.region;
  if (!region || !isUnsureStep(region) || region.removed) return false;
  if (isOnlyAsked(region)) changeTo(draft.history.now.map(one => one === region ? draft.history.first.find(({ key }) => key === one.key) : one));
  else if (region.mask) change(region, painted(region.mask));
  else return false;
  tell("The places are left");
  return true;
}

const marked = { of: null, canvas: null };
/** All places that may be otherwise and are not taken, until one of them is looked at. */
function drawUnsure(draft) {
  const answers = placesOf(draft.region), { x, y, scale } = fixer.place;
  if (!answers || fixer.before || answers.more) return;
  if (marked.of !== answers.masks) {
    const left = answers.masks.filter((_, number) => !takenOf(answers).includes(number)).map(runs => unpacked(runs, draft.edit[0] * draft.edit[1])), [now] = left;
    const other = now.map((value, at) => left.some(mask => mask[at] !== value) ? 1 - value : value);
    Object.assign(marked, { of: answers.masks, canvas: changeOf(draft.edit, now, other) });
  }
  ink.globalAlpha = PEEKED_ALPHA;
  ink.drawImage(marked.canvas, x, y, draft.size[0] * scale, draft.size[1] * scale);
  ink.globalAlpha = 1;
}

// What is done to the outlines of one picture: states that are never changed, and the way back and forth among them.
//
// A state is a list of regions. One has a `key` of its own here, its number `index` in the picture (null: a new one), its
// `product`, which the picture calls as it `was`, whether a person has `seen` that it is right as it is kept, and `mask`,
// the runs of its outline; null until the server has said it. That follows from where it starts (`start`: {region} as it
// is kept, {mask} as it was painted, null from nothing) and from the `steps` since. The last of them has several
// `answers`: {names, masks, chosen, more}, at first only the likely one, while there are `more` to ask for; null where
// nothing was asked. Those to where an outline is unsure are places that can be `taken` together: fix_unsure.js.

const MOST_STATES = 200;

class FixHistory {
  constructor(first) {
    this.first = first;
    this.states = [first];
    this.at = 0;
  }
  /** In place of where one is: it is the same step, understood otherwise. */
  swap(state) { this.states.splice(this.at, Infinity, state); }
  get now() { return this.states[this.at]; }
  push(state) {
    this.states.splice(this.at + 1, Infinity, state);
    if (this.states.length > MOST_STATES) this.states.shift();
    this.at = this.states.length - 1;
  }
  /** By -1 or 1; whether there was somewhere to go. */
  step(by) {
    if (!this.states[this.at + by]) return false;
    this.at += by;
    return true;
  }
}

const keptRegion = (index, product, mask) =>
  ({ key: index, index, product, was: product, removed: false, seen: false, start: { region: index }, steps: [], mask, answers: null });
const newRegion = (key, product) =>
  ({ key, index: null, product, removed: false, start: null, steps: [], mask: null, answers: null });

const withRegion = (state, key, changes) => state.map(region => region.key === key ? { ...region, ...changes } : region);
/** A box holds the whole product, so the outline begins anew. */
const stepped = (region, step) => step.kind === "box" ? { steps: [step], start: null, mask: null, answers: null, seen: false }
  : { steps: [...region.steps, step], mask: null, answers: null, seen: false };
const painted = mask => ({ steps: [], start: { mask }, mask, answers: null, seen: false });
/** The last step with another of its answers. */
function answeredBy(region, chosen) {
  const { answers, steps } = region;
  const last = { ...steps[steps.length - 1], choice: chosen };
  return { steps: [...steps.slice(0, -1), last], mask: answers.masks[chosen], answers: { ...answers, chosen } };
}
/** What a drawn path means: around a part, where it comes back to about where it began, a short one to the very place; else along it. */
function meaning(path, near) {
  const long = path.slice(1).reduce((sum, [x, y], at) => sum + Math.hypot(x - path[at][0], y - path[at][1]), 0);
  const [ax, ay] = path[0], [bx, by] = path[path.length - 1], gap = Math.hypot(ax - bx, ay - by);
  return path.length > 3 && long > near && gap < (long > 3 * near ? Math.max(near, long / 5) : long / 8) ? "loop" : "line";
}

/** Answers among which the outline that is shown stays as it is, whenever they come. */
function answersAround(region, answers) {
  const masks = [...answers.masks];
  masks[answers.chosen] = region.mask;
  return { ...answers, masks };
}
/** Whether there is anything that an outline could be made of. */
const isPrompted = region => region.steps.length > 0;
/** What the server is asked; `png` is the mask that the region starts from, where one was painted. */
function question(id, region, png) {
  const { start, steps } = region;
  return { id, region: start && "region" in start ? start.region : null, steps, mask: png };
}

/** Whether nothing was done to a region but to ask where it is unsure. */
const isOnlyAsked = region => region.index !== null && !region.removed && !region.seen && region.product === region.was && Boolean(region.start && "region" in region.start)
  && region.steps.length > 0 && region.steps.every(step => step.kind === "unsure");
/** The regions that are to be saved: those that are others than when the picture was opened. */
function changedRegions(history) {
  const before = new Set(history.first);
  return history.now.filter(region => !before.has(region) && !isOnlyAsked(region) && (region.index !== null || (!region.removed && hasOutline(region))));
}
const hasOutline = region => region.mask !== null || isPrompted(region);

/** The place that a region of a state has in the picture once that is saved: of those that stay. */
function placeKept(state, key) {
  const before = state.slice(0, Math.max(0, state.findIndex(region => region.key === key)));
  return keptOf(before).length;
}
/** The regions of a state that the picture has once it is saved. */
const keptOf = state => state.filter(region => !region.removed && (region.index !== null || hasOutline(region)));

/** The word of a new product where there is no doubt: the run's only one, or the only one that the picture lacks; else none. */
function wordOfNew(words, state) {
  const there = new Set(state.filter(region => !region.removed).map(region => region.product));
  const lacking = words.filter(word => !there.has(word));
  return words.length === 1 ? words[0] : lacking.length === 1 ? lacking[0] : "";
}
/** The run's words to choose from: first those that the picture has, then those that it lacks. */
function wordsOffered(words, state) {
  const there = state.map(region => region.product).filter(Boolean);
  return [...new Set([...there, ...words])];
}

/** What is other in a state than in one that was saved: by the places that regions have since, and by their masks alone. */
function changesSince(sent, now) {
  const saved = new Map(keptOf(sent).map(region => [region.key, region]));
  const laid = region => {
    const before = saved.get(region.key), index = before ? placeKept(sent, region.key) : null;
    const start = before && before.mask === region.mask ? { region: index } : { mask: region.mask };
    return { ...region, steps: [], answers: null, start, index, was: (before || region).product };
  };
  const there = new Set(now.map(region => region.key));
  return [
    ...now.filter(region => saved.get(region.key) !== region && (saved.has(region.key) ? region.removed || region.mask : !region.removed && region.mask)),
    ...[...saved.values()].filter(region => !there.has(region.key)).map(region => ({ ...region, removed: true })),
  ].map(laid);
}

/** A state with the changes that a browser kept; those of a region that is another's now are a new one. */
function restored(state, changes) {
  const of = region => changes.find(change => change.index === region.index && (change.was || change.product) === region.product);
  const taken = new Set(state.map(of)), added = changes.filter(change => !taken.has(change) && !change.removed);
  // Written down by an earlier page, a change has no steps: its mask is where it goes on.
  const whole = change => Array.isArray(change.steps) ? change : { ...change, steps: [], start: change.mask ? { mask: change.mask } : null };
  // Of one that only has another name the outline is the picture's own.
  const asKept = ({ start, steps }, { index, mask }) => start && "region" in start && !(steps || []).length ? { start: { region: index }, mask } : {};
  return [
    ...state.map(region => of(region) ? { ...whole(of(region)), key: region.key, ...asKept(of(region), region) } : region),
    ...added.map((change, at) => ({ ...whole(change), key: `kept ${at}`, index: null, start: change.mask ? { mask: change.mask } : null })),
  ];
}

// What is done to the outlines of one picture: states that are never changed, and the way back and forth among them.
//
// A state is a list of regions. One has a `key` of its own here, its number `index` in the picture (null: a new one), its
// `product`, and `mask`, the runs of its outline; null until the server has said it. That follows from where it starts
// (`start`: {region} as it is kept, {mask} as it was painted, null from nothing), its `box` and its `points`.

const MOST_STATES = 200;

class FixHistory {
  constructor(first) {
    this.first = first;
    this.states = [first];
    this.at = 0;
  }
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
  ({ key: index, index, product, removed: false, start: { region: index }, points: [], box: null, mask });
const newRegion = (key, product) =>
  ({ key, index: null, product, removed: false, start: null, points: [], box: null, mask: null });

const withRegion = (state, key, changes) => state.map(region => region.key === key ? { ...region, ...changes } : region);
const clicked = (region, point) => ({ points: [...region.points, point], mask: null });
/** Around the whole product, so the outline begins anew. */
const boxed = box => ({ box, points: [], start: null, mask: null });
const painted = mask => ({ box: null, points: [], start: { mask }, mask });

/** Whether there is anything that an outline could be made of. */
const isPrompted = region => region.box !== null || region.points.length > 0;
/** What the server is asked; `png` is the mask that the region starts from, where one was painted. */
function question(id, region, png) {
  const { start, box, points } = region;
  return { id, region: start && "region" in start ? start.region : null, box, points, mask: png };
}

/** The regions that are to be saved: those that are others than when the picture was opened. */
function changedRegions(history) {
  const before = new Set(history.first);
  return history.now.filter(region => !before.has(region) && (region.index !== null || (!region.removed && hasOutline(region))));
}
const hasOutline = region => region.mask !== null || isPrompted(region);

/** The place that a region of a state has in the picture once that is saved: of those that stay. */
function placeKept(state, key) {
  const before = state.slice(0, Math.max(0, state.findIndex(region => region.key === key)));
  return before.filter(region => !region.removed && (region.index !== null || hasOutline(region))).length;
}

/** The product of the run that a new region most likely is of: the first that the picture has none of. */
function likelyProduct(words, state) {
  const there = new Set(state.filter(region => !region.removed).map(region => region.product));
  return words.find(word => !there.has(word)) || words[0] || "";
}

/** A state with the changes that a browser kept; those of a region that is another's now are a new one. */
function restored(state, changes) {
  const of = region => changes.find(change => change.index === region.index && change.product === region.product);
  const taken = new Set(state.map(of)), added = changes.filter(change => !taken.has(change) && !change.removed);
  return [
    ...state.map(region => of(region) ? { ...of(region), key: region.key } : region),
    ...added.map((change, at) => ({ ...change, key: `kept ${at}`, index: null, start: change.mask ? { mask: change.mask } : null })),
  ];
}

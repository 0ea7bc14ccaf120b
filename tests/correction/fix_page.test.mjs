// What the editor of outlines does without a browser: masks, lines, the history, where a picture lies.

import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";

const component = new URL("../../lib_photoshoot/pages/component/", import.meta.url);
const PARTS = ["fix_mask.js", "fix_outline.js", "fix_history.js", "fix_place.js"];
const NAMES = ["editSize", "packed", "unpacked", "softened", "isEmpty", "stroke", "traced", "simplified", "FixHistory",
    "keptRegion", "newRegion", "withRegion", "stepped", "answeredBy", "meaning", "thinned", "changesSince", "painted", "question", "changedRegions", "restored",
    "wordOfNew", "wordsOffered", "differing", "comparable", "previewCrop", "placeKept", "isSlight", "fittedPlace", "zoomedPlace", "boundPlace", "placeAround", "toPicture", "toStage", "boxOf"];
// The page's parts are one script and export nothing.
const texts = PARTS.map(name => readFileSync(new URL(name, component), "utf8"));
const {editSize, packed, unpacked, softened, isEmpty, stroke, traced, simplified, FixHistory, keptRegion, newRegion,
    withRegion, stepped, answeredBy, meaning, thinned, changesSince, painted, question, changedRegions, restored, wordOfNew, wordsOffered, differing, comparable, previewCrop, placeKept,
    isSlight, fittedPlace, zoomedPlace, boundPlace, placeAround, toPicture, toStage, boxOf} = new Function(`${texts.join("\n")}\nreturn {${NAMES.join()}};`)();

const drawn = (...rows) => [Uint8Array.from(rows.join(""), letter => Number(letter === "#")), rows[0].length];
/** The same numbers each time (Lehmer, 1951). */
function random(seed) {
    let state = seed;
    return () => (state = state * 48271 % 2147483647) / 2147483647;
}
const scattered = (seed, length) => {
    const next = random(seed);
    return Uint8Array.from({length}, () => Number(next() < 0.5));
};
const area = line => line.reduce((sum, [x, y], at) => {
    const [nextX, nextY] = line[(at + 1) % line.length];
    return sum + (x * nextY - nextX * y) / 2;
}, 0);

test("the size of edited masks is the server's, rounded as it rounds", () => {
    assert.deepEqual(editSize([800, 600]), [800, 600]);
    assert.deepEqual(editSize([4096, 1025]), [2048, 512]); // 512.5
    assert.deepEqual(editSize([4096, 1027]), [2048, 514]); // 513.5
    assert.deepEqual(editSize([1, 9000]), [1, 2048]);
});

test("runs hold a mask whole", () => {
    for (const mask of [scattered(1, 99), scattered(2, 300), new Uint8Array(5), new Uint8Array(5).fill(1), new Uint8Array(0)]) {
        assert.deepEqual(unpacked(packed(mask), mask.length), mask);
    }
    assert.deepEqual(packed(Uint8Array.of(1, 1, 0)), [0, 2, 1]);
    assert.ok(isEmpty(packed(new Uint8Array(9))) && isEmpty([]) && !isEmpty(packed(Uint8Array.of(1))));
});

test("a brush sets what is near to its way, and stays inside", () => {
    const mask = new Uint8Array(100 * 60);
    stroke(mask, 100, [50, 30], [50, 30], 10, 1);
    const disc = mask.reduce((sum, one) => sum + one, 0);
    assert.ok(Math.abs(disc - Math.PI * 100) < 12, String(disc));
    stroke(mask, 100, [-20, 30], [120, 30], 4, 1);
    assert.ok(mask[30 * 100] && mask[30 * 100 + 99] && mask[33 * 100] && !mask[35 * 100] && !mask[24 * 100]);
    stroke(mask, 100, [0, 30], [100, 30], 80, 0);
    assert.ok(isEmpty(packed(mask)));
});

test("a shown edge is soft, and only it", () => {
    const mask = new Uint8Array(81);
    stroke(mask, 9, [4.5, 4.5], [4.5, 4.5], 3, 1);
    const soft = softened(mask, 9);
    assert.equal(soft[40], 9);
    assert.equal(soft[0], 0);
    assert.ok(soft.some(one => one > 0 && one < 9));
    assert.ok(softened(new Uint8Array(12).fill(1), 4).every(one => one === 9));
});

test("an edge moved by a hair, unless what was drawn on changed", () => {
    const wide = 60, shape = () => { const mask = new Uint8Array(60 * 50); stroke(mask, wide, [0, 10], [60, 10], 10, 1); return mask; };
    const strip = (from, to, left = 0, right = 60) => { const mask = shape(); for (let y = from; y < to; y++) { mask.fill(1, y * wide + left, y * wide + right); } return mask; };
    const before = shape(), line = new Uint8Array(60 * 50), edge = 20;
    stroke(line, wide, [30, 22], [30, 45], 5, 1);
    assert.ok(isSlight(before, before, wide, line, 1));
    assert.ok(isSlight(before, strip(edge, edge + 4), wide, line, 1), "all along the edge, four pixels");
    assert.ok(isSlight(strip(edge, edge + 4), before, wide, new Uint8Array(60 * 50), 0), "and back");
    assert.ok(!isSlight(before, strip(edge, edge + 14, 29, 31), wide, line, 1), "a leg that is two pixels wide, of a loop around it");
    assert.ok(!isSlight(strip(edge, edge + 14, 29, 31), before, wide, line, 0), "taken away too");
    const along = new Uint8Array(60 * 50);
    stroke(along, wide, [10, 21.5], [50, 21.5], 1.5, 1);
    assert.ok(!isSlight(before, strip(edge, edge + 3, 10, 50), wide, along, 1), "a strap along the edge, of a line on it");
    assert.ok(isSlight(before, strip(edge, edge + 3, 50, 60), wide, along, 1), "the same elsewhere");
});

test("lines go around all that a mask holds, the other way around its openings", () => {
    const ring = drawn(".....", ".###.", ".#.#.", ".###.", ".....");
    const lines = traced(...ring);
    assert.deepEqual(lines.map(area), [9, -1]);
    assert.deepEqual(lines[0], [[1, 1], [4, 1], [4, 4], [1, 4]]);
    assert.deepEqual(traced(new Uint8Array(9), 3), []);
    for (let seed = 1; seed < 40; seed++) {
        const mask = scattered(seed, 12 * 9), pixels = mask.reduce((sum, one) => sum + one, 0);
        assert.equal(traced(mask, 12).map(area).reduce((sum, one) => sum + one, 0), pixels);
    }
});

test("a simplified line has few points, and none of the old ones is far from it", () => {
    const mask = new Uint8Array(200 * 200);
    stroke(mask, 200, [100, 100], [100, 100], 80, 1);
    const [line] = traced(mask, 200), less = simplified(line, 0.75);
    assert.ok(less.length < line.length / 3, `${less.length} of ${line.length}`);
    assert.ok(Math.abs(area(less) - area(line)) < 0.01 * area(line));
    assert.deepEqual(simplified(traced(...drawn("##", "##"))[0], 0.75), [[0, 0], [2, 0], [2, 2], [0, 2]]);
});

const click = (x, y, add = true) => ({kind: "click", add, path: [[x, y]], reach: 5});
const box = (x0, y0, x1, y1) => ({kind: "box", add: true, path: [[x0, y0], [x1, y1]], reach: 5});
const CUP = keptRegion(0, "cup", [3, 4]), SPOON = keptRegion(1, "spoon", [1, 1]);

test("undo goes back to the very state, and what is done then takes the place of what was undone", () => {
    const past = new FixHistory([CUP, SPOON]);
    past.push(withRegion(past.now, 0, stepped(CUP, click(1, 2))));
    past.push(withRegion(past.now, 1, painted([0, 9])));
    assert.deepEqual(changedRegions(past).map(region => region.key), [0, 1]);
    assert.ok(past.step(-1) && past.step(-1) && !past.step(-1));
    assert.equal(past.now, past.first);
    assert.deepEqual(changedRegions(past), []);
    assert.ok(past.step(1));
    past.push(withRegion(past.now, 0, {removed: true}));
    assert.ok(!past.step(1));
    assert.deepEqual([past.states.length, past.now[0].steps, past.now[0].removed], [3, [click(1, 2)], true]);
    for (let step = 0; step < 300; step++) {
        past.push([...past.now]);
    }
    assert.ok(past.states.length <= 200 && past.first[0] === CUP);
});

test("what the server is asked follows from where a region starts", () => {
    const once = {...CUP, ...stepped(CUP, click(1, 2))}, twice = {...once, ...stepped(once, click(5, 6, false))};
    assert.deepEqual(question(7, twice, null), {id: 7, region: 0, steps: [click(1, 2), click(5, 6, false)], mask: null});
    assert.deepEqual([twice.mask, CUP.steps], [null, []]);
    const anew = {...twice, ...stepped(twice, box(0, 0, 9, 9))};
    assert.deepEqual(question(7, anew, null), {id: 7, region: null, steps: [box(0, 0, 9, 9)], mask: null});
    const brushed = {...twice, ...painted([2, 2])};
    assert.deepEqual(question(7, {...brushed, ...stepped(brushed, click(1, 1))}, "png"),
        {id: 7, region: null, steps: [click(1, 1)], mask: "png"});
});

test("another answer takes the place of the one before, and what was undone is gone", () => {
    const past = new FixHistory([CUP]);
    past.push(withRegion(past.now, 0, stepped(CUP, click(1, 2))));
    Object.assign(past.now[0], {answers: {names: ["Best guess", "Same colour"], masks: [[1, 2], [0, 3]], chosen: 0}, mask: [1, 2]});
    past.push(withRegion(past.now, 0, {removed: true}));
    past.step(-1);
    past.swap(withRegion(past.now, 0, answeredBy(past.now[0], 1)));
    assert.deepEqual([past.states.length, past.now[0].mask, past.now[0].answers.chosen], [2, [0, 3], 1]);
    assert.deepEqual(question(7, past.now[0], null).steps, [{...click(1, 2), choice: 1}]);
    assert.ok(!past.step(1) && past.step(-1) && past.now[0] === CUP);
});

test("a line that comes back to its beginning goes around, any other goes along", () => {
    const round = Array.from({length: 30}, (_, at) => [50 + 40 * Math.cos(at / 5), 50 + 40 * Math.sin(at / 5)]);
    assert.equal(meaning(round, 8), "loop");
    assert.equal(meaning(round.slice(0, 18), 8), "line");
    assert.equal(meaning([[0, 0], [50, 0], [100, 3]], 8), "line");
    assert.equal(meaning([[0, 0], [2, 0], [2, 2], [0, 1]], 8), "line"); // a trembling click
    assert.equal(meaning([[0, 0], [4, 0], [4, 5], [0, 5], [0, 0.5]], 8), "loop"); // small, and closed
    assert.equal(meaning([[0, 0], [8, 0], [8, 4], [0, 4]], 8), "line");
});

test("a thinned line goes the same way with fewer places, and never too many", () => {
    const line = Array.from({length: 500}, (_, at) => [at, at < 250 ? 0 : at - 250]);
    assert.deepEqual(thinned(line, 1), [[0, 0], [250, 0], [499, 249]]);
    assert.deepEqual(thinned([[1, 2]], 1), [[1, 2]]);
    const jagged = Array.from({length: 3000}, (_, at) => [at, 20 * (at % 2)]);
    const less = thinned(jagged, 1);
    assert.ok(less.length <= 501 && less[0] === jagged[0] && less.at(-1) === jagged.at(-1), String(less.length));
});

test("what was done while a picture was being saved is laid over what was saved", () => {
    const sent = [{...CUP, removed: true}, {...SPOON, ...painted([0, 2])}, {...newRegion("new 2", "lid"), ...painted([1, 1])}];
    const now = [sent[0], {...sent[1], ...painted([2, 2])}, {...newRegion("new 3", "plate"), ...painted([4, 1])}];
    const changes = changesSince(sent, now);
    assert.deepEqual(changes.map(({index, product, removed, mask}) => [index, product, removed, mask]),
        [[0, "spoon", false, [2, 2]], [null, "plate", false, [4, 1]], [1, "lid", true, [1, 1]]]);
    const saved = [keptRegion(0, "spoon", [0, 2]), keptRegion(1, "lid", [1, 1])];
    assert.deepEqual(restored(saved, changes).map(region => [region.index, region.product, region.removed, region.mask]),
        [[0, "spoon", false, [2, 2]], [1, "lid", true, [1, 1]], [null, "plate", false, [4, 1]]]);
    assert.deepEqual(changesSince(sent, sent), []);
});

test("a new product counts once there is something of it", () => {
    const past = new FixHistory([CUP]), lid = newRegion("new", "lid");
    past.push([...past.now, lid]);
    assert.deepEqual(changedRegions(past), []);
    past.push(withRegion(past.now, "new", stepped(lid, box(1, 1, 2, 2))));
    assert.deepEqual(changedRegions(past).map(region => region.product), ["lid"]);
    past.push(withRegion(past.now, "new", {removed: true}));
    assert.deepEqual(changedRegions(past), []);
});

test("a new product is called by the run's word where there is no doubt which, else it has no name yet", () => {
    assert.equal(wordOfNew(["cup", "lid"], [CUP]), "lid");
    assert.equal(wordOfNew(["cup", "lid"], [{...CUP, removed: true}]), "");
    assert.equal(wordOfNew(["airplane", "cup", "lid"], []), "");
    assert.equal(wordOfNew(["cup"], [CUP]), "cup");
    assert.equal(wordOfNew([], []), "");
    assert.deepEqual(wordsOffered(["airplane", "cup"], [CUP, newRegion("new", "")]), ["cup", "airplane"]);
});

test("a product with another name is saved by it, and is known again by the name that the picture has", () => {
    const past = new FixHistory([CUP, SPOON]);
    past.push(withRegion(past.now, CUP.key, {product: "mug"}));
    assert.deepEqual(changedRegions(past).map(({index, product}) => [index, product]), [[CUP.index, "mug"]]);
    const kept = JSON.parse(JSON.stringify(changedRegions(past)));
    const [mug, spoon] = restored([CUP, SPOON], kept);
    assert.equal(mug.product, "mug");
    assert.equal(mug.mask, CUP.mask); // the picture's own outline
    assert.equal(spoon, SPOON);
    // Renamed again while it was being saved as a mug.
    const later = withRegion(past.now, CUP.key, {product: "beaker"});
    const fresh = [keptRegion(0, "mug", [2, 9]), keptRegion(1, "spoon", SPOON.mask)];
    const [beaker] = restored(fresh, changesSince(past.now, later));
    assert.equal(beaker.product, "beaker");
    assert.deepEqual(beaker.mask, [2, 9]);
    assert.equal(restored(fresh, changesSince(past.now, later)).length, 2);
});

test("previews show where the answers differ, and enough around it to know the place", () => {
    const [mask, wide] = [new Uint8Array(200 * 100), 200], other = mask.slice();
    for (let y = 40; y < 60; y++) {
        other.fill(1, y * wide + 150, y * wide + 190);
    }
    assert.deepEqual(differing([mask, other], [200, 100]), [150, 40, 190, 60]);
    assert.deepEqual(differing([mask, mask], [200, 100]), [0, 0, 200, 100]);
    const [x, y, across, down] = previewCrop([150, 40, 190, 60], [200, 100]);
    assert.ok(x <= 150 && x + across >= 190 && y <= 40 && y + down >= 60);
    assert.ok(x >= 0 && x + across <= 200 && y >= 0 && y + down <= 100);
    assert.deepEqual(previewCrop([10, 10, 11, 11], [200, 100]), [0, 0, 40, 40]);
    const narrow = previewCrop([0, 0, 20, 100], [20, 100]);
    assert.deepEqual(narrow, [-27.5, 0, 75, 100]); // with room on both sides
});

test("a region's place once it is saved is among those that stay", () => {
    const lid = newRegion("new", "lid"), plate = {...newRegion("drawn", "plate"), ...painted([1, 4])};
    const state = [CUP, SPOON, lid, plate];
    assert.deepEqual(state.map(({key}) => placeKept(state, key)), [0, 1, 2, 2]);
    const less = withRegion(state, 0, {removed: true});
    assert.deepEqual(less.map(({key}) => placeKept(less, key)), [0, 0, 1, 1]);
    assert.equal(placeKept(state, null), 0);
});

test("kept changes are laid over what is there now", () => {
    const past = new FixHistory([CUP, SPOON]);
    past.push([...withRegion(past.now, 0, painted([0, 5])), {...newRegion("new 1", "lid"), ...painted([4, 1])}]);
    const kept = JSON.parse(JSON.stringify(changedRegions(past)));
    const again = restored([CUP, SPOON], kept);
    assert.deepEqual(again.map(region => [region.index, region.product, region.mask]),
        [[0, "cup", [0, 5]], [1, "spoon", [1, 1]], [null, "lid", [4, 1]]]);
    assert.equal(again[1], SPOON);
    const now = [{...SPOON, key: 0, index: 0}]; // the cup was removed elsewhere
    assert.deepEqual(restored(now, kept).map(region => [region.index, region.product]),
        [[0, "spoon"], [null, "cup"], [null, "lid"]]);
    assert.deepEqual(restored(now, [{...CUP, removed: true}]), now);
});

test("zooming keeps what is below the pointer, and a picture that fits lies in the middle", () => {
    const size = [400, 200], stage = [800, 600], fit = fittedPlace(size, stage);
    assert.deepEqual(fit, {x: 12, y: 106, scale: 1.94});  // with a margin in which a line along its edge begins
    assert.deepEqual(fittedPlace(size, [200, 200]), {x: 0, y: 50, scale: .5});
    const pointer = [300, 310], near = zoomedPlace(fit, size, stage, 4, pointer);
    toPicture(near, pointer).forEach((value, at) => assert.ok(Math.abs(value - toPicture(fit, pointer)[at]) < 1e-9));
    assert.deepEqual(toStage(near, toPicture(near, [5, 6])).map(Math.round), [5, 6]);
    assert.equal(zoomedPlace(near, size, stage, 1e9, pointer).scale, 32);
    assert.deepEqual(zoomedPlace(near, size, stage, 1e-9, pointer), {x: 200, y: 200, scale: 1});
    const far = boundPlace({x: -1e6, y: 1e6, scale: 8}, size, stage);
    assert.deepEqual([far.x, far.y], [400 - 3200, 300]);
});

test("a box has its upper left corner first and lies in the picture", () => {
    assert.deepEqual(boxOf([90, 50.123], [-5, 20], [80, 60]), [0, 20, 80, 50.1]);
});

test("a box that is looked at is in the middle, with something around it, and no spot is larger than it helps", () => {
    const size = [400, 300], stage = [800, 800], place = placeAround([100, 100, 200, 160], size, stage);
    assert.deepEqual(toStage(place, [150, 130]), [400, 400]);
    assert.equal(place.scale, 800 / 1.5 / 100);
    assert.equal(placeAround([100, 100, 102, 102], size, stage).scale, 16);
    // Of a picture that is shown larger than that anyway nothing gets smaller.
    assert.equal(placeAround([10, 10, 12, 12], [40, 40], stage).scale, fittedPlace([40, 40], stage).scale);
    // All of it, and what nearly fills it, is as large as all of it.
    for (const most of [[0, 0, 400, 300], [20, 20, 380, 280]]) {
        assert.equal(placeAround(most, size, stage).scale, fittedPlace(size, stage).scale);
    }
});

test("an answer that is another outline altogether does not hide where the others differ", () => {
    const of = (...set) => Uint8Array.from({length: 100}, (_, at) => Number(set.includes(at)));
    const leg = [10, 11, 12], near = [of(...leg), of(10, 11), of(...leg, 13)], whole = new Uint8Array(100).fill(1);
    assert.deepEqual(comparable([...near, whole], 0, [10, 10]), near);
    assert.deepEqual(comparable([...near, whole], 3, [10, 10]), [...near, whole]); // seen from there all are far
    assert.deepEqual(comparable([near[0], whole], 0, [10, 10]), [near[0], whole]);
});

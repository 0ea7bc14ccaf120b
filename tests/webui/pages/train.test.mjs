import assert from "node:assert/strict";
import {test} from "node:test";

import {axesOf, ticksOf} from "../../../lib_photoshoot/webui/pages/train/chart.mjs";
import {bucketCounts, stillHolds, tagsOf} from "../../../lib_photoshoot/webui/pages/train/counting.mjs";
import {diskSize, figure, linesOf, valueWords} from "../../../lib_photoshoot/webui/pages/train/words.mjs";

test("small figures are written as a person writes them", () => {
    const written = [[null, "–"], [undefined, "–"], [0, "0"], [0.08239, "0.0824"], [0.0002, "2e-4"], [12345, "12300"],
        [-0.00015, "-1.5e-4"]];
    for (const [value, text] of written) {
        assert.equal(figure(value), text);
    }
    assert.deepEqual([1, 1.5e6, 2.34e9].map(diskSize), ["1 MB", "2 MB", "2.3 GB"]);
    assert.deepEqual([true, false, ["a", "b"], "", 0].map(valueWords), ["on", "off", "a\nb", "none", "0"]);
    assert.deepEqual(linesOf(" a=1\n\n b = 2 \n"), ["a=1", "b = 2"]);
});

test("a chart's axes have room, round figures, and no loss below 0", () => {
    assert.deepEqual(ticksOf(0, 100, 6), [0, 20, 40, 60, 80, 100]);
    assert.deepEqual(ticksOf(0.081, 0.119, 4), [0.09, 0.1, 0.11]);
    assert.deepEqual(ticksOf(5, 5, 4), [5]);
    const axes = axesOf([[1, 0.2, null], [2, 0.1, 0.15], [3, NaN, 0.15]], 20);
    assert.ok(Math.abs(axes.from - 0.094) < 1e-9 && Math.abs(axes.to - 0.206) < 1e-9);
    assert.equal(axes.last, 20);
    assert.equal(axesOf([[30, 0.5, 0.5]], 20).last, 30);
    const flat = axesOf([[1, 0.5, 0.5]], 1);
    assert.ok(flat.from < 0.5 && flat.to > 0.5);
    assert.equal(axesOf([[1, 0.001, 1], [2, 1, 1]], 2).from, 0);
});

test("an epoch takes each photo as often as it is repeated, and as many of the regularisation", () => {
    const photos = [{bucket: "512x512"}, {bucket: "512x512", repeats: 3}, {bucket: "384x640"}];
    assert.deepEqual(bucketCounts(photos, [], 2), {
        "512x512": {pictures: 2, taken: 5}, "384x640": {pictures: 1, taken: 2},
    });
    const others = [{bucket: "512x512", repeats: 2}, {bucket: "64x64", repeats: 2}];
    // Seven are wanted: 2 + 2, then one by one.
    assert.deepEqual(bucketCounts(photos, others, 2), {
        "512x512": {pictures: 3, taken: 9}, "384x640": {pictures: 1, taken: 2}, "64x64": {pictures: 1, taken: 3},
    });
    assert.deepEqual(bucketCounts([], others, 2), {}, "nothing is taken beside nothing");
});

test("a finding about a caption holds until the caption is mended", () => {
    assert.deepEqual(tagsOf(" a, ,b ,"), ["a", "b"]);
    const holds = [
        ["caption_missing", "", true], ["caption_empty", " , ", true], ["caption_unreadable", "tag", false],
        ["tag_missing", "a mug", true], ["tag_not_first", "a mug, tag", true], ["tag_not_first", "tag, a mug", false],
        ["tag_missing", "", false], ["tag_twice", "tag, tag", true], ["tag_twice", "tag, a", false],
        ["small", "anything", true], ["tag_missing", undefined, true],
    ];
    for (const [kind, caption, expected] of holds) {
        assert.equal(stillHolds(kind, caption, "tag"), expected, `${kind}: ${caption}`);
    }
});

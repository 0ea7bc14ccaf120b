import assert from "node:assert/strict";
import {afterEach, test} from "node:test";

import {patternsOf, translated} from "../../../lib_photoshoot/webui/pages/panel/texts.mjs";
import {count, duration, plural, t} from "../../../lib_photoshoot/webui/pages/shared/words.mjs";

afterEach(() => {
    delete globalThis.localization;
});

test("a text is told in the user's language, and in English where that has none", () => {
    assert.equal(t("{done} of {of} accepted", {done: 1, of: 2}), "1 of 2 accepted");
    globalThis.localization = {
        "{done} of {of} accepted": "採用 {of} 枚中 {done}", "{n} photo": "写真{n}枚", "{n} photos": "写真{n}枚", "{n} min": "{n}分",
    };
    assert.equal(t("{done} of {of} accepted", {done: 1, of: 2}), "採用 2 枚中 1");
    assert.equal(t("The list {name} is saved.", {name: "a {of} b"}), "The list a {of} b is saved.");
    assert.equal(plural(1, "{n} photo", "{n} photos"), "写真1枚");
    assert.equal(duration(180), "3分");
});

test("numbers are written as the catalogue's language writes them", () => {
    assert.equal(count(1234567), "1,234,567");
    globalThis.localization = {"photoshoot.language": "de"};
    assert.equal(count(1234567), "1.234.567");
});

test("what Python put together is taken apart, translated, and put together again", () => {
    globalThis.localization = {
        "Get weights ({0})": "{0} holen", "{0} with a product, {1} without": "ohne {1}, mit {0}", "Stop": "Stopp",
        "{0} with a product, {1} without · about {2} left": "noch {2}: mit {0}, ohne {1}", "Saved as {0}.": "{0} gesichert.",
    };
    const patterns = patternsOf(globalThis.localization);
    assert.equal(patterns.length, 4);
    const told = {
        "Get weights (70 MB)": "70 MB holen", "Saved as 'a $& (b).c'.": "'a $& (b).c' gesichert.", "Stop": "Stopp",
        "3 with a product, 4 without": "ohne 4, mit 3", "my Stop": "my Stop", "Get weights": "Get weights",
        "3 with a product, 4 without · about 2 min left": "noch 2 min: mit 3, ohne 4",
    };
    for (const [text, expected] of Object.entries(told)) {
        assert.equal(translated(text, patterns), expected);
    }
});

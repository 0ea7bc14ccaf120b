import assert from "node:assert/strict";
import {test} from "node:test";

import {attempt, toggle} from "../../../lib_photoshoot/webui/pages/shared/elements.mjs";
import {request} from "../../../lib_photoshoot/webui/pages/shared/page.mjs";
import {go} from "../../../lib_photoshoot/webui/pages/shared/tabs.mjs";
import {duration, plural, range} from "../../../lib_photoshoot/webui/pages/shared/words.mjs";

test("figures are said as people say them", () => {
    assert.equal(plural(1, "{n} photo", "{n} photos"), "1 photo");
    assert.equal(plural(1200, "{n} photo", "{n} photos"), "1,200 photos");
    assert.equal(plural(2, "{n} row needs", "{n} rows need"), "2 rows need");
    const said = {0.2: "1 s", 89: "89 s", 90: "2 min", 5340: "89 min", 5400: "1 h 30 min", 172800: "2 days"};
    for (const [seconds, words] of Object.entries(said)) {
        assert.equal(duration(Number(seconds)), words);
    }
    assert.equal(range(0.00001, 1000), "0.00001 to 1,000.");
    assert.equal(range(64, 2048, 8), "64 to 2,048, in steps of 8.");
    assert.equal(range(1, 4, null), "1 to 4.");
});

test("a set holds what is ticked", () => {
    const ticked = new Set(["a"]);
    toggle(ticked, "b", true);
    toggle(ticked, "a", false);
    assert.deepEqual([...ticked], ["b"]);
});

test("what goes wrong is said where the user looks, and no longer when it is tried again", async() => {
    const seen = [];
    const status = {textContent: "", classList: {toggle: (name, on) => seen.push([status.textContent, on])}};
    await attempt(async() => {
        throw new Error("No such folder.");
    }, status);
    await attempt(async() => {}, status);
    assert.deepEqual(seen, [["", false], ["No such folder.", true], ["", false]]);
});

test("what the server says becomes a value, or an error that is a sentence", async context => {
    const answers = {
        "./fine": new Response('{"a": 1}'),
        "./wrong": new Response('{"error": "No such folder.", "problems": [1]}', {status: 422}),
        "./gone": new Response("<html>", {status: 404}),
        "./broken": new Response("<html>", {status: 500}),
        "./odd": new Response("<html>"),
    };
    const asked = [];
    context.mock.method(globalThis, "fetch", async(url, options) => {
        asked.push([url, options]);
        if (!(url in answers)) {
            throw new TypeError("Failed to fetch");
        }
        return answers[url];
    });
    assert.deepEqual(await request("./fine", undefined, ""), {a: 1});
    assert.deepEqual(asked[0][1], {});
    await assert.rejects(request("./wrong", {b: 2}, ""), error => {
        assert.deepEqual([error.message, error.status, error.answer.problems], ["No such folder.", 422, [1]]);
        return true;
    });
    assert.deepEqual([asked[1][1].method, asked[1][1].body], ["POST", '{"b":2}']);
    await assert.rejects(request("./gone", undefined, "Restart it."), /^Error: Restart it\.$/);
    await assert.rejects(request("./broken", undefined, ""), /status 500/);
    await assert.rejects(request("./odd", undefined, ""), /status 200/);
    await assert.rejects(request("./off", undefined, ""), /does not answer/);
});

test("a tab is found as each host writes it, and in the user's language", () => {
    let clicked;
    const page = (...texts) => {
        const buttons = texts.map(text => ({textContent: ` ${text} `, click: () => (clicked = text)}));
        globalThis.gradioApp = () => ({querySelectorAll: () => buttons});
        clicked = undefined;
        go("#tabs", "img2img");
        return clicked;
    };
    assert.equal(page("txt2img", "img2img", "Extras"), "img2img");
    assert.equal(page("Txt2img", "Img2img", "Extras"), "Img2img");
    assert.equal(page("Extras"), undefined);
    globalThis.localization = {Img2img: "Bild zu Bild"};
    assert.equal(page("Txt2img", "Bild zu Bild"), "Bild zu Bild");
    delete globalThis.localization;
});

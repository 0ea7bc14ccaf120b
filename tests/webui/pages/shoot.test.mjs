import assert from "node:assert/strict";
import {test} from "node:test";

import {fileUrl, pageUrl} from "../../../lib_photoshoot/webui/pages/shoot/api.mjs";
import {gridOf, headerOf, readList, tidied} from "../../../lib_photoshoot/webui/pages/shoot/cells.mjs";
import {fieldName, gridOfColumns, ordered} from "../../../lib_photoshoot/webui/pages/shoot/columns.mjs";
import {keyAction, offersMore} from "../../../lib_photoshoot/webui/pages/shoot/keys.mjs";
import {counted} from "../../../lib_photoshoot/webui/pages/shoot/run.mjs";
import {ShootState} from "../../../lib_photoshoot/webui/pages/shoot/state.mjs";

test("copied cells keep quotes, tabs and line breaks of a spreadsheet", () => {
    assert.equal(tidied("  red \n bag "), "red bag");
    assert.equal(tidied(undefined), "");
    assert.deepEqual(gridOf("a\tb\r\nc\td\r\n"), [["a", "b"], ["c", "d"]]);
    assert.deepEqual(gridOf('"two\nlines"\t"a ""word"""\n\t'), [["two lines", 'a "word"'], ["", ""]]);
    assert.deepEqual(gridOf('7" screen\tx'), [['7" screen', "x"]]);
    assert.deepEqual(gridOf(""), [[""]]);
});

test("a first row of field names is a header", () => {
    const names = ["name", "count", "first_seed"];
    assert.deepEqual(headerOf([["Name", "First seed"], ["bag", "5"]], names), ["name", "first_seed"]);
    assert.equal(headerOf([["Name", "price"], ["bag", "5"]], names), null);
    assert.equal(headerOf([["count"], ["5"]], names), null, "no name, no header");
    assert.equal(headerOf([["name"]], names), null, "a header of nothing");
});

test("a list's file is read as spreadsheets write it", async() => {
    const file = (name, ...bytes) => new File([new Uint8Array(bytes)], name);
    assert.deepEqual(await readList(file("a.CSV", 0x6e, 0xc3, 0xbc)), {text: "nü", kind: "csv"});
    assert.deepEqual(await readList(file("a.yml", 0x6e, 0xfc)), {text: "nü", kind: "yaml"});
    assert.deepEqual(await readList(file("a.txt", 0xff, 0xfe, 0x6e, 0)), {text: "n", kind: "csv"});
    await assert.rejects(readList(file("a.xlsx", 1)), /neither CSV nor YAML/);
});

test("columns stand in their order and have room", () => {
    const fields = [{name: "steps", kind: "whole"}, {name: "prompt"}, {name: "name"}, {name: "seed"}];
    const columns = ordered(fields);
    assert.deepEqual(columns.map(({name}) => name), ["name", "prompt", "steps", "seed"]);
    assert.deepEqual(gridOfColumns(columns, false), {
        columns: "2.6em minmax(9em, 2fr) minmax(12em, 4fr) 5em minmax(8em, 2fr)", least: "36.6em",
    });
    assert.ok(gridOfColumns(columns, true).columns.endsWith("7em 11.5em"));
    assert.equal(fieldName("first_seed"), "first seed");
});

test("keys are those of a spreadsheet", () => {
    const cell = {changes: true, offers: false, typed: false};
    const key = (name, held = {}, state = {}) => keyAction({key: name, ...held}, {...cell, ...state});
    const [alt, shift, control] = [{altKey: true}, {shiftKey: true}, {ctrlKey: true}];
    assert.deepEqual(key("Enter"), ["go", 1]);
    assert.deepEqual(key("Enter", shift), ["go", -1]);
    assert.deepEqual(key("Enter", control), ["duplicate"]);
    assert.deepEqual(key("Enter", {metaKey: true}, {changes: false}), []);
    assert.deepEqual(key("ArrowUp"), ["go", -1]);
    assert.deepEqual(key("ArrowDown", {}, {offers: true}), [], "the arrows choose among the suggestions");
    assert.deepEqual(key("ArrowDown", alt), [], "which Alt opens");
    assert.deepEqual(key("ArrowDown", control), []);
    assert.deepEqual(key("ArrowDown", {...alt, ...shift}), ["move", 1]);
    assert.deepEqual(key("ArrowDown", {...alt, ...shift}, {changes: false}), []);
    assert.deepEqual(key("Delete", {...alt, ...shift}), ["remove"]);
    assert.deepEqual(key("x", {...alt, ...shift}), []);
    assert.deepEqual(key("Escape"), []);
    assert.deepEqual(key("Escape", {}, {typed: true}), ["restore"]);
    assert.deepEqual(key("Enter", {isComposing: true}), []);
    const list = {options: [{value: "Euler"}, {value: "Euler a"}]};
    assert.ok(offersMore({list, value: "eul"}) && offersMore({list, value: "Euler"}));
    assert.ok(!offersMore({list, value: "Euler a"}) && !offersMore({list: null, value: ""}));
});

test("a shoot grows with each answer", () => {
    const shot = (id, product, decision, more = {}) => ({id, product, decision, seconds: 2, webui: "own", ...more});
    const products = [{name: "bag", wanted: 2, accepted: 3, rejected: 1}, {name: "cup", wanted: 5, accepted: 1, rejected: 0}];
    const state = new ShootState("spring", {revision: 4, state: "stopping", products, shots: [shot(1, "bag", "accepted")]});
    assert.ok(state.running && state.revision === 4);
    assert.deepEqual(state.totals, {wanted: 7, accepted: 4, rejected: 1, counting: 3});
    state.update({products, shots: [shot(2, "cup", "rejected", {webui: "other"}), shot(1, "bag", "rejected")]});
    assert.deepEqual(state.newest(5).map(({id, decision}) => [id, decision]), [[2, "rejected"], [1, "rejected"]]);
    assert.deepEqual(state.newest(1, "bag").map(({id}) => id), [1]);
    assert.deepEqual(state.newest(5, "hat"), []);
    // Two WebUIs side by side, 2 s each: one picture a second.
    assert.deepEqual(state.pace(30), {pictures: 1, accepted: 0});
    assert.equal(new ShootState("").pace(30), null);
});

test("sentences that come again are said once", () => {
    assert.deepEqual(counted(["a", "b", "a"]), ["a (2 times)", "b"]);
});

test("addresses hold any name", () => {
    assert.equal(fileUrl("ä/b", "red bag/1.png"), "./photoshoot/v1/shoot/shoots/%C3%A4%2Fb/red%20bag/1.png");
    const shoot = {detail: {page: "photoshoot/v1/pictures/L2E/report.html"}};
    assert.equal(pageUrl(shoot, {product: "x/y #1", seed: 5}), `./${shoot.detail.page}#x%2Fy%20%231/5`);
});

import assert from "node:assert/strict";
import {test} from "node:test";

import {confirmDelete, picture} from "../../../lib_photoshoot/webui/pages/panel/actions.mjs";
import {chosen, open} from "../../../lib_photoshoot/webui/pages/folder/page.mjs";

test("the preview takes the selected picture, and no grid where none is selected", () => {
    const gallery = ["grid", "first", "second"];
    const info = JSON.stringify({index_of_first_image: 1});
    const selected = index => {
        globalThis.selected_gallery_index = () => index;
    };
    selected(-1);
    assert.deepEqual(picture(gallery, info, "cup", 0.3), [["first"], "", "cup", 0.3]);
    selected(2);
    assert.deepEqual(picture(gallery, info), [["second"], ""]);
    selected(7);
    assert.deepEqual(picture(gallery, info), [["grid"], ""]);
    selected(-1);
    assert.deepEqual(picture(["only"], ""), [["only"], ""]);
    assert.deepEqual(picture(null, "", 1), [[], "", 1]);
});

test("a preset is deleted on the user's word only", () => {
    globalThis.confirm = () => false;
    assert.deepEqual(confirmDelete("mine"), [""]);
    globalThis.confirm = () => true;
    assert.deepEqual(confirmDelete("mine"), ["mine"]);
    assert.deepEqual(confirmDelete(""), [""]);
});

test("the picture that was chosen in the tab's frame goes to the host, and nobody else's", async() => {
    const heard = {};
    const clicked = [];
    const frame = {src: "http://host/photoshoot/v1/pictures/L2E/report.html?1", contentWindow: {}};
    const send = {click: () => clicked.push(JSON.parse(chosen()[0]))};
    globalThis.location = {origin: "http://host"};
    globalThis.addEventListener = (name, action) => (heard[name] = action);
    globalThis.document = {addEventListener: () => {}, querySelectorAll: () => [{href: "style.css"}], body: {
        insertBefore: link => link.onload(),
    }, createElement: () => ({})};
    globalThis.gradioApp = () => ({querySelector: selector => selector.includes("iframe") ? frame : send});
    await open();
    const message = {origin: "http://host", source: frame.contentWindow, data: {chosen: "inpaint", id: 7}};
    heard.message({...message, origin: "http://elsewhere"});
    heard.message({...message, source: {}});
    heard.message({...message, data: {chosen: "else"}});
    assert.deepEqual(clicked, []);
    heard.message(message);
    assert.deepEqual(clicked, [["L2E", 7]]);
});

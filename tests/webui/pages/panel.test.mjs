import assert from "node:assert/strict";
import {test} from "node:test";

import {confirmDelete, picture} from "../../../lib_photoshoot/webui/pages/panel/actions.mjs";
import {chosen} from "../../../lib_photoshoot/webui/pages/folder/page.mjs";

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

test("an event gets the chosen card with the results that it holds", () => {
    assert.deepEqual(chosen(0, "results", "an output that gradio adds"), [0, "results"]);
});

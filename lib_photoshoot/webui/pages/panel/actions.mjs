// What the panel's buttons do in the page, before or after they ask the server.

import {t} from "../shared/words.mjs";

// The selected picture of the gallery, or the first that is no grid, as a list, and its infotext.
export function selected(gallery, generationInfo) {
    let info = {};
    try {
        info = JSON.parse(generationInfo) ?? {};
    } catch {
        // No generation yet, or one whose information is shown elsewhere.
    }
    const pictures = gallery ?? [];
    const index = Math.max(selected_gallery_index(), info.index_of_first_image ?? 0);
    const at = pictures[index] ? index : 0;
    return pictures[at] ? [[pictures[at]], info.infotexts?.[at] ?? ""] : [[], ""];
}

// For the preview.
export function picture(gallery, generationInfo, ...values) {
    return [selected(gallery, generationInfo)[0], "", ...values];
}

export function confirmDelete(name) {
    return [name && confirm(t("Delete the preset \"{name}\"?", {name})) ? name : ""];
}

export function confirmForget(name) {
    return [name && confirm(t("Forget \"{name}\" and its photos?", {name})) ? name : ""];
}

// Offers the settings as a file; `packed` is JSON with its name and text.
export function download(packed) {
    if (!packed) {
        return;
    }
    const {name, text} = JSON.parse(packed);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
}

// As if typed, so that the browser's undo brings the old prompt back.
export function writePrompt(tab, text) {
    const box = gradioApp().querySelector(`#${tab}_prompt textarea`);
    if (!text || !box) {
        return;
    }
    box.focus();
    box.select();
    if (!document.execCommand("insertText", false, text)) {
        box.value = text;
    }
    updateInput(box);
}

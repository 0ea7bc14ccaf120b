// The tabs of the host's page, which have no ids in gradio 3: they are found by what is written on them.

import {t} from "./words.mjs";

// Open the tab of that name, in the user's language. Forge writes "Img2img" where the others have "img2img".
export function go(tabs, name) {
    const names = [name, name[0].toUpperCase() + name.slice(1)];
    Array.from(gradioApp().querySelectorAll(`${tabs} > .tab-nav > button`))
        .find(button => [...names, ...names.map(one => t(one))].includes(button.textContent.trim()))?.click();
}

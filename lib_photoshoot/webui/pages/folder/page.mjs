// The tab's part 'Filter pictures'. Its HTML comes from lib_photoshoot/webui/folder/gallery.py and is replaced with
// each page, so one listener for the whole page hears all of it.

import {styled} from "../shared/styles.mjs";
import {t} from "../shared/words.mjs";

let chosenCard = 0;

export function open() {
    document.addEventListener("input", event => {
        const compare = event.target.closest?.(".photoshoot-tab-compare");
        compare?.style.setProperty("--at", `${event.target.value}%`);
    });
    document.addEventListener("click", event => {
        const card = event.target.closest?.("[data-photoshoot-send]");
        if (card) {
            chosenCard = Number(card.dataset.photoshootSend);
            gradioApp().querySelector("#photoshoot_tab_send")?.click();
        }
    });
    return styled(import.meta.url, "style.css");
}

// For the host's event: the card whose button was pressed.
export function chosen(_, results) {
    return [chosenCard, results];
}

export function openInpaint() {
    const named = (selector, name) => Array.from(gradioApp().querySelectorAll(`${selector} > .tab-nav > button`))
        .find(button => [name, t(name)].includes(button.textContent.trim()));
    named("#tabs", "img2img")?.click();
    named("#mode_img2img", "Inpaint upload")?.click();
    return [];
}

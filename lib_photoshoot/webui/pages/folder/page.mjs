// The tab's part 'Filter pictures': the picture page in it is told what this WebUI can do with a picture, and what was
// chosen there is done here.

import {selected} from "../panel/actions.mjs";
import {styled} from "../shared/styles.mjs";
import {go} from "../shared/tabs.mjs";
import {t} from "../shared/words.mjs";

const FRAME = "#photoshoot_tab_pictures iframe";
let picture = null;

export function open() {
    document.addEventListener("load", ({target}) => {
        if (target.matches?.(FRAME)) {
            const offered = gradioApp().querySelector("#photoshoot_tab_send")
                ? [{name: "inpaint", label: t("Send to inpaint")}] : [];
            const theme = document.body.classList.contains("dark") ? "dark" : "light";
            target.contentWindow.postMessage({offered, theme}, location.origin);
            target.scrollIntoView({block: "nearest"});
        }
    }, true); // it does not bubble
    addEventListener("message", ({source, origin, data}) => {
        const frame = gradioApp().querySelector(FRAME);
        if (origin === location.origin && source === frame?.contentWindow && data?.chosen === "inpaint") {
            picture = [new URL(frame.src).pathname.split("/").at(-2), data.id];
            gradioApp().querySelector("#photoshoot_tab_send").click();
        }
    });
    return styled(import.meta.url, "style.css");
}

// For the host's event: the page's place, and the picture that was chosen in it.
export function chosen() {
    return [JSON.stringify(picture)];
}

export function openInpaint() {
    go("#tabs", "img2img");
    go("#mode_img2img", "Inpaint upload");
    return [];
}

// For the host's event: the picture in a gallery, with its infotext, is opened in this part.
export function openResult(gallery, generationInfo, products) {
    const [pictures, infotext] = selected(gallery, generationInfo);
    if (pictures.length) {
        go("#tabs", t("Photoshoot"));
        go("#photoshoot_tab_parts", t("Filter pictures"));
    }
    return [pictures, infotext, products];
}

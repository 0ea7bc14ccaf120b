// How the part 'Shoot a list' asks the server, and names its elements.

import {Parts} from "../shared/elements.mjs";
import {request} from "../shared/page.mjs";
import {t} from "../shared/words.mjs";

export const parts = new Parts("photoshoot_shoot_");

export function shootUrl(path = "") {
    return `./photoshoot/v1/shoot${path}`;
}

export function ask(path = "", body = undefined) {
    return request(shootUrl(path), body,
        t("This WebUI does not know how to shoot a list; restart it after an update of the extension."));
}

export function shootPath(name, rest = "") {
    return `/shoots/${encodeURIComponent(name)}${rest}`;
}

// The address of a file in the shoot's folder, as its shots name it.
export function fileUrl(name, file) {
    return shootUrl(shootPath(name, `/${file.split("/").map(encodeURIComponent).join("/")}`));
}

// The picture page of a shoot at one of its pictures.
export function pageUrl({detail}, {product, seed}) {
    return `./${detail.page}#${encodeURIComponent(product)}/${encodeURIComponent(seed)}`;
}

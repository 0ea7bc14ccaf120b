// How the Train part asks the server, and names its elements.

import {Parts} from "../shared/elements.mjs";
import {request} from "../shared/page.mjs";
import {t} from "../shared/words.mjs";

export const parts = new Parts("photoshoot_train_");

export function ask(path, body) {
    return request(trainUrl(path), body,
        t("This WebUI does not know how to train; restart it after an update of the extension."));
}

export function trainUrl(path, query = null) {
    return `./photoshoot/v1/train${path}${query ? `?${new URLSearchParams(query)}` : ""}`;
}

export function runPath(name, action = "") {
    return `/runs/${encodeURIComponent(name)}${action}`;
}

// What Python says in the panel and the tab, in the user's language. The host's own script translates whole texts that
// are added; not those with values in them, nor titles and labels below what was added, nor texts that change.

import {t} from "../shared/words.mjs";

const OURS = "#photoshoot_txt2img_enabled, #photoshoot_img2img_enabled, #tab_photoshoot";
// Pages that ask for their texts themselves, and what is no text of ours.
const LEFT_ALONE = "#photoshoot_train, #photoshoot_shoot, script, style, pre, code";
const ATTRIBUTES = ["alt", "aria-label", "placeholder", "title"];

// From texts that a catalogue has with {0}, {1} in place of values, as Python's come to the page with them: what they
// look like, and their translation. A text with more of its own comes before one that could be taken for it.
export function patternsOf(catalogue) {
    const own = text => text.replace(/\{\d\}/g, "").length;
    return Object.entries(catalogue).filter(([text]) => text.includes("{0}"))
        .sort(([one], [other]) => own(other) - own(one))
        .map(([text, told]) => {
            const quoted = text.replace(/[$()*+.?[\\\]^|]/g, "\\$&").replace(/\{\d\}/g, "(.+)");
            return [new RegExp(`^${quoted}$`, "s"), told];
        });
}

// The translation of a text that stands in the page; the text itself where there is none.
export function translated(text, patterns) {
    for (const [pattern, told] of patterns) {
        const found = pattern.exec(text);
        if (found) {
            return t(told, found.slice(1));
        }
    }
    return t(text);
}

// Translate what there is, and what comes.
export function follow() {
    const texts = new Texts(patternsOf(globalThis.localization));
    for (const root of gradioApp().querySelectorAll(OURS)) {
        texts.follow(root);
    }
}

class Texts {
    constructor(patterns) {
        this.patterns = patterns;
    }

    follow(root) {
        this.#added(root);
        new MutationObserver(changes => changes.forEach(change => this.#changed(change))).observe(root, {
            subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES,
        });
    }

    #changed({type, target, attributeName, addedNodes}) {
        if (type === "childList") {
            addedNodes.forEach(node => this.#added(node));
        } else if (type === "characterData") {
            this.#text(target);
        } else {
            this.#attributes(target, [attributeName]);
        }
    }

    #added(node) {
        if (node.nodeType === Node.TEXT_NODE) {
            this.#text(node);
        } else if (node.nodeType === Node.ELEMENT_NODE) {
            const named = node.querySelectorAll(ATTRIBUTES.map(name => `[${name}]`));
            [node, ...named].forEach(one => this.#attributes(one, ATTRIBUTES));
            const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                this.#text(walker.currentNode);
            }
        }
    }

    #text(node) {
        const told = this.#told(node.data);
        if (told !== node.data && !node.parentElement?.closest(LEFT_ALONE)) {
            node.data = told;
        }
    }

    #attributes(node, names) {
        for (const name of names.filter(one => node.hasAttribute(one) && !node.closest(LEFT_ALONE))) {
            const text = node.getAttribute(name);
            const told = this.#told(text);
            if (told !== text) {
                node.setAttribute(name, told);
            }
        }
    }

    // Spaces around a text stay.
    #told(text) {
        const own = text.trim();
        return own ? text.replace(own, () => translated(own, this.patterns)) : text;
    }
}

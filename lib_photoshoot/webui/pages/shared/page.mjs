// What the pages of the Photoshoot tab have in common: they ask the server for news while they are seen, and the
// browser keeps what was typed.

import {note, say} from "./elements.mjs";
import {t} from "./words.mjs";

const BUSY_MS = 1000;
export const IDLE_MS = 10000;

// GET without a body, else POST. Throws an Error whose message is a sentence for the user; `status` is HTTP's, `answer`
// what came with it. `unknown` is the sentence where the WebUI has no such address.
export async function request(url, body, unknown) {
    const options = body === undefined ? {} : {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify(body),
    };
    let answer;
    try {
        answer = await fetch(url, options);
    } catch {
        throw new Error(t("The WebUI does not answer; check that it still runs."));
    }
    const data = await answer.json().catch(() => null);
    if (answer.ok && data !== null) {
        return data;
    }
    const {status} = answer;
    const told = status === 404 ? unknown
        : t("The WebUI could not do that (status {status}); its console says why.", {status});
    throw Object.assign(new Error(data?.error || told), {status, answer: data});
}

// A page: its root, its parts (each with poll() and busy), what was typed, and the clock.
export class Page {
    // `parts` make its elements; `store` is the key under which the browser keeps things.
    constructor(root, parts, store) {
        this.root = root;
        this.line = parts.status("connection"); // where a failure to get news is said
        this.store = store;
        this.saved = this.#load();
        this.visible = false;
        this.parts = [];
        // The host's typography for texts would be in the way of tables and lists.
        root.closest(".prose")?.classList.remove("prose");
        new IntersectionObserver(entries => {
            this.visible = entries.at(-1).isIntersecting;
            this.wake();
        }).observe(root);
        document.addEventListener("visibilitychange", () => this.wake());
    }

    // Ask for what the page begins with, then build() it; a failure is said, with a button to try again.
    async open(parts, ask) {
        try {
            this.info = await ask();
        } catch (error) {
            const again = parts.button("again", t("Try again"), () => this.open(parts, ask));
            this.root.replaceChildren(note(error.message, true), again);
            return;
        }
        await this.build();
    }

    // Ask for news now, and then again and again.
    wake() {
        clearTimeout(this.timer);
        if (this.ticking) {
            this.again = true;
        } else if (this.parts.length && this.visible && !document.hidden) {
            this.#tick();
        }
    }

    // Keep what was typed for the next visit; false where the browser keeps nothing.
    remember(values) {
        Object.assign(this.saved, values);
        try {
            localStorage.setItem(this.store, JSON.stringify(this.saved));
            return true;
        } catch {
            return false;
        }
    }

    // For an input: what it holds is kept under that name.
    kept(name) {
        return {value: this.saved[name] ?? "", onchange: ({target}) => this.remember({[name]: target.value})};
    }

    async #tick() {
        this.ticking = true;
        this.again = false;
        const errors = [];
        for (const part of this.parts) {
            await part.poll().catch(error => errors.push(error.message));
        }
        say(this.line, errors[0] ?? "", true);
        this.ticking = false;
        const pause = this.parts.some(part => part.busy) ? BUSY_MS : IDLE_MS;
        this.timer = setTimeout(() => this.wake(), this.again ? 0 : pause);
    }

    #load() {
        try {
            return JSON.parse(localStorage.getItem(this.store)) ?? {};
        } catch {
            return {};
        }
    }
}

// Takes effect once nothing more came for so many milliseconds.
export function later(action, pause) {
    let timer;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(action, pause);
    };
}

// Step 2: where the pictures are made, Start and Stop, and how far the shoot is.

import {items, labelled, line, make, note, renew} from "../shared/elements.mjs";
import {Standing} from "../shared/standing.mjs";
import {count, duration, t} from "../shared/words.mjs";
import {ask, parts, shootPath} from "./api.mjs";
import {ShootState} from "./state.mjs";

const STATES = {
    draft: t("Not started"),
    running: t("Shooting"),
    stopping: t("Stopping: the pictures at hand are finished"),
    stopped: t("Stopped"),
    done: t("All pictures are there"),
    short: t("Ended, but pictures are missing"),
    failed: t("Failed"),
};
// So many of the last pictures tell the pace.
const PACE = 30;

export class Run {
    constructor(page) {
        this.page = page;
        const {saved, info} = page;
        this.standing = new Standing(parts, t("Pictures accepted"));
        this.notes = parts.make("ul", "run_notes", {
            class: "photoshoot-page-findings", "aria-label": t("WebUIs that failed"),
        });
        this.status = parts.status("run_status");
        this.own = parts.input("own", {
            type: "checkbox", checked: saved.own ?? true, onchange: () => page.remember({own: this.own.checked}),
        });
        this.webuis = parts.make("textarea", "webuis", {
            rows: 2, spellcheck: false, placeholder: "http://192.168.1.20:7860", ...page.kept("webuis"),
        });
        this.auth = parts.input("auth", {type: "password", autocomplete: "new-password", placeholder: "user:password"});
        this.tries = parts.input("tries", {
            type: "number", min: 1, step: 1, placeholder: t("5 for each picture"), ...page.kept("tries"),
        });
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.start = button("start", t("Start"), () => this.#start(), {primary: true});
        this.stop = button("stop", t("Stop"), () => this.#stop(), {
            title: t("The pictures at hand are finished; Start goes on from there."),
        });
        this.review = parts.make("a", "review", {target: "_blank", class: "photoshoot-page-button"},
            t("Review the pictures"));
        this.settings = make("div", {class: "photoshoot-page-grid photoshoot-page-pairwise"},
            make("div", {class: "photoshoot-page-found"},
                labelled(this.own, t("This WebUI"), t("Its other jobs take turns with the shoot's.")),
                labelled(this.tries, t("Tries at most for each product"),
                    t("A product that has not enough accepted pictures by then is left short."))),
            make("div", {class: "photoshoot-page-found"},
                labelled(this.webuis, t("Further WebUIs"),
                    t("One address a line; each with this extension and --api.")),
                labelled(this.auth, t("Their login"),
                    t("Where they were started with --api-auth. It is not kept."))));
        const lacking = info.weights ? note(info.weights, true) : null;
        this.box = parts.step("run", 2, t("Shoot"),
            ...this.standing.nodes, this.notes, lacking, this.settings, line(this.start, this.stop, this.review), this.status);
    }

    get busy() {
        return this.page.shoot.running;
    }

    async poll() {
        const {shoot} = this.page;
        if (!shoot.name) {
            return;
        }
        const path = shootPath(shoot.name);
        let detail = await ask(`${path}?after=${shoot.revision}`);
        if (detail.revision < shoot.revision && shoot === this.page.shoot) {
            // It was begun anew: what is known of it does not hold any more.
            this.page.shoot = new ShootState(shoot.name);
            detail = await ask(path);
        }
        const {state} = shoot.detail ?? {};
        this.page.take(detail);
        if (state !== detail.state) {
            this.page.lists.due = true;
            this.page.wake();
        }
    }

    show() {
        const {shoot} = this.page;
        const {state = "draft", message = "", notes = []} = shoot.detail ?? {};
        this.box.dataset.state = state;
        this.standing.show(STATES[state] ?? state, shoot.name, message, state === "failed");
        renew(this.notes, notes, () => items(counted(notes)));
        this.notes.hidden = notes.length === 0;
        this.settings.hidden = this.start.hidden = shoot.running;
        this.start.textContent = ["stopped", "short", "failed"].includes(state) ? t("Go on") : t("Start");
        this.start.disabled = state === "done" && !this.page.lists.dirty;
        this.stop.hidden = !shoot.running;
        this.stop.disabled = state === "stopping";
        this.review.hidden = shoot.shots.size === 0;
        if (shoot.detail) {
            this.review.href = `./${shoot.detail.page}`;
        }
        this.standing.bar.hidden = this.standing.figures.hidden = state === "draft";
        this.#showFigures();
    }

    #showFigures() {
        const {shoot} = this.page;
        const {wanted, accepted, rejected, counting} = shoot.totals;
        const pace = shoot.running ? shoot.pace(PACE) : null;
        const minute = pace ? pace.pictures * 60 : 0;
        const {seconds} = shoot.detail ?? {};
        const left = pace?.accepted ? duration((wanted - counting) / pace.accepted) : "–";
        const told = t("{done} of {of} accepted", {done: count(counting), of: count(wanted)});
        this.standing.measure(wanted ? counting / wanted : 0, told, [
            [t("Accepted"), t("{done} of {of}", {done: count(accepted), of: count(wanted)})],
            [t("Rejected"), count(rejected)],
            shoot.running ? [t("Pictures a minute"), minute ? minute.toFixed(minute < 10 ? 1 : 0) : "–"]
                : [t("Products complete"), this.#complete()],
            shoot.running ? [t("Time left, about"), left]
                : [t("Last run took"), Number.isFinite(seconds) ? duration(seconds) : "–"],
        ]);
    }

    #complete() {
        const products = [...this.page.shoot.products.values()];
        const done = products.filter(one => one.accepted >= one.wanted).length;
        return t("{done} of {of}", {done, of: products.length});
    }

    async #start() {
        const {page} = this;
        const webuis = this.webuis.value.split(/\s+/).filter(Boolean);
        if (!this.own.checked && !webuis.length) {
            this.own.focus();
            throw new Error(t("Tick This WebUI, or name another one."));
        }
        if (!page.shoot.name || page.lists.dirty) {
            await page.lists.save();
        }
        page.take(await ask(shootPath(page.shoot.name), {
            action: "start", own: this.own.checked, webuis, auth: this.auth.value,
            tries: this.tries.value ? Number(this.tries.value) : null,
        }));
        this.stop.focus({preventScroll: true});
        page.lists.due = true;
        page.wake();
    }

    async #stop() {
        this.page.take(await ask(shootPath(this.page.shoot.name), {action: "stop"}));
        this.page.wake();
    }
}

// A WebUI that is away is asked again and again: each sentence once, with how often it came.
export function counted(texts) {
    const times = new Map();
    texts.forEach(text => times.set(text, (times.get(text) ?? 0) + 1));
    return [...times].map(([text, often]) => often > 1 ? t("{text} ({count} times)", {text, count: often}) : text);
}

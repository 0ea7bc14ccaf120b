// Step 2: where the pictures are made, Start and Stop, and how far the shoot is.

import {figures, fill, items, labelled, line, make, note, renew, say} from "../shared/elements.mjs";
import {duration} from "../shared/words.mjs";
import {ask, fileUrl, parts, shootPath} from "./api.mjs";
import {ShootState} from "./state.mjs";

const STATES = {
    draft: "Not started",
    running: "Shooting",
    stopping: "Stopping: the pictures at hand are finished",
    stopped: "Stopped",
    done: "All pictures are there",
    short: "Ended, but pictures are missing",
    failed: "Failed",
};
// So many of the last pictures tell the pace.
const PACE = 30;

export class Run {
    constructor(page) {
        this.page = page;
        const {saved, info} = page;
        this.state = parts.make("b", "run_state", {role: "status", "aria-live": "polite"});
        this.name = parts.make("span", "run_name");
        this.message = parts.make("p", "run_message", {"aria-live": "polite"});
        this.bar = parts.bar("run_bar", "Pictures accepted");
        this.figures = parts.make("dl", "run_figures", {class: "photoshoot-page-figures"});
        this.notes = parts.make("ul", "run_notes", {
            class: "photoshoot-page-findings", "aria-label": "WebUIs that failed",
        });
        this.status = parts.status("run_status");
        const remember = () => page.remember({
            own: this.own.checked, webuis: this.webuis.value, tries: this.tries.value,
        });
        this.own = parts.input("own", {type: "checkbox", checked: saved.own ?? true, onchange: remember});
        this.webuis = parts.make("textarea", "webuis", {
            rows: 2, spellcheck: false, value: saved.webuis ?? "", onchange: remember,
            placeholder: "http://192.168.1.20:7860",
        });
        this.auth = parts.input("auth", {type: "password", autocomplete: "new-password", placeholder: "user:password"});
        this.tries = parts.input("tries", {
            type: "number", min: 1, step: 1, value: saved.tries ?? "", onchange: remember,
            placeholder: "5 for each picture",
        });
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.start = button("start", "Start", () => this.#start(), {primary: true});
        this.stop = button("stop", "Stop", () => this.#stop(), {
            title: "The pictures at hand are finished; Start goes on from there.",
        });
        this.review = parts.make("a", "review", {target: "_blank", class: "photoshoot-page-button"},
            "Review the pictures");
        this.settings = make("div", {class: "photoshoot-page-grid photoshoot-page-pairwise"},
            make("div", {class: "photoshoot-page-found"},
                labelled(this.own, "This WebUI", "Its other jobs take turns with the shoot's."),
                labelled(this.tries, "Tries at most for each product",
                    "A product that has not enough accepted pictures by then is left short.")),
            make("div", {class: "photoshoot-page-found"},
                labelled(this.webuis, "Further WebUIs",
                    "One address a line; each with this extension and --api."),
                labelled(this.auth, "Their login",
                    "Where they were started with --api-auth. It is not kept.")));
        const lacking = info.weights ? note(info.weights, true) : null;
        this.box = parts.step("run", 2, "Shoot",
            line(this.state, this.name), this.message, this.bar, this.figures, this.notes, lacking,
            this.settings, line(this.start, this.stop, this.review), this.status);
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
        say(this.state, STATES[state] ?? state);
        this.box.dataset.state = state;
        this.name.textContent = shoot.name;
        this.message.className = `photoshoot-page-message${state === "failed" ? " photoshoot-page-failure" : ""}`;
        say(this.message, message);
        this.message.hidden = !message;
        renew(this.notes, notes, () => items(counted(notes)));
        this.notes.hidden = notes.length === 0;
        this.settings.hidden = this.start.hidden = shoot.running;
        this.start.textContent = ["stopped", "short", "failed"].includes(state) ? "Go on" : "Start";
        this.start.disabled = state === "done" && !this.page.lists.dirty;
        this.stop.hidden = !shoot.running;
        this.stop.disabled = state === "stopping";
        this.review.hidden = shoot.shots.size === 0;
        if (shoot.name) {
            this.review.href = fileUrl(shoot.name, "report.html");
        }
        this.bar.hidden = this.figures.hidden = state === "draft";
        this.#showFigures();
    }

    #showFigures() {
        const {shoot} = this.page;
        const {wanted, accepted, rejected, counting} = shoot.totals;
        const plain = number => number.toLocaleString("en");
        fill(this.bar, wanted ? counting / wanted : 0, `${plain(counting)} of ${plain(wanted)} accepted`);
        const pace = shoot.running ? shoot.pace(PACE) : null;
        const minute = pace ? pace.pictures * 60 : 0;
        const {seconds} = shoot.detail ?? {};
        const left = pace?.accepted ? duration((wanted - counting) / pace.accepted) : "–";
        const pairs = [
            ["Accepted", `${plain(accepted)} of ${plain(wanted)}`],
            ["Rejected", plain(rejected)],
            shoot.running ? ["Pictures a minute", minute ? minute.toFixed(minute < 10 ? 1 : 0) : "–"]
                : ["Products complete", this.#complete()],
            shoot.running ? ["Time left, about", left]
                : ["Last run took", Number.isFinite(seconds) ? duration(seconds) : "–"],
        ];
        renew(this.figures, pairs, () => figures(pairs));
    }

    #complete() {
        const products = [...this.page.shoot.products.values()];
        return `${products.filter(one => one.accepted >= one.wanted).length} of ${products.length}`;
    }

    async #start() {
        const {page} = this;
        const webuis = this.webuis.value.split(/\s+/).filter(Boolean);
        if (!this.own.checked && !webuis.length) {
            this.own.focus();
            throw new Error("Tick This WebUI, or name another one.");
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
    return [...times].map(([text, count]) => count > 1 ? `${text} (${count} times)` : text);
}

// Earlier runs.

import {make, renew} from "../shared/elements.mjs";
import {IDLE_MS} from "../shared/page.mjs";
import {date, t} from "../shared/words.mjs";
import {ask, parts, runPath} from "./api.mjs";
import {STATES} from "./words.mjs";

export class Runs {
    constructor(train) {
        this.train = train;
        this.status = parts.status("runs_status");
        this.list = parts.make("ul", "runs");
        this.box = parts.fold("runs_fold", t("All runs"), this.list, this.status);
        this.busy = false;
        this.due = false;
        this.#show(train.info.runs);
        const [first] = [train.info.active, ...train.info.runs.map(run => run.name)].filter(Boolean);
        this.following = first ?? null;
    }

    refresh() {
        this.due = true;
    }

    // The run that is at work, or else the newest, is shown at first; later on, one that others began.
    async poll() {
        const now = Date.now();
        if (this.due || now - (this.asked ?? 0) > 0.9 * IDLE_MS) {
            this.due = false;
            this.asked = now;
            this.#show(await ask("/runs"));
        }
        const {run} = this.train;
        if (!run.detail && this.following) {
            const name = this.following;
            this.following = null;
            await run.open(name);
        }
    }

    #show(runs) {
        const {run} = this.train;
        const names = runs.map(({name}) => name);
        const known = this.names ?? new Set(names);
        const begun = names.find(name => !known.has(name));
        this.names = new Set(names);
        if (begun && !run.busy && run.detail?.name !== begun) {
            this.following = begun;
            run.show(null);
        }
        this.box.hidden = runs.length === 0;
        this.box.firstChild.textContent = t("All runs ({n})", {n: runs.length});
        const focus = this.list.contains(document.activeElement) ? document.activeElement.id : "";
        renew(this.list, [runs, run.detail?.name], () => runs.map(one => this.#row(one)));
        if (focus && document.activeElement?.id !== focus) {
            document.getElementById(focus)?.focus();
        }
    }

    #row({name, state, step, total, created}) {
        const {run} = this.train;
        const told = {state: STATES[state] ?? state, step, total, date: date(created)};
        return make("li", {"aria-current": String(name === run.detail?.name)},
            make("span", {}, make("b", {}, name),
                make("small", {}, t("{state}, step {step} of {total}; {date}", told))),
            parts.button(`show_${name}`, t("Show"), () => run.open(name), this.status, {
                "aria-label": t("Show the run {name}", {name}),
            }),
            parts.button(`remove_${name}`, t("Remove…"), () => this.#remove(name), this.status, {
                "aria-label": t("Remove the run {name}", {name}),
                hidden: ["starting", "training", "paused", "stopping"].includes(state),
            }));
    }

    async #remove(name) {
        const kept = t("Its folder is moved to \"removed\" beside the other runs; what is in the Lora folder stays.");
        if (!confirm(`${t("Remove the run {name}?", {name})}\n\n${kept}`)) {
            return;
        }
        await ask(runPath(name, "/remove"), {});
        if (this.train.run.detail?.name === name) {
            this.train.run.show(null);
        }
        this.refresh();
        this.train.wake();
    }
}

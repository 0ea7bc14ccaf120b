// Step 4: the run that is shown, live: how it stands, what can be done with it, its loss, pictures and console.

import {figures, fill, help, labelled, line, make, note, renew, say} from "../shared/elements.mjs";
import {duration} from "../shared/words.mjs";
import {ask, parts, runPath, trainUrl} from "./api.mjs";
import {chartOf} from "./chart.mjs";
import {Results} from "./results.mjs";
import {figure, linesOf, STATES, valueWords} from "./words.mjs";

export class Run {
    constructor(train) {
        this.train = train;
        this.detail = null;
        this.results = new Results(train, this);
        this.empty = make("p", {class: "photoshoot-page-nothing"},
            "The run appears here: how far it is, its loss, and pictures of each epoch.");
        this.state = parts.make("b", "run_state", {role: "status", "aria-live": "polite"});
        this.name = parts.make("span", "run_name");
        this.message = parts.make("p", "run_message", {"aria-live": "polite"});
        this.bar = parts.bar("run_bar", "Training");
        this.bar.hidden = false;
        this.figures = parts.make("dl", "run_figures", {class: "photoshoot-page-figures"});
        this.status = parts.status("run_status");
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.begin = button("run_start", "Start", () => this.#do("start"), {primary: true});
        this.resume = button("resume", "Resume", () => this.#resume(), {primary: true});
        this.changes = parts.make("textarea", "resume_set", {
            rows: 2, spellcheck: false, placeholder: "gradient_checkpointing=true",
        });
        this.changesFold = parts.fold("resume_fold", "Change values before it goes on",
            labelled(this.changes, "Values to change",
                "NAME=VALUE, one a line, where the saved state allows it: those of memory, precision and noise."));
        this.pause = button("pause", "Pause", () =>
            this.#do(this.detail.status.state === "paused" ? "unpause" : "pause"));
        this.stop = button("stop", "Stop and save", () => this.#do("stop"));
        this.cancel = button("cancel", "Cancel…", () => this.#cancel());
        this.chart = parts.make("div", "chart");
        this.samples = parts.make("div", "samples");
        this.log = parts.make("pre", "log", {tabIndex: 0, "aria-label": "Console of the trainer"});
        this.logFold = parts.fold("log_fold", "Console of the trainer", this.log);
        this.logFold.ontoggle = () => this.#showLog();
        this.commands = parts.make("pre", "commands", {tabIndex: 0, "aria-label": "Commands"});
        this.commandsFold = parts.fold("commands_fold", "Commands for each machine", this.commands);
        this.about = parts.make("div", "about");
        this.aboutFold = parts.fold("about_fold", "What is trained", this.about,
            button("use_recipe", "Use this recipe again", () => this.#useRecipe()));
        this.shown = make("div", {hidden: true, class: "photoshoot-page-found"},
            line(this.state, this.name), this.message, this.bar, this.figures,
            line(this.begin, this.pause, this.stop, this.resume, this.cancel), this.changesFold, this.status,
            this.chart, this.samples, this.aboutFold, this.commandsFold, this.logFold);
        this.box = parts.step("run", 4, "Run", this.empty, this.shown);
        new ResizeObserver(() => this.#showChart()).observe(this.chart);
    }

    get busy() {
        return Boolean(this.detail?.active);
    }

    async poll() {
        const {name} = this.detail ?? {};
        if (!name) {
            return;
        }
        const detail = await ask(runPath(name)).catch(error => {
            if (error.status === 404) {
                return null; // it was removed
            }
            throw error;
        });
        if (name === this.detail?.name) {
            this.show(detail);
            await this.#showLog();
        }
    }

    // Show a run that has just begun, and bring it into view.
    follow(detail) {
        this.show(detail);
        const head = this.box.querySelector("h3");
        head.focus({preventScroll: true});
        this.box.scrollIntoView({behavior: "smooth", block: "start"});
        this.train.wake();
    }

    async open(name) {
        this.show(await ask(runPath(name)));
        this.train.wake();
    }

    // null where there is no run (any more).
    show(detail) {
        const other = detail?.name !== this.detail?.name;
        const changed = other || detail?.status.state !== this.detail?.status.state;
        this.detail = detail;
        this.empty.hidden = Boolean(detail);
        this.shown.hidden = !detail;
        this.results.show(detail);
        if (!detail) {
            return;
        }
        if (other) {
            this.log.textContent = this.changes.value = "";
            say(this.status, "");
        }
        if (changed) {
            this.train.runs?.refresh();
        }
        this.#showState();
        this.#showFigures();
        this.#showChart();
        this.#showSamples();
        this.#showAbout();
    }

    #showState() {
        const {name, status, resumable, cancellable} = this.detail;
        const {state} = status;
        const words = STATES[state] ?? state;
        say(this.state, words);
        this.box.dataset.state = state;
        this.name.textContent = name;
        const wrong = state === "failed" || state === "interrupted";
        this.message.className = `photoshoot-page-message${wrong ? " photoshoot-page-failure" : ""}`;
        say(this.message, status.message);
        this.message.hidden = !status.message || status.message === `${words.split(",")[0]}.`;
        const at = states => states.includes(state);
        this.begin.hidden = state !== "prepared";
        this.pause.hidden = !at(["training", "paused"]);
        this.pause.textContent = state === "paused" ? "Go on" : "Pause";
        this.stop.hidden = !at(["starting", "training", "paused"]);
        this.cancel.hidden = !cancellable;
        this.resume.hidden = this.changesFold.hidden = !resumable;
    }

    #showFigures() {
        const {status, spec} = this.detail;
        const total = status.total || spec.total_steps;
        const epochs = status.epochs || spec.epochs;
        const unknown = status.state === "starting" && !status.step;
        fill(this.bar, unknown ? null : total ? status.step / total : 0, `step ${status.step} of ${total}`);
        this.figures.replaceChildren(...figures([
            ["Epoch", `${Math.min(Math.max(status.epoch, status.step ? 1 : 0), epochs)} of ${epochs}`],
            ["Step", `${status.step.toLocaleString("en")} of ${total.toLocaleString("en")}`],
            ["Loss", figure(status.loss)],
            ["Learning rate", figure(status.unet_lr)],
            ["Text encoder", figure(status.text_encoder_lr)],
            ["Time left", this.busy && status.seconds_left !== null ? duration(status.seconds_left) : "–"],
        ]));
    }

    #showChart() {
        const {name, history, spec, status} = this.detail ?? {};
        const width = Math.floor(this.chart.clientWidth);
        const usable = (history ?? []).filter(([, loss, mean]) => Number.isFinite(loss) || Number.isFinite(mean));
        renew(this.chart, [name, usable.length, usable.at(-1), width], () => !usable.length || !width ? [] : [
            make("p", {class: "photoshoot-page-key"},
                make("i", {class: "photoshoot-page-key-raw"}), "each step",
                make("i", {class: "photoshoot-page-key-mean"}), "mean of an epoch"),
            chartOf(usable, {total: status.total || spec.total_steps, perEpoch: spec.steps_per_epoch, width}),
        ]);
    }

    #showSamples() {
        const {name, samples, spec} = this.detail;
        const prompts = spec.recipe?.sample_prompts ?? [];
        const picture = (epoch, file, index) => {
            if (!file) {
                return make("span");
            }
            const url = side => trainUrl(runPath(name, "/sample"), {file, side});
            const words = `Epoch ${epoch}: ${prompts[index] ?? `sample ${index + 1}`}`;
            return make("a", {href: url(2048), target: "_blank", title: words},
                make("img", {src: url(384), alt: words, loading: "lazy"}));
        };
        const row = ({epoch, files}) => make("figure", {}, make("figcaption", {}, `Epoch ${epoch}`),
            make("div", {style: `--columns: ${Math.min(files.length, 4)}`},
                ...files.map((file, index) => picture(epoch, file, index))));
        renew(this.samples, [name, samples], () => samples.length ? [
            make("h4", {}, "Sample pictures"),
            make("div", {class: "photoshoot-page-samples"}, ...samples.map(row).reverse()),
        ] : [help(prompts.length ? "Sample pictures appear here after the first epoch."
            : "No sample pictures: the recipe has no sample prompts (Recipe, Samples).")]);
    }

    #showAbout() {
        const {spec, commands} = this.detail;
        renew(this.about, spec, () => [
            make("dl", {class: "photoshoot-page-pairs"}, ...[
                ["Photos", `${spec.images} from ${spec.folder}`],
                ["Checkpoint", spec.checkpoint],
                ["Steps", `${spec.epochs} epochs of ${spec.steps_per_epoch} steps`],
                ...this.#differences(),
            ].flatMap(([label, text]) => [make("dt", {}, label), make("dd", {}, text)])),
            ...(spec.notes ?? []).map(text => note(text)),
        ]);
        this.commandsFold.hidden = !commands?.length;
        this.commands.textContent = (commands ?? []).join("\n\n");
    }

    // What differs from the original experiment, in the recipe's own words.
    #differences() {
        const recipe = this.detail.spec.recipe ?? {};
        return this.train.info.fields
            .filter(({name, default: original}) => name in recipe &&
                JSON.stringify(recipe[name]) !== JSON.stringify(original))
            .map(({name, label}) => [label, valueWords(recipe[name])]);
    }

    #useRecipe() {
        this.train.recipe.use(this.detail.spec.recipe ?? {});
        say(this.status, "The recipe holds this run's values now.");
    }

    async #showLog() {
        if (!this.logFold.open || !this.detail) {
            return;
        }
        const {name} = this.detail;
        const {text} = await ask(runPath(name, "/log?tail=8000"));
        const {log} = this;
        if (text !== log.textContent && name === this.detail?.name) {
            const following = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
            log.textContent = text;
            if (following) {
                log.scrollTop = log.scrollHeight;
            }
        }
    }

    async #resume() {
        await this.#do("resume", {set: linesOf(this.changes.value)});
        this.changes.value = "";
    }

    async #do(action, values = {}) {
        this.show(await ask(runPath(this.detail.name), {action, ...values}));
        this.train.wake();
    }

    async #cancel() {
        const {saved_step: saved, step} = this.detail.status;
        const lost = saved ? `What was trained after step ${saved} is lost` : `The ${step} steps so far are lost`;
        const kept = 'finished epochs stay. "Stop and save" keeps everything.';
        if (confirm(`Cancel the run ${this.detail.name}?\n\n${lost}; ${kept}`)) {
            await this.#do("cancel");
        }
    }
}

// Step 4: the run that is shown, live: how it stands, what can be done with it, its loss, pictures and console.

import {help, labelled, line, make, note, renew, say} from "../shared/elements.mjs";
import {Standing} from "../shared/standing.mjs";
import {count, duration, t} from "../shared/words.mjs";
import {ask, parts, runPath, trainUrl} from "./api.mjs";
import {chartOf} from "./chart.mjs";
import {Results} from "./results.mjs";
import {figure, linesOf, LONG_STATES, STATES, valueWords} from "./words.mjs";

export class Run {
    constructor(train) {
        this.train = train;
        this.detail = null;
        this.results = new Results(train, this);
        this.empty = make("p", {class: "photoshoot-page-nothing"},
            t("The run appears here: how far it is, its loss, and pictures of each epoch."));
        this.standing = new Standing(parts, t("Training"));
        this.standing.bar.hidden = false;
        this.status = parts.status("run_status");
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.begin = button("run_start", t("Start"), () => this.#do("start"), {primary: true});
        this.resume = button("resume", t("Resume"), () => this.#resume(), {primary: true});
        this.changes = parts.make("textarea", "resume_set", {
            rows: 2, spellcheck: false, placeholder: "gradient_checkpointing=true",
        });
        this.changesFold = parts.fold("resume_fold", t("Change values before it goes on"),
            labelled(this.changes, t("Values to change"),
                t("NAME=VALUE, one a line, where the saved state allows it: those of memory, precision and noise.")));
        this.pause = button("pause", t("Pause"), () =>
            this.#do(this.detail.status.state === "paused" ? "unpause" : "pause"));
        this.stop = button("stop", t("Stop and save"), () => this.#do("stop"));
        this.cancel = button("cancel", t("Cancel…"), () => this.#cancel());
        this.chart = parts.make("div", "chart");
        this.samples = parts.make("div", "samples");
        this.log = parts.make("pre", "log", {tabIndex: 0, "aria-label": t("Console of the trainer")});
        this.logFold = parts.fold("log_fold", t("Console of the trainer"), this.log);
        this.logFold.ontoggle = () => this.#showLog();
        this.commands = parts.make("pre", "commands", {tabIndex: 0, "aria-label": t("Commands")});
        this.commandsFold = parts.fold("commands_fold", t("Commands for each machine"), this.commands);
        this.about = parts.make("div", "about");
        this.aboutFold = parts.fold("about_fold", t("What is trained"), this.about,
            button("use_recipe", t("Use this recipe again"), () => this.#useRecipe()));
        this.shown = make("div", {hidden: true, class: "photoshoot-page-found"},
            ...this.standing.nodes,
            line(this.begin, this.pause, this.stop, this.resume, this.cancel), this.changesFold, this.status,
            this.chart, this.samples, this.aboutFold, this.commandsFold, this.logFold);
        this.box = parts.step("run", 4, t("Run"), this.empty, this.shown);
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
        const at = states => states.includes(state);
        this.box.dataset.state = state;
        this.standing.show(LONG_STATES[state] ?? STATES[state] ?? state, name, status.message, at(["failed", "interrupted"]));
        this.begin.hidden = state !== "prepared";
        this.pause.hidden = !at(["training", "paused"]);
        this.pause.textContent = state === "paused" ? t("Go on") : t("Pause");
        this.stop.hidden = !at(["starting", "training", "paused"]);
        this.cancel.hidden = !cancellable;
        this.resume.hidden = this.changesFold.hidden = !resumable;
    }

    #showFigures() {
        const {status, spec} = this.detail;
        const total = status.total || spec.total_steps;
        const epochs = status.epochs || spec.epochs;
        const epoch = Math.min(Math.max(status.epoch, status.step ? 1 : 0), epochs);
        const unknown = status.state === "starting" && !status.step;
        const told = t("step {step} of {total}", {step: status.step, total});
        this.standing.measure(unknown ? null : total ? status.step / total : 0, told, [
            [t("Epoch"), t("{done} of {of}", {done: epoch, of: epochs})],
            [t("Step"), t("{done} of {of}", {done: count(status.step), of: count(total)})],
            [t("Loss"), figure(status.loss)],
            [t("Learning rate"), figure(status.unet_lr)],
            [t("Text encoder"), figure(status.text_encoder_lr)],
            [t("Time left"), this.busy && status.seconds_left !== null ? duration(status.seconds_left) : "–"],
        ]);
    }

    #showChart() {
        const {name, history, spec, status} = this.detail ?? {};
        const width = Math.floor(this.chart.clientWidth);
        const usable = (history ?? []).filter(([, loss, mean]) => Number.isFinite(loss) || Number.isFinite(mean));
        renew(this.chart, [name, usable.length, usable.at(-1), width], () => !usable.length || !width ? [] : [
            make("p", {class: "photoshoot-page-key"},
                make("i", {class: "photoshoot-page-key-raw"}), t("each step"),
                make("i", {class: "photoshoot-page-key-mean"}), t("mean of an epoch")),
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
            const words = t("Epoch {epoch}: {prompt}", {
                epoch, prompt: prompts[index] ?? t("sample {number}", {number: index + 1}),
            });
            return make("a", {href: url(2048), target: "_blank", title: words},
                make("img", {src: url(384), alt: words, loading: "lazy"}));
        };
        const row = ({epoch, files}) => make("figure", {}, make("figcaption", {}, t("Epoch {epoch}", {epoch})),
            make("div", {style: `--columns: ${Math.min(files.length, 4)}`},
                ...files.map((file, index) => picture(epoch, file, index))));
        renew(this.samples, [name, samples], () => samples.length ? [
            make("h4", {}, t("Sample pictures")),
            make("div", {class: "photoshoot-page-samples"}, ...samples.map(row).reverse()),
        ] : [help(prompts.length ? t("Sample pictures appear here after the first epoch.")
            : t("No sample pictures: the recipe has no sample prompts (Recipe, Samples)."))]);
    }

    #showAbout() {
        const {spec, commands} = this.detail;
        renew(this.about, spec, () => [
            make("dl", {class: "photoshoot-page-pairs"}, ...[
                [t("Photos"), t("{images} from {folder}", spec)],
                [t("Checkpoint"), spec.checkpoint],
                [t("Steps"), t("{epochs} epochs of {steps} steps", {
                    epochs: spec.epochs, steps: spec.steps_per_epoch,
                })],
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
            .map(({name, label}) => [t(label), valueWords(recipe[name])]);
    }

    #useRecipe() {
        this.train.recipe.use(this.detail.spec.recipe ?? {});
        say(this.status, t("The recipe holds this run's values now."));
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
        const lost = saved ? t("What was trained after step {step} is lost", {step: saved})
            : t("The {step} steps so far are lost", {step});
        const kept = t("finished epochs stay. \"Stop and save\" keeps everything.");
        const asked = t("Cancel the run {name}?", {name: this.detail.name});
        if (confirm(`${asked}\n\n${t("{lost}; {kept}", {lost, kept})}`)) {
            await this.#do("cancel");
        }
    }
}

// Step 4: the run that is shown, live: how it stands, what can be done with it, its loss, pictures and console.

const PHOTOSHOOT_TRAIN_STATES = {
    prepared: "Ready to start",
    starting: "Starting",
    training: "Training",
    paused: "Paused, its memory stays taken",
    stopping: "Stopping, its state is being saved",
    stopped: "Stopped, its state is saved",
    cancelled: "Cancelled",
    failed: "Failed",
    interrupted: "Cut off",
    done: "Finished",
};

class PhotoshootTrainRun {
    constructor(train) {
        this.train = train;
        this.detail = null;
        const make = photoshootMake;
        const id = name => `${PHOTOSHOOT_TRAIN_ID}${name}`;
        this.results = new PhotoshootTrainResults(train, this);
        this.empty = make("p", {class: "photoshoot-page-nothing"},
            "The run appears here: how far it is, its loss, and pictures of each epoch.");
        this.state = make("b", {id: id("run_state"), role: "status", "aria-live": "polite"});
        this.name = make("span", {id: id("run_name")});
        this.message = make("p", {id: id("run_message"), "aria-live": "polite"});
        this.bar = photoshootTrainParts.bar("run_bar", "Training");
        this.bar.hidden = false;
        this.figures = make("dl", {id: id("run_figures"), class: "photoshoot-page-figures"});
        this.status = photoshootTrainParts.status("run_status");
        const button = (name, label, action, properties) => photoshootTrainParts.button(name, label, action,
            this.status, properties);
        const primary = {class: "photoshoot-page-button photoshoot-page-primary"};
        this.begin = button("run_start", "Start", () => this.#do("start"), primary);
        this.resume = button("resume", "Resume", () => this.#resume(), primary);
        this.changes = make("textarea", {
            id: id("resume_set"), rows: 2, spellcheck: false, placeholder: "gradient_checkpointing=true",
        });
        this.changesFold = photoshootTrainParts.fold("resume_fold", "Change values before it goes on",
            photoshootField(this.changes, "Values to change",
                "NAME=VALUE, one a line, where the saved state allows it: those of memory, precision and noise."));
        this.pause = button("pause", "Pause", () =>
            this.#do(this.detail.status.state === "paused" ? "unpause" : "pause"));
        this.stop = button("stop", "Stop and save", () => this.#do("stop"));
        this.cancel = button("cancel", "Cancel…", () => this.#cancel());
        this.chart = make("div", {id: id("chart")});
        this.samples = make("div", {id: id("samples")});
        this.log = make("pre", {id: id("log"), tabIndex: 0, "aria-label": "Console of the trainer"});
        this.logFold = photoshootTrainParts.fold("log_fold", "Console of the trainer", this.log);
        this.logFold.ontoggle = () => this.#showLog();
        this.commands = make("pre", {id: id("commands"), tabIndex: 0, "aria-label": "Commands"});
        this.commandsFold = photoshootTrainParts.fold("commands_fold", "Commands for each machine", this.commands);
        this.about = make("div", {id: id("about")});
        this.aboutFold = photoshootTrainParts.fold("about_fold", "What is trained", this.about,
            button("use_recipe", "Use this recipe again", () => this.#useRecipe()));
        this.shown = make("div", {hidden: true, class: "photoshoot-page-found"},
            photoshootRow(this.state, this.name), this.message, this.bar, this.figures,
            photoshootRow(this.begin, this.pause, this.stop, this.resume, this.cancel), this.changesFold, this.status,
            this.chart, this.samples, this.aboutFold, this.commandsFold, this.logFold);
        this.box = photoshootTrainParts.step("run", 4, "Run", this.empty, this.shown);
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
        const detail = await photoshootTrainAsk(photoshootTrainRunPath(name)).catch(error => {
            if (error.status !== 404) {
                throw error;
            }
            return null; // it was removed
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
        this.show(await photoshootTrainAsk(photoshootTrainRunPath(name)));
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
            this.drawn = this.pictured = null;
            this.log.textContent = this.changes.value = "";
            photoshootSay(this.status, "");
            this.#showAbout();
        }
        if (changed) {
            this.train.runs?.refresh();
        }
        this.#showState();
        this.#showFigures();
        this.#showChart();
        this.#showSamples();
    }

    #showState() {
        const {name, status, resumable, cancellable} = this.detail;
        const {state} = status;
        const words = PHOTOSHOOT_TRAIN_STATES[state] ?? state;
        if (this.state.textContent !== words) {
            this.state.textContent = words;
        }
        this.box.dataset.state = state;
        this.name.textContent = name;
        const wrong = state === "failed" || state === "interrupted";
        this.message.className = `photoshoot-page-message${wrong ? " photoshoot-page-failure" : ""}`;
        if (this.message.textContent !== status.message) {
            this.message.textContent = status.message;
        }
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
        const share = total ? status.step / total : 0;
        photoshootFill(this.bar, status.state === "starting" && !status.step ? null : share,
            `step ${status.step} of ${total}`);
        const epoch = Math.min(Math.max(status.epoch, status.step ? 1 : 0), status.epochs || spec.epochs);
        const figures = [
            ["Epoch", `${epoch} of ${status.epochs || spec.epochs}`],
            ["Step", `${status.step.toLocaleString("en")} of ${total.toLocaleString("en")}`],
            ["Loss", photoshootTrainFigure(status.loss)],
            ["Learning rate", photoshootTrainFigure(status.unet_lr)],
            ["Text encoder", photoshootTrainFigure(status.text_encoder_lr)],
            ["Time left", this.busy && status.seconds_left !== null ? photoshootTime(status.seconds_left) : "–"],
        ];
        const make = photoshootMake;
        this.figures.replaceChildren(...figures.map(([label, text]) =>
            make("div", {}, make("dt", {}, label), make("dd", {}, text))));
    }

    #showChart() {
        const {history, spec, status} = this.detail ?? {};
        const width = Math.floor(this.chart.clientWidth);
        const usable = (history ?? []).filter(([, loss, mean]) => Number.isFinite(loss) || Number.isFinite(mean));
        const drawn = JSON.stringify([usable.length, usable.at(-1), width, this.detail?.name]);
        if (drawn === this.drawn) {
            return;
        }
        this.drawn = drawn;
        if (!usable.length || !width) {
            this.chart.replaceChildren();
            return;
        }
        const key = photoshootMake("p", {class: "photoshoot-page-key"},
            photoshootMake("i", {class: "photoshoot-page-key-raw"}), "each step",
            photoshootMake("i", {class: "photoshoot-page-key-mean"}), "mean of an epoch");
        this.chart.replaceChildren(key, photoshootTrainChart(usable, {
            total: status.total || spec.total_steps, perEpoch: spec.steps_per_epoch, width,
        }));
    }

    #showSamples() {
        const {name, samples, spec} = this.detail;
        const prompts = spec.recipe?.sample_prompts ?? [];
        const pictured = JSON.stringify(samples);
        if (pictured === this.pictured) {
            return;
        }
        this.pictured = pictured;
        const make = photoshootMake;
        if (!samples.length) {
            const soon = prompts.length ? "Sample pictures appear here after the first epoch."
                : "No sample pictures: the recipe has no sample prompts (Recipe, Samples).";
            this.samples.replaceChildren(make("p", {class: "photoshoot-page-help"}, soon));
            return;
        }
        const picture = (epoch, file, index) => {
            if (!file) {
                return make("span");
            }
            const url = side => photoshootTrainUrl(photoshootTrainRunPath(name, "/sample"), {file, ...side});
            const words = `Epoch ${epoch}: ${prompts[index] ?? `sample ${index + 1}`}`;
            return make("a", {href: url({side: 2048}), target: "_blank", title: words},
                make("img", {src: url({side: 384}), alt: words, loading: "lazy"}));
        };
        this.samples.replaceChildren(make("h4", {}, "Sample pictures"), make("div", {class: "photoshoot-page-samples"},
            ...samples.map(({epoch, files}) => make("figure", {},
                make("figcaption", {}, `Epoch ${epoch}`),
                make("div", {style: `--columns: ${Math.min(files.length, 4)}`},
                    ...files.map((file, index) => picture(epoch, file, index))))).reverse()));
    }

    #showAbout() {
        const {spec, commands} = this.detail;
        const make = photoshootMake;
        const lines = [
            ["Photos", `${spec.images} from ${spec.folder}`],
            ["Checkpoint", spec.checkpoint],
            ["Steps", `${spec.epochs} epochs of ${spec.steps_per_epoch} steps`],
            ...this.#differences(),
        ];
        this.about.replaceChildren(
            make("dl", {class: "photoshoot-page-pairs"}, ...lines.flatMap(([label, text]) =>
                [make("dt", {}, label), make("dd", {}, text)])),
            ...(spec.notes ?? []).map(text => photoshootNote(text)));
        this.commandsFold.hidden = !commands?.length;
        this.commands.textContent = (commands ?? []).join("\n\n");
    }

    // What differs from the original experiment, in the recipe's own words.
    #differences() {
        const recipe = this.detail.spec.recipe ?? {};
        return this.train.info.fields
            .filter(({name, default: original}) => name in recipe &&
                JSON.stringify(recipe[name]) !== JSON.stringify(original))
            .map(({name, label}) => [label, photoshootTrainWords(recipe[name])]);
    }

    #useRecipe() {
        this.train.recipe.use(this.detail.spec.recipe ?? {});
        photoshootSay(this.status, "The recipe holds this run's values now.");
    }

    async #showLog() {
        if (!this.logFold.open || !this.detail) {
            return;
        }
        const {name} = this.detail;
        const {text} = await photoshootTrainAsk(photoshootTrainRunPath(name, "/log?tail=8000"));
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
        await this.#do("resume", {set: photoshootTrainLines(this.changes)});
        this.changes.value = "";
        this.#showAbout(); // its recipe may be another now
    }

    async #do(action, values = {}) {
        this.show(await photoshootTrainAsk(photoshootTrainRunPath(this.detail.name), {action, ...values}));
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

// Step 3: the recipe, the checkpoint, and Start. Fields, ranges, help and presets are the server's.

const PHOTOSHOOT_TRAIN_OWN = "Your own values";
// Groups that are the user's own business: a preset leaves them alone.
const PHOTOSHOOT_TRAIN_KEPT = ["result", "samples"];
const PHOTOSHOOT_TRAIN_SETTLED_MS = 500;

class PhotoshootTrainRecipe {
    constructor(train) {
        this.train = train;
        this.fields = new Map(train.info.fields.map(field => [field.name, new PhotoshootTrainValue(this, field)]));
        const make = photoshootMake;
        const id = name => `${PHOTOSHOOT_TRAIN_ID}${name}`;
        const {presets, checkpoints, loaded} = train.info;
        this.status = photoshootTrainParts.status("recipe_status");
        this.preset = photoshootTrainParts.select("preset",
            [...Object.keys(presets), PHOTOSHOOT_TRAIN_OWN].map(name => [name, name]),
            {onchange: () => this.#usePreset()});
        const paths = checkpoints.map(one => one.path);
        this.checkpoint = photoshootTrainParts.select("checkpoint", checkpoints.map(one =>
            [one.path, one.fits === false ? `${one.name} (not Stable Diffusion 1)` : one.name]),
            {onchange: () => train.remember({checkpoint: this.checkpoint.value})});
        this.checkpoint.value = paths.includes(train.saved.checkpoint) ? train.saved.checkpoint
            : checkpoints.find(one => one.name === loaded)?.path ?? paths[0] ?? "";
        this.processCount = photoshootTrainParts.input("processes", {
            type: "number", min: 1, max: 64, value: 1, oninput: () => train.photos.showFigures(),
        });
        this.figures = make("p", {id: id("estimate"), class: "photoshoot-page-summary", "aria-live": "polite"},
            "Steps, time and disk space are told once the photos are checked.");
        this.notes = make("ul", {id: id("machine_notes")});
        this.notesBox = make("div", {class: "photoshoot-page-note", hidden: true},
            make("b", {}, "On this machine"), this.notes);
        this.startStatus = photoshootTrainParts.status("start_status");
        this.start = photoshootTrainParts.button("start", "Start training", () => this.#start(), this.startStatus, {
            class: "photoshoot-page-button photoshoot-page-primary photoshoot-page-big",
        });
        this.lines = make("textarea", {
            id: id("set"), rows: 3, spellcheck: false, placeholder: "unet_lr=1e-4\nnetwork_dim=8",
        });
        this.groups = train.info.groups.filter(({name}) => name !== "result").map(group => this.#group(group));
        const result = [...this.fields.values()].filter(field => field.group === "result").map(field => field.box);
        this.box = photoshootTrainParts.step("recipe", 3, "Recipe",
            make("div", {class: "photoshoot-page-grid photoshoot-page-pairwise"},
                photoshootField(this.checkpoint, "Checkpoint that learns the look",
                    "Stable Diffusion 1.5, or one made from it."),
                photoshootField(this.preset, "Preset"), ...result),
            make("div", {class: "photoshoot-page-folds"}, ...this.groups.map(group => group.box),
                photoshootTrainParts.fold("gpus_fold", "Several GPUs", make("div", {class: "photoshoot-page-grid"},
                    photoshootField(this.processCount, "Processes",
                        "One for each GPU; they share the work, and the commands appear beside the run."))),
                photoshootTrainParts.fold("set_fold", "Values as text",
                    photoshootField(this.lines, "Values to set",
                        "NAME=VALUE, one a line, as after the command line's --set; they replace what the fields say."),
                    photoshootTrainParts.button("set_put", "Put into the fields", () => this.#put(), this.status))),
            this.status, this.notesBox, this.figures, this.start, this.startStatus);
        for (const [name, value] of Object.entries(train.saved.recipe ?? {})) {
            if (value !== null) { // a box that was left empty
                this.fields.get(name)?.set(value);
            }
        }
        this.#show();
        this.checkAgain = photoshootLater(() => this.#checkAgain(), PHOTOSHOOT_TRAIN_SETTLED_MS);
    }

    get processes() {
        return Math.max(1, Math.floor(Number(this.processCount.value)) || 1);
    }

    value(name) {
        return this.fields.get(name)?.value;
    }

    // The values that differ from the original experiment's.
    values() {
        const changed = [...this.fields.values()].filter(field => field.changed);
        return Object.fromEntries(changed.map(field => [field.name, field.value]));
    }

    // Take over another recipe, such as an earlier run's; what it does not name is as in the original.
    use(values, groups = null) {
        for (const field of this.fields.values()) {
            if (!groups || groups.includes(field.group)) {
                field.set(values[field.name] ?? field.original);
            }
        }
        this.changed();
    }

    // A value was changed by hand.
    changed() {
        this.train.remember({recipe: this.values()});
        this.#show();
        this.train.photos.showFigures();
        this.checkAgain();
    }

    showFigures({words, used}) {
        this.figures.replaceChildren(
            photoshootMake("b", {}, photoshootCount(used.length, "photo")), `: ${words}.`);
    }

    showNotes(notes) {
        this.notesBox.hidden = notes.length === 0;
        this.notes.replaceChildren(...notes.map(text => photoshootMake("li", {}, text)));
    }

    #group({name, label}) {
        const fields = [...this.fields.values()].filter(field => field.group === name);
        const count = photoshootMake("em");
        const box = photoshootTrainParts.fold(`group_${name}`, label,
            photoshootMake("div", {class: "photoshoot-page-grid"}, ...fields.map(field => field.box)));
        box.firstChild.append(count);
        return {box, fields, count};
    }

    #show() {
        for (const {fields, count} of this.groups) {
            const changed = fields.filter(field => field.changed).length;
            count.textContent = changed ? `${changed} changed` : "";
        }
        const same = Object.entries(this.train.info.presets).find(([, values]) =>
            [...this.fields.values()].every(field => PHOTOSHOOT_TRAIN_KEPT.includes(field.group) ||
                field.equals(values[field.name] ?? field.original)));
        this.preset.value = same ? same[0] : PHOTOSHOOT_TRAIN_OWN;
        this.preset.lastChild.hidden = Boolean(same);
    }

    #usePreset() {
        const groups = this.train.info.groups.map(group => group.name);
        this.use(this.train.info.presets[this.preset.value] ?? {},
            groups.filter(name => !PHOTOSHOOT_TRAIN_KEPT.includes(name)));
    }

    async #put() {
        const {recipe} = await photoshootTrainAsk("/recipe", {
            recipe: this.values(), set: photoshootTrainLines(this.lines),
        });
        this.use(recipe);
        this.lines.value = "";
    }

    async #checkAgain() {
        try {
            await this.train.photos.again();
            photoshootSay(this.status, "");
        } catch (error) {
            photoshootSay(this.status, error.message, true);
        }
    }

    async #start() {
        const {photos, run} = this.train;
        await photos.captioning.line;
        await photos.look();
        const problems = photos.uncaptioned.length ? [] : photos.check.problems.filter(one => photos.stands(one));
        if (problems.length && !confirm(`Start with ${photoshootCount(problems.length, "problem")}?\n\n` +
            `${problems.slice(0, 5).map(one => one.text).join("\n")}${problems.length > 5 ? "\n…" : ""}`)) {
            photoshootSay(this.startStatus, "Nothing was started.");
            return;
        }
        photoshootSay(this.startStatus, "Preparing: photos are copied, and the trainer is asked what it can do…");
        const detail = await photoshootTrainAsk("/runs", {
            folder: photos.shownFolder, recipe: this.values(), regularisation: photos.regularisationFolder,
            checkpoint: this.checkpoint.value,
            leave_out: [...photos.leftOut], crops: photos.crops, processes: this.processes, start: true,
            anyway: problems.length > 0,
        });
        photoshootSay(this.startStatus, `The run ${detail.name} has begun.`);
        run.follow(detail);
        this.train.runs.refresh();
    }
}

// One value of the recipe: its input, whether it was changed, and the way back.
class PhotoshootTrainValue {
    constructor(recipe, field) {
        this.name = field.name;
        this.group = field.group;
        this.type = field.type;
        this.original = field.default;
        this.input = this.#make(field);
        this.input.addEventListener("input", () => {
            this.#mark();
            recipe.changed();
        });
        const range = field.highest === undefined || field.highest === null ? ""
            : `${this.#plain(field.lowest)} to ${this.#plain(field.highest)}.`;
        this.back = photoshootMake("button", {
            type: "button", class: "photoshoot-page-back", hidden: true, onclick: () => {
                this.set(this.original);
                this.input.focus();
                recipe.changed();
            },
        }, `back to ${photoshootTrainWords(this.original)}`);
        this.back.setAttribute("aria-label", `${field.label}: ${this.back.textContent}`);
        this.box = photoshootField(this.input, field.label, [field.help, range].filter(Boolean).join(" "));
        this.box.append(this.back);
        this.set(this.original);
    }

    get value() {
        switch (this.type) {
            case "bool":
                return this.input.checked;
            case "lines":
                return photoshootTrainLines(this.input);
            case "text":
                return this.input.value;
            default: // a choice may be one of numbers; an empty number becomes NaN, which the server refuses
                if (typeof this.original !== "number") {
                    return this.input.value;
                }
                return this.input.value === "" ? NaN : Number(this.input.value);
        }
    }

    get changed() {
        return !this.equals(this.original);
    }

    equals(value) {
        return JSON.stringify(this.value) === JSON.stringify(value);
    }

    set(value) {
        if (this.type === "bool") {
            this.input.checked = Boolean(value);
        } else {
            this.input.value = this.type === "lines" ? (value ?? []).join("\n") : value === null ? "" : String(value);
        }
        this.#mark();
    }

    #make({name, type, lowest, highest, step, choices}) {
        const key = `recipe_${name}`;
        if (type === "bool") {
            return photoshootTrainParts.input(key, {type: "checkbox"});
        }
        if (type === "choice") {
            return photoshootTrainParts.select(key, choices.map(choice => [choice, choice]));
        }
        if (type === "lines") {
            return photoshootMake("textarea", {id: `${PHOTOSHOOT_TRAIN_ID}${key}`, rows: 3});
        }
        if (type === "text") {
            return photoshootTrainParts.input(key);
        }
        // The arrows of a number box count from its minimum: that has to be on the grid of its steps.
        const even = Math.abs(lowest / step - Math.round(lowest / step)) < 1e-6;
        return photoshootTrainParts.input(key, {type: "number", step, max: highest, ...(even ? {min: lowest} : {})});
    }

    #mark() {
        this.back?.toggleAttribute("hidden", !this.changed);
        this.box?.classList.toggle("photoshoot-page-changed", this.changed);
        const {rangeOverflow, rangeUnderflow} = this.input.validity;
        this.input.setAttribute("aria-invalid", String(rangeOverflow || rangeUnderflow || Number.isNaN(this.value)));
    }

    #plain(number) {
        return number.toLocaleString("en", {maximumFractionDigits: 6});
    }
}

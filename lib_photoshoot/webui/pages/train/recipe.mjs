// Step 3: the recipe, the checkpoint, and Start. Fields, ranges, help and presets are the server's.

import {attempt, items, labelled, make, say} from "../shared/elements.mjs";
import {later} from "../shared/page.mjs";
import {plural, t} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";
import {Value} from "./value.mjs";
import {linesOf} from "./words.mjs";

const OWN = t("Your own values");
// Groups that are the user's own business: a preset leaves them alone.
const KEPT = ["result", "samples"];
const SETTLED_MS = 500;

export class Recipe {
    constructor(train) {
        this.train = train;
        this.fields = new Map(train.info.fields.map(field => [field.name, new Value(this, field)]));
        const {presets, checkpoints, loaded} = train.info;
        this.status = parts.status("recipe_status");
        // Of its own: the check after a change is not to take away what a button has said meanwhile.
        this.checkStatus = parts.status("recipe_check_status");
        this.preset = parts.select("preset", [...Object.keys(presets), OWN].map(name => [name, t(name)]),
            {onchange: () => this.#usePreset()});
        const paths = checkpoints.map(one => one.path);
        this.checkpoint = parts.select("checkpoint", checkpoints.map(one =>
            [one.path, one.fits === false ? t("{name} (not Stable Diffusion 1)", {name: one.name}) : one.name]),
            {onchange: () => train.remember({checkpoint: this.checkpoint.value})});
        this.checkpoint.value = paths.includes(train.saved.checkpoint) ? train.saved.checkpoint
            : checkpoints.find(one => one.name === loaded)?.path ?? paths[0] ?? "";
        this.processCount = parts.input("processes", {
            type: "number", min: 1, max: 64, value: 1, oninput: () => train.photos.showFigures(),
        });
        this.figures = parts.make("p", "estimate", {class: "photoshoot-page-summary", "aria-live": "polite"},
            t("Steps, time and disk space are told once the photos are checked."));
        this.notes = parts.make("ul", "machine_notes");
        this.notesBox = make("div", {class: "photoshoot-page-note", hidden: true},
            make("b", {}, t("On this machine")), this.notes);
        this.startStatus = parts.status("start_status");
        this.start = parts.button("start", t("Start training"), () => this.#start(), this.startStatus, {
            class: "photoshoot-page-button photoshoot-page-primary photoshoot-page-big",
        });
        this.lines = parts.make("textarea", "set", {
            rows: 3, spellcheck: false, placeholder: "unet_lr=1e-4\nnetwork_dim=8",
        });
        this.groups = train.info.groups.filter(({name}) => name !== "result").map(group => this.#group(group));
        const result = [...this.fields.values()].filter(field => field.group === "result").map(field => field.box);
        this.box = parts.step("recipe", 3, t("Recipe"),
            make("div", {class: "photoshoot-page-grid photoshoot-page-pairwise"},
                labelled(this.checkpoint, t("Checkpoint that learns the look"),
                    t("Stable Diffusion 1.5, or one made from it.")),
                labelled(this.preset, t("Preset")), ...result),
            make("div", {class: "photoshoot-page-folds"}, ...this.groups.map(group => group.box),
                parts.fold("gpus_fold", t("Several GPUs"), make("div", {class: "photoshoot-page-grid"},
                    labelled(this.processCount, t("Processes"),
                        t("One for each GPU; they share the work, and the commands appear beside the run.")))),
                parts.fold("set_fold", t("Values as text"),
                    labelled(this.lines, t("Values to set"),
                        t("NAME=VALUE, one a line, as after the command line's --set; they replace what the fields " +
                            "say.")),
                    parts.button("set_put", t("Put into the fields"), () => this.#put(), this.status))),
            this.status, this.checkStatus, this.notesBox, this.figures, this.start, this.startStatus);
        for (const [name, value] of Object.entries(train.saved.recipe ?? {})) {
            if (value !== null) { // a box that was left empty
                this.fields.get(name)?.set(value);
            }
        }
        this.#show();
        this.checkAgain = later(() => attempt(() => train.photos.again(), this.checkStatus), SETTLED_MS);
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
        this.figures.replaceChildren(make("b", {}, plural(used.length, "{n} photo", "{n} photos")), `: ${words}.`);
    }

    showNotes(notes) {
        this.notesBox.hidden = notes.length === 0;
        this.notes.replaceChildren(...items(notes));
    }

    #group({name, label}) {
        const fields = [...this.fields.values()].filter(field => field.group === name);
        const count = make("em");
        const box = parts.fold(`group_${name}`, t(label),
            make("div", {class: "photoshoot-page-grid"}, ...fields.map(field => field.box)));
        box.firstChild.append(count);
        return {box, fields, count};
    }

    #show() {
        for (const {fields, count} of this.groups) {
            const changed = fields.filter(field => field.changed).length;
            count.textContent = changed ? t("{changed} changed", {changed}) : "";
        }
        const same = Object.entries(this.train.info.presets).find(([, values]) =>
            [...this.fields.values()].every(field => KEPT.includes(field.group) ||
                field.equals(values[field.name] ?? field.original)));
        this.preset.value = same ? same[0] : OWN;
        this.preset.lastChild.hidden = Boolean(same);
    }

    #usePreset() {
        const groups = this.train.info.groups.map(({name}) => name).filter(name => !KEPT.includes(name));
        this.use(this.train.info.presets[this.preset.value] ?? {}, groups);
    }

    async #put() {
        const {recipe} = await ask("/recipe", {
            recipe: this.values(), set: linesOf(this.lines.value),
        });
        this.use(recipe);
        this.lines.value = "";
    }

    async #start() {
        const {photos, run} = this.train;
        await photos.captioning.line;
        await photos.look();
        const problems = photos.uncaptioned.length ? [] : photos.check.problems.filter(one => photos.stands(one));
        const asked = plural(problems.length, "Start with {n} problem?", "Start with {n} problems?");
        if (problems.length && !confirm(`${asked}\n\n` +
            `${problems.slice(0, 5).map(one => one.text).join("\n")}${problems.length > 5 ? "\n…" : ""}`)) {
            say(this.startStatus, t("Nothing was started."));
            return;
        }
        say(this.startStatus, t("Preparing: photos are copied, and the trainer is asked what it can do…"));
        const detail = await ask("/runs", {
            folder: photos.shownFolder, recipe: this.values(), regularisation: photos.regularisationFolder,
            checkpoint: this.checkpoint.value,
            leave_out: [...photos.leftOut], crops: photos.crops, processes: this.processes, start: true,
            anyway: problems.length > 0,
        });
        say(this.startStatus, t("The run {name} has begun.", {name: detail.name}));
        run.follow(detail);
        this.train.runs.refresh();
    }
}

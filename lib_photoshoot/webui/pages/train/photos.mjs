// Step 2: the folder of photos and what was found in it. Captions, gallery and curation have files of their own.

import {attempt, help, inputLine, items, labelled, line, make, note, say, toggle} from "../shared/elements.mjs";
import {count, duration, plural, t} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";
import {Captions} from "./captions.mjs";
import {bucketCounts, stillHolds, UNCAPTIONED, UNTAGGED} from "./counting.mjs";
import {Curation} from "./curation.mjs";
import {Gallery} from "./gallery.mjs";
import {diskSize} from "./words.mjs";

export class Photos {
    constructor(train) {
        this.train = train;
        this.check = null;
        this.captions = {};
        this.leftOut = new Set();
        this.crops = {};
        this.asked = 0;
        this.status = parts.status("photos_status");
        this.folder = parts.input("folder", {
            value: train.saved.folder ?? "", placeholder: "/full/path", "aria-describedby": parts.id("folder_help"),
            onchange: () => this.#remember(),
        });
        this.regularisation = parts.input("regularisation", {
            value: train.saved.regularisation ?? "", placeholder: t("None"),
            onchange: () => this.#useRegularisation(),
        });
        this.button = parts.button("check", t("Check"), () => this.look(), this.status, {primary: true});
        this.folder.onkeydown = event => {
            if (event.key === "Enter") {
                event.preventDefault();
                this.button.click();
            }
        };
        this.summary = parts.make("p", "summary", {class: "photoshoot-page-summary", "aria-live": "polite"});
        this.todo = parts.make("div", "todo");
        this.problems = parts.make("ul", "problems", {class: "photoshoot-page-findings"});
        this.problemsFold = parts.fold("problems_fold", "", this.problems);
        this.notes = parts.make("ul", "notes", {class: "photoshoot-page-findings"});
        this.notesFold = parts.fold("notes_fold", "", this.notes);
        this.buckets = parts.make("table", "buckets", {class: "photoshoot-page-table"});
        this.bucketsFold = parts.fold("buckets_fold", t("Sizes in the training"),
            help(t("Each photo is scaled and cropped to the size nearest to its own shape.")), this.buckets);
        this.captioning = new Captions(this);
        this.curation = new Curation(this);
        this.gallery = new Gallery(this);
        this.found = parts.make("div", "found", {class: "photoshoot-page-found", hidden: true},
            this.summary, this.todo, this.problemsFold, this.notesFold, this.bucketsFold,
            this.captioning.box, this.curation.box, this.gallery.box);
        this.box = parts.step("photos", 2, t("Photos"),
            inputLine(labelled(this.folder, t("Folder of photos")), this.button),
            parts.make("small", "folder_help", {class: "photoshoot-page-help"},
                t("Inside the WebUI's output folders, or those of Settings, Product Photoshoot.")),
            parts.fold("regularisation_fold", t("Regularisation"), labelled(this.regularisation,
                t("Folder of regularisation pictures"),
                t("Pictures of the class and not of your product, such as other bags in a sub-folder 1_bag, so that " +
                "the training does not forget what the class looks like. As many are taken as there are photos."))),
            this.status, this.found);
    }

    get busy() {
        return this.captioning.busy || this.curation.busy;
    }

    get tag() {
        return this.train.recipe.value("activation_tag");
    }

    async poll() {
        await this.captioning.poll();
        await this.curation.poll();
    }

    // What was there at the last visit.
    begin() {
        if (this.folder.value) {
            this.button.click();
        }
    }

    // Check again, because something else than the folder changed; silent where nothing was checked yet.
    async again() {
        if (this.check) {
            await this.look();
        }
    }

    // The regularisation folder as requests name it.
    get regularisationFolder() {
        return this.regularisation.value.trim();
    }

    async look() {
        const folder = this.folder.value.trim();
        if (!folder) {
            this.folder.focus();
            throw new Error(t("Name the folder that holds your photos."));
        }
        const number = ++this.asked;
        if (folder !== this.shownFolder) {
            say(this.status, t("Looking at every photo…"));
        }
        const check = await ask("/check", {
            folder, recipe: this.train.recipe.values(), regularisation: this.regularisationFolder,
        });
        if (number !== this.asked) {
            return;
        }
        say(this.status, "");
        if (folder !== this.shownFolder) {
            const kept = this.train.saved.photos?.folder === folder ? this.train.saved.photos : {};
            this.crops = kept.crops ?? {};
            this.shownFolder = folder;
        }
        const there = new Set(check.pictures.map(picture => picture.name));
        this.leftOut = new Set(check.pictures.filter(picture => picture.left_out).map(picture => picture.name));
        this.crops = Object.fromEntries(Object.entries(this.crops).filter(([name]) => there.has(name)));
        this.check = check;
        this.captions = Object.fromEntries(check.pictures.map(picture => [picture.name, picture.caption ?? ""]));
        this.captioning.showSteps(check);
        this.found.hidden = false;
        this.show();
        this.train.recipe.showNotes(check.notes_for_machine ?? []);
        await this.#takeOver(there);
    }

    // Leave photos out of this training and later ones, or take that back.
    async leaveOut(names, out = true) {
        names.forEach(name => toggle(this.leftOut, name, out));
        this.show();
        try {
            await ask("/left_out", {folder: this.shownFolder, tag: this.tag, names, left_out: out});
        } finally {
            await this.look();
        }
    }

    // What the browser alone knew to be left out, before the server kept it.
    async #takeOver(there) {
        const {photos} = this.train.saved;
        const old = photos?.folder === this.shownFolder ? (photos.leftOut ?? []).filter(name => there.has(name)) : [];
        if (old.length) {
            await ask("/left_out", {folder: this.shownFolder, tag: this.tag, names: old});
            this.#remember();
            await this.look();
        }
    }

    // Everything that follows from the check, the captions and what is left out.
    show() {
        this.gallery.show();
        this.curation.show();
        this.#showFindings();
        this.#showBuckets();
        this.showFigures();
    }

    // The same, after the user changed what is left out or cropped.
    changed() {
        this.#remember();
        this.show();
    }

    showCaptions(captions) {
        Object.assign(this.captions, captions);
        this.show();
    }

    showFigures() {
        const figures = this.figures();
        if (!figures) {
            return;
        }
        const {all, used, captioned} = figures;
        const photos = used.length === all ? plural(all, "{n} photo", "{n} photos")
            : t("{used} of {all} photos", {used: used.length, all});
        const told = captioned === used.length ? t("all with a caption") : t("{captioned} with a caption", {captioned});
        this.summary.replaceChildren(make("b", {}, photos),
            t(", {captions}; {figures}", {captions: told, figures: figures.words}));
        this.train.recipe.showFigures(figures);
    }

    get used() {
        return this.check.pictures.filter(picture => !this.leftOut.has(picture.name));
    }

    get uncaptioned() {
        return this.used.filter(picture => !this.captions[picture.name]?.trim());
    }

    // Steps, time and disk for what is chosen now. The server's answer to a check is for all photos.
    figures() {
        if (!this.check) {
            return null;
        }
        const used = this.used;
        const recipe = name => Number(this.train.recipe.value(name));
        const batches = Object.values(this.counts()).reduce((sum, {taken}) =>
            sum + Math.ceil(taken / recipe("train_batch_size")), 0);
        const shared = recipe("gradient_accumulation_steps") * this.train.recipe.processes;
        const perEpoch = Math.ceil(batches / shared) || 0;
        const total = perEpoch * recipe("max_train_epochs") || 0;
        const {seconds, total_steps: checked, disk_bytes: disk} = this.check;
        const needed = seconds && checked ? seconds * total / checked : null;
        const cropped = used.some(picture => picture.name in this.crops);
        const told = {
            steps: plural(perEpoch, "{n} step an epoch", "{n} steps an epoch"),
            total: count(total), disk: diskSize(disk),
            time: needed ? t("about {time}", {time: duration(needed)}) : t("time not known before a first run"),
        };
        const words = cropped ? t("{steps}, {total} in all, {time}, {disk}; the crops may change this a little", told)
            : t("{steps}, {total} in all, {time}, {disk}", told);
        const captioned = used.length - this.uncaptioned.length;
        return {all: this.check.pictures.length, used, captioned, perEpoch, total, words};
    }

    counts() {
        return bucketCounts(this.used, this.check.regularisation, Number(this.train.recipe.value("num_repeats")));
    }

    // Whether a finding still holds, now that captions were edited here and photos left out.
    stands({file, kind}) {
        return !this.leftOut.has(file) && stillHolds(kind, this.captions[file], this.tag);
    }

    #showFindings() {
        const inOneLine = [...UNCAPTIONED, ...UNTAGGED];
        const problems = this.check.problems.filter(one => this.stands(one) && !inOneLine.includes(one.kind));
        const notes = this.check.notes.filter(one => this.stands(one));
        this.#fold(this.problemsFold, this.problems, problems, plural(problems.length, "{n} problem", "{n} problems"));
        this.problemsFold.open ||= problems.length > 0 && problems.length <= 5;
        this.#fold(this.notesFold, this.notes, notes, plural(notes.length, "{n} note", "{n} notes"));
        const todo = [];
        if (this.uncaptioned.length) {
            todo.push(note(plural(this.uncaptioned.length,
                "{n} photo has no caption yet: press Caption below, or type one.",
                "{n} photos have no caption yet: press Caption below, or type one."), true));
        }
        const untagged = this.used.filter(({name}) => stillHolds("tag_missing", this.captions[name], this.tag));
        if (untagged.length) {
            todo.push(line(
                note(plural(untagged.length, "{n} caption does not begin with the activation tag {tag}.",
                    "{n} captions do not begin with the activation tag {tag}.", {tag: this.tag}), true),
                parts.button("tag_all", t("Put it first in all"), () => this.captioning.edit("add", {
                    word: this.tag, position: 0, names: untagged.map(picture => picture.name),
                }), this.captioning.status)));
        }
        this.todo.replaceChildren(...todo);
    }

    #fold(fold, list, findings, title) {
        fold.hidden = findings.length === 0;
        fold.firstChild.textContent = title;
        list.replaceChildren(...items(findings.map(({text}) => text)));
    }

    #showBuckets() {
        const row = (kind, ...cells) => make("tr", {}, ...cells.map(text => make(kind, {}, text)));
        const ordered = Object.entries(this.counts()).sort(([a], [b]) => parseInt(a, 10) - parseInt(b, 10));
        const batch = this.train.recipe.value("train_batch_size");
        this.buckets.replaceChildren(
            make("thead", {}, row("th", t("Size in pixels"), t("Pictures"), t("Batches an epoch"))),
            make("tbody", {}, ...ordered.map(([bucket, {pictures, taken}]) =>
                row("td", bucket.replace("x", " × "), pictures, Math.ceil(taken / batch)))));
        this.bucketsFold.firstChild.textContent = t("Sizes in the training ({n})", {n: ordered.length});
    }

    #useRegularisation() {
        this.train.remember({regularisation: this.regularisationFolder});
        return attempt(() => this.again(), this.status);
    }

    #remember() {
        const folder = this.folder.value.trim();
        const photos = {folder, crops: this.crops};
        this.train.remember(folder === this.shownFolder ? {folder, photos} : {folder});
    }
}

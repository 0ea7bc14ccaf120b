// Step 2: the folder of photos and what was found in it. Captions, gallery and curation have files of their own.

// Findings about captions that are told in one line for all photos.
const PHOTOSHOOT_TRAIN_UNCAPTIONED = ["caption_missing", "caption_empty"];
const PHOTOSHOOT_TRAIN_UNTAGGED = ["tag_missing", "tag_not_first"];

class PhotoshootTrainPhotos {
    constructor(train) {
        this.train = train;
        this.check = null;
        this.captions = {};
        this.leftOut = new Set();
        this.crops = {};
        this.asked = 0;
        const make = photoshootMake;
        const id = name => `${PHOTOSHOOT_TRAIN_ID}${name}`;
        this.status = photoshootTrainParts.status("photos_status");
        this.folder = photoshootTrainParts.input("folder", {
            value: train.saved.folder ?? "", placeholder: "/full/path", "aria-describedby": id("folder_help"),
            onchange: () => this.#remember(),
        });
        this.regularisation = photoshootTrainParts.input("regularisation", {
            value: train.saved.regularisation ?? "", placeholder: "None",
            onchange: () => this.#useRegularisation(),
        });
        this.button = photoshootTrainParts.button("check", "Check", () => this.look(), this.status, {
            class: "photoshoot-page-button photoshoot-page-primary",
        });
        this.folder.onkeydown = event => {
            if (event.key === "Enter") {
                event.preventDefault();
                this.button.click();
            }
        };
        this.summary = make("p", {id: id("summary"), class: "photoshoot-page-summary", "aria-live": "polite"});
        this.todo = make("div", {id: id("todo")});
        this.problems = make("ul", {id: id("problems"), class: "photoshoot-page-findings"});
        this.problemsFold = photoshootTrainParts.fold("problems_fold", "", this.problems);
        this.notes = make("ul", {id: id("notes"), class: "photoshoot-page-findings"});
        this.notesFold = photoshootTrainParts.fold("notes_fold", "", this.notes);
        this.buckets = make("table", {id: id("buckets"), class: "photoshoot-page-table"});
        this.bucketsFold = photoshootTrainParts.fold("buckets_fold", "Sizes in the training", make("p", {class:
            "photoshoot-page-help"}, "Each photo is scaled and cropped to the size nearest to its own shape."),
        this.buckets);
        this.captioning = new PhotoshootTrainCaptions(this);
        this.curation = new PhotoshootTrainCuration(this);
        this.gallery = new PhotoshootTrainGallery(this);
        this.found = make("div", {id: id("found"), class: "photoshoot-page-found", hidden: true},
            this.summary, this.todo, this.problemsFold, this.notesFold, this.bucketsFold,
            this.captioning.box, this.curation.box, this.gallery.box);
        this.box = photoshootTrainParts.step("photos", 2, "Photos",
            make("div", {class: "photoshoot-page-row photoshoot-page-row-end"},
                photoshootField(this.folder, "Folder of photos"), this.button),
            make("small", {id: id("folder_help"), class: "photoshoot-page-help"},
                "Inside the WebUI's output folders, or those of Settings, Product Photoshoot."),
            photoshootTrainParts.fold("regularisation_fold", "Regularisation", photoshootField(this.regularisation,
                "Folder of regularisation pictures",
                "Pictures of the class and not of your product, such as other bags in a sub-folder 1_bag, so that " +
                "the training does not forget what the class looks like. As many are taken as there are photos.")),
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
            throw new Error("Name the folder that holds your photos.");
        }
        const number = ++this.asked;
        if (folder !== this.shownFolder) {
            photoshootSay(this.status, "Looking at every photo…");
        }
        const check = await photoshootTrainAsk("/check", {
            folder, recipe: this.train.recipe.values(), regularisation: this.regularisationFolder,
        });
        if (number !== this.asked) {
            return;
        }
        photoshootSay(this.status, "");
        if (folder !== this.shownFolder) {
            const kept = this.train.saved.photos?.folder === folder ? this.train.saved.photos : {};
            this.leftOut = new Set(kept.leftOut ?? []);
            this.crops = kept.crops ?? {};
            this.shownFolder = folder;
        }
        const there = new Set(check.pictures.map(picture => picture.name));
        this.leftOut = new Set([...this.leftOut].filter(name => there.has(name)));
        this.crops = Object.fromEntries(Object.entries(this.crops).filter(([name]) => there.has(name)));
        this.check = check;
        this.captions = Object.fromEntries(check.pictures.map(picture => [picture.name, picture.caption ?? ""]));
        this.captioning.showSteps(check);
        this.found.hidden = false;
        this.show();
        this.train.recipe.showNotes(check.notes_for_machine ?? []);
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
        const photos = used.length === all ? photoshootCount(all, "photo") : `${used.length} of ${all} photos`;
        const told = captioned === used.length ? "all with a caption" : `${captioned} with a caption`;
        this.summary.replaceChildren(photoshootMake("b", {}, photos), `, ${told}; ${figures.words}`);
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
        const counts = this.counts();
        let batches = 0;
        for (const {taken} of Object.values(counts)) {
            batches += Math.ceil(taken / recipe("train_batch_size"));
        }
        const shared = recipe("gradient_accumulation_steps") * this.train.recipe.processes;
        const perEpoch = Math.ceil(batches / shared) || 0;
        const total = perEpoch * recipe("max_train_epochs") || 0;
        const {seconds, total_steps: checked, disk_bytes: disk} = this.check;
        const time = seconds && checked ? seconds * total / checked : null;
        const cropped = used.some(picture => picture.name in this.crops);
        const words = `${photoshootCount(perEpoch, "step")} an epoch, ${total.toLocaleString("en")} in all, ` +
            `${time ? `about ${photoshootTime(time)}` : "time not known before a first run"}, ` +
            `${photoshootTrainSize(disk)}${cropped ? "; the crops may change this a little" : ""}`;
        const captioned = used.length - this.uncaptioned.length;
        return {all: this.check.pictures.length, used, captioned, perEpoch, total, words};
    }

    // Pictures in each bucket, and how often an epoch takes them: see Dataset.counts and times_taken in
    // lib_photoshoot/training.
    counts() {
        const counts = {};
        const repeats = Number(this.train.recipe.value("num_repeats"));
        let total = 0;
        const take = ({bucket}, times) => {
            counts[bucket] ??= {pictures: 0, taken: 0};
            counts[bucket].pictures += 1;
            counts[bucket].taken += times;
            total += times;
        };
        for (const picture of this.used) {
            take(picture, picture.repeats ?? repeats);
        }
        const others = this.check.regularisation;
        const times = others.map(() => 0);
        let given = 0;
        for (let round = 0; others.length && given < total; round++) {
            for (let index = 0; index < others.length && given < total; index++) {
                const more = round ? 1 : others[index].repeats;
                times[index] += more;
                given += more;
            }
        }
        others.forEach((picture, index) => times[index] && take(picture, times[index]));
        return counts;
    }

    // Whether a finding still holds, now that captions were edited here and photos left out.
    stands(finding) {
        if (this.leftOut.has(finding.file)) {
            return false;
        }
        const caption = this.captions[finding.file];
        if (caption === undefined) {
            return true;
        }
        const words = caption.split(",").map(word => word.trim()).filter(Boolean);
        switch (finding.kind) {
            case "caption_missing":
            case "caption_empty":
            case "caption_unreadable":
                return words.length === 0;
            case "tag_missing":
            case "tag_not_first":
                return words.length > 0 && words[0] !== this.tag;
            case "tag_twice":
                return words.filter(word => word === this.tag).length > 1;
            default:
                return true;
        }
    }

    #showFindings() {
        const make = photoshootMake;
        const listed = (finding) => make("li", {}, finding.text);
        const inOneLine = [...PHOTOSHOOT_TRAIN_UNCAPTIONED, ...PHOTOSHOOT_TRAIN_UNTAGGED];
        const problems = this.check.problems.filter(one => this.stands(one) && !inOneLine.includes(one.kind));
        const notes = this.check.notes.filter(one => this.stands(one));
        this.problems.replaceChildren(...problems.map(listed));
        this.notes.replaceChildren(...notes.map(listed));
        this.#fold(this.problemsFold, photoshootCount(problems.length, "problem"), problems.length);
        this.problemsFold.open ||= problems.length > 0 && problems.length <= 5;
        this.#fold(this.notesFold, photoshootCount(notes.length, "note"), notes.length);
        const lines = [];
        if (this.uncaptioned.length) {
            const many = photoshootCount(this.uncaptioned.length, "photo has", "photos have");
            lines.push(photoshootNote(`${many} no caption yet: press Caption below, or type one.`, true));
        }
        const untagged = this.used.filter(picture => this.captions[picture.name].trim() &&
            this.captions[picture.name].split(",")[0].trim() !== this.tag);
        if (untagged.length) {
            const many = photoshootCount(untagged.length, "caption does", "captions do");
            lines.push(photoshootRow(
                photoshootNote(`${many} not begin with the activation tag ${this.tag}.`, true),
                photoshootTrainParts.button("tag_all", "Put it first in all", () => this.captioning.edit("add", {
                    word: this.tag, position: 0, names: untagged.map(picture => picture.name),
                }), this.captioning.status)));
        }
        this.todo.replaceChildren(...lines);
    }

    #fold(fold, title, count) {
        fold.hidden = count === 0;
        fold.firstChild.textContent = title;
    }

    #showBuckets() {
        const make = photoshootMake;
        const row = (kind, ...cells) => make("tr", {}, ...cells.map(text => make(kind, {}, text)));
        const ordered = Object.entries(this.counts()).sort(([a], [b]) => parseInt(a, 10) - parseInt(b, 10));
        const batch = this.train.recipe.value("train_batch_size");
        this.buckets.replaceChildren(
            make("thead", {}, row("th", "Size in pixels", "Pictures", "Batches an epoch")),
            make("tbody", {}, ...ordered.map(([bucket, {pictures, taken}]) =>
                row("td", bucket.replace("x", " × "), pictures, Math.ceil(taken / batch)))));
        this.bucketsFold.firstChild.textContent = `Sizes in the training (${ordered.length})`;
    }

    async #useRegularisation() {
        this.train.remember({regularisation: this.regularisationFolder});
        try {
            await this.again();
        } catch (error) {
            photoshootSay(this.status, error.message, true);
        }
    }

    #remember() {
        const folder = this.folder.value.trim();
        const photos = {folder, leftOut: [...this.leftOut], crops: this.crops};
        this.train.remember(folder === this.shownFolder ? {folder, photos} : {folder});
    }
}

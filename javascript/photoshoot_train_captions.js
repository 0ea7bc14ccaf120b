// Captions for many photos at once: by a captioner, by search and replace, by tags; each step can be undone.

class PhotoshootTrainCaptions {
    constructor(photos) {
        this.photos = photos;
        this.train = photos.train;
        this.busy = true; // until the server says that nobody captions
        this.line = Promise.resolve();
        const {saved, info} = this.train;
        const remember = () => this.train.remember({captioner: this.captioner.value});
        this.status = photoshootTrainParts.status("caption_status");
        this.bar = photoshootTrainParts.bar("caption_progress", "Captions");
        this.captioner = photoshootTrainParts.select("captioner", info.captioners.map(one => [one.name, one.label]), {
            onchange: () => {
                remember();
                this.#showWhy();
            },
        });
        const ready = info.captioners.find(one => one.name === saved.captioner) ??
            info.captioners.find(one => one.ready);
        this.captioner.value = ready?.name ?? info.captioners[0]?.name;
        this.why = photoshootMake("small", {class: "photoshoot-page-help"});
        this.anew = photoshootTrainParts.input("anew", {type: "checkbox"});
        this.takeTexts = photoshootTrainParts.input("take_texts", {type: "checkbox"});
        this.caption = photoshootTrainParts.button("caption", "Caption", () => this.#caption(), this.status);
        this.stop = photoshootTrainParts.button("caption_stop", "Stop", () => photoshootTrainAsk("/caption/stop", {}),
            this.status, {hidden: true});
        this.undo = photoshootTrainParts.button("undo", "Undo", () => this.edit("undo"), this.status);
        this.redo = photoshootTrainParts.button("redo", "Redo", () => this.edit("redo"), this.status);
        this.write = photoshootTrainParts.button("write_beside", "Write beside my photos…", () => this.#write(),
            this.status);
        this.over = photoshootTrainParts.button("write_over", "Replace those too", () => this.#write(true),
            this.status, {hidden: true});
        this.box = photoshootMake("div", {class: "photoshoot-page-block"},
            photoshootMake("h4", {}, "Captions"),
            photoshootMake("div", {class: "photoshoot-page-row photoshoot-page-row-end"},
                photoshootField(this.captioner, "Written by"), this.caption, this.stop,
                photoshootField(this.anew, "Also those that have one"),
                photoshootField(this.takeTexts, "Texts beside the photos replace captions edited here")),
            this.why, this.bar, this.#tools(),
            photoshootRow(this.undo, this.redo, this.write, this.over), this.status);
        this.#showWhy();
    }

    #tools() {
        const search = photoshootTrainParts.input("search");
        const replacement = photoshootTrainParts.input("replacement");
        const word = photoshootTrainParts.input("word");
        const place = photoshootTrainParts.select("position", [["last", "at the end"], ["first", "at the beginning"],
            ["second", "after the activation tag"]]);
        const positions = {first: 0, second: 1};
        const button = (name, label, action) => photoshootTrainParts.button(name, label, async() => {
            const {changed} = await action();
            photoshootSay(this.status, `${photoshootCount(changed, "caption")} changed.`);
        }, this.status);
        return photoshootTrainParts.fold("captions_fold", "Change many captions at once",
            photoshootMake("div", {class: "photoshoot-page-row photoshoot-page-row-end"},
                photoshootField(search, "Search"), photoshootField(replacement, "Replace by"),
                button("replace", "Replace", () => this.edit("replace", {
                    search: search.value, replacement: replacement.value,
                }))),
            photoshootMake("div", {class: "photoshoot-page-row photoshoot-page-row-end"},
                photoshootField(word, "Tag"), photoshootField(place, "Where"),
                button("add", "Add to all", () => this.edit("add", {
                    word: word.value, ...(place.value in positions ? {position: positions[place.value]} : {}),
                })),
                button("remove_word", "Remove from all", () => this.edit("remove", {word: word.value}))));
    }

    // One change of captions; they go to the server one after the other, in the order in which they were made.
    edit(action, values = {}) {
        const folder = this.photos.shownFolder;
        const asked = this.line.then(() => photoshootTrainAsk("/captions", {
            folder, tag: this.photos.tag, action, ...values,
        }));
        this.line = asked.catch(() => null);
        return asked.then(answer => {
            if (folder === this.photos.shownFolder) {
                this.showSteps(answer);
                this.photos.showCaptions(answer.captions);
            }
            return answer;
        });
    }

    showSteps({can_undo: undo, can_redo: redo}) {
        this.undo.disabled = !undo;
        this.redo.disabled = !redo;
    }

    #showWhy() {
        const chosen = this.train.info.captioners.find(one => one.name === this.captioner.value);
        this.why.textContent = chosen?.why ?? "";
        this.why.hidden = !chosen?.why;
    }

    async #caption() {
        await this.line;
        await photoshootTrainAsk("/caption", {
            folder: this.photos.shownFolder, tag: this.photos.tag, captioner: this.captioner.value,
            anew: this.anew.checked, take_texts: this.takeTexts.checked,
        });
        this.#show({busy: true, done: 0, of: 0});
        this.train.wake();
    }

    async poll() {
        if (this.busy) {
            const state = await photoshootTrainAsk("/caption");
            const finished = this.begun && !state.busy;
            this.#show(state);
            if (finished && !state.error) {
                await this.photos.again();
            }
        }
    }

    #show({busy, done, of, error}) {
        const was = this.begun;
        this.busy = this.begun = busy;
        this.bar.hidden = this.stop.hidden = !busy;
        photoshootFill(this.bar, of ? done / of : null, `${done} of ${of}`);
        if (busy) {
            photoshootSay(this.status, of ? `Captioning: ${done} of ${of}.` : "Loading the captioner…");
        } else if (was) {
            const told = of ? `${photoshootCount(of, "photo")} captioned.` : "Every photo has a caption already.";
            photoshootSay(this.status, error ?? told, Boolean(error));
        }
    }

    async #write(overwrite = false) {
        const count = photoshootCount(Object.keys(this.photos.captions).length, "caption file");
        const where = this.photos.shownFolder;
        const kept = overwrite ? "The texts that they replace are kept as .txt.bak."
            : "Text files that say something else are left as they are.";
        if (!confirm(`Write ${count} (.txt) beside your photos in ${where}?\n\n${kept}`)) {
            return;
        }
        this.over.hidden = true;
        const {left = []} = await this.edit("write_beside", {overwrite});
        this.over.hidden = left.length === 0;
        const names = left.slice(0, 5).join(", ") + (left.length > 5 ? " …" : "");
        photoshootSay(this.status, left.length === 0 ? "All captions are beside the photos."
            : `${photoshootCount(left.length, "file")} with another text left as they were: ${names}.`);
    }
}

// Captions for many photos at once: by a captioner, by search and replace, by tags; each step can be undone.

import {fill, inputLine, labelled, line, make, say} from "../shared/elements.mjs";
import {plural, t} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";

export class Captions {
    constructor(photos) {
        this.photos = photos;
        this.train = photos.train;
        this.busy = true; // until the server says that nobody captions
        this.line = Promise.resolve();
        const {saved, info} = this.train;
        this.status = parts.status("caption_status");
        this.bar = parts.bar("caption_progress", t("Captions"));
        this.captioner = parts.select("captioner", info.captioners.map(one => [one.name, t(one.label)]), {
            onchange: () => {
                this.train.remember({captioner: this.captioner.value});
                this.#showWhy();
            },
        });
        const ready = info.captioners.find(one => one.name === saved.captioner) ??
            info.captioners.find(one => one.ready);
        this.captioner.value = ready?.name ?? info.captioners[0]?.name;
        this.why = make("small", {class: "photoshoot-page-help"});
        this.anew = parts.input("anew", {type: "checkbox"});
        this.takeTexts = parts.input("take_texts", {type: "checkbox"});
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.caption = button("caption", t("Caption"), () => this.#caption());
        this.stop = button("caption_stop", t("Stop"), () => ask("/caption/stop", {}), {hidden: true});
        this.undo = button("undo", t("Undo"), () => this.edit("undo"));
        this.redo = button("redo", t("Redo"), () => this.edit("redo"));
        this.write = button("write_beside", t("Write beside my photos…"), () => this.#write());
        this.over = button("write_over", t("Replace those too"), () => this.#write(true), {hidden: true});
        this.box = make("div", {class: "photoshoot-page-block"},
            make("h4", {}, t("Captions")),
            inputLine(
                labelled(this.captioner, t("Written by")), this.caption, this.stop,
                labelled(this.anew, t("Also those that have one")),
                labelled(this.takeTexts, t("Texts beside the photos replace captions edited here"))),
            this.why, this.bar, this.#tools(),
            line(this.undo, this.redo, this.write, this.over), this.status);
        this.#showWhy();
    }

    #tools() {
        const search = parts.input("search");
        const replacement = parts.input("replacement");
        const word = parts.input("word");
        const place = parts.select("position", [["last", t("at the end")], ["first", t("at the beginning")],
            ["second", t("after the activation tag")]]);
        const positions = {first: 0, second: 1};
        const button = (name, label, action) => parts.button(name, label, async() => {
            const {changed} = await action();
            say(this.status, plural(changed, "{n} caption changed.", "{n} captions changed."));
        }, this.status);
        return parts.fold("captions_fold", t("Change many captions at once"),
            inputLine(
                labelled(search, t("Search")), labelled(replacement, t("Replace by")),
                button("replace", t("Replace"), () => this.edit("replace", {
                    search: search.value, replacement: replacement.value,
                }))),
            inputLine(
                labelled(word, t("Tag")), labelled(place, t("Where")),
                button("add", t("Add to all"), () => this.edit("add", {
                    word: word.value, ...(place.value in positions ? {position: positions[place.value]} : {}),
                })),
                button("remove_word", t("Remove from all"), () => this.edit("remove", {word: word.value}))));
    }

    // One change of captions; they go to the server one after the other, in the order in which they were made.
    edit(action, values = {}) {
        const folder = this.photos.shownFolder;
        const asked = this.line.then(() => ask("/captions", {
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
        await ask("/caption", {
            folder: this.photos.shownFolder, tag: this.photos.tag, captioner: this.captioner.value,
            anew: this.anew.checked, take_texts: this.takeTexts.checked,
        });
        this.#show({busy: true, done: 0, of: 0});
        this.train.wake();
    }

    async poll() {
        if (this.busy) {
            const state = await ask("/caption");
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
        fill(this.bar, of ? done / of : null, t("{done} of {of}", {done, of}));
        if (busy) {
            say(this.status, of ? t("Captioning: {done} of {of}.", {done, of}) : t("Loading the captioner…"));
        } else if (was) {
            const told = of ? plural(of, "{n} photo captioned.", "{n} photos captioned.")
                : t("Every photo has a caption already.");
            say(this.status, error ?? told, Boolean(error));
        }
    }

    async #write(overwrite = false) {
        const where = this.photos.shownFolder;
        const kept = overwrite ? t("The texts that they replace are kept as .txt.bak.")
            : t("Text files that say something else are left as they are.");
        const asked = plural(Object.keys(this.photos.captions).length,
            "Write {n} caption file (.txt) beside your photos in {where}?",
            "Write {n} caption files (.txt) beside your photos in {where}?", {where});
        if (!confirm(`${asked}\n\n${kept}`)) {
            return;
        }
        this.over.hidden = true;
        const {left = []} = await this.edit("write_beside", {overwrite});
        this.over.hidden = left.length === 0;
        const names = left.slice(0, 5).join(", ") + (left.length > 5 ? " …" : "");
        say(this.status, left.length === 0 ? t("All captions are beside the photos.")
            : plural(left.length, "{n} file with another text left as they were: {names}.",
                "{n} files with another text left as they were: {names}.", {names}));
    }
}

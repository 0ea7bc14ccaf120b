// Optional: our own product filter looks at the photos, so that those without the product can be left out.

import {fill, inputLine, labelled, line, say} from "../shared/elements.mjs";
import {plural, t} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";

export class Curation {
    constructor(photos) {
        this.photos = photos;
        this.train = photos.train;
        this.busy = true; // until the server says that nobody looks
        this.state = {};
        this.status = parts.status("curate_status");
        this.bar = parts.bar("curate_progress", t("Looking for products"));
        this.products = parts.input("products", {
            placeholder: "handbag, shoe, watch = wristwatch | watch dial", ...this.train.kept("products"),
        });
        const button = (name, label, action) => parts.button(name, label, action, this.status);
        this.look = button("look", t("Look"), () => this.#look());
        this.stop = button("look_stop", t("Stop"), () => ask("/curate/stop", {}));
        this.leave = button("leave_out_others", t("Leave out"), () => this.#leaveOut());
        this.crop = button("crop_products", t("Crop"), () => this.#crop());
        this.whole = button("crop_none", t("Whole photos again"), () => this.#whole());
        [this.stop, this.leave, this.crop, this.whole].forEach(one => {
            one.hidden = true;
        });
        this.box = parts.fold("curation_fold", t("Keep only photos that show a product (optional)"),
            inputLine(labelled(this.products, t("Products")), this.look, this.stop),
            this.bar, this.status, line(this.leave, this.crop, this.whole));
    }

    async #look() {
        const {folder} = this.photos.check;
        await ask("/curate", {folder, tag: this.photos.tag, products: this.products.value});
        this.busy = true;
        this.state = {busy: true, folder};
        this.show();
        this.train.wake();
    }

    async poll() {
        if (this.busy) {
            this.state = await ask("/curate");
            this.busy = this.state.busy;
            this.show();
        }
    }

    // What the server knows of the folder that is shown; nothing of another one.
    show() {
        this.whole.hidden = Object.keys(this.photos.crops).length === 0;
        const {busy, done, of, error, pictures, folder, note} = this.state;
        const here = Boolean(folder) && folder === this.photos.check?.folder;
        const shown = JSON.stringify([here, this.state]);
        if (shown === this.shown) {
            return;
        }
        this.shown = shown;
        this.bar.hidden = this.stop.hidden = !busy;
        fill(this.bar, of ? done / of : null, t("{done} of {of}", {done, of}));
        this.#offer(here && !busy && !error ? pictures ?? [] : [], note);
        if (busy) {
            say(this.status, of ? t("Looking: {done} of {of}.", {done, of}) : t("Loading the product filter…"));
        } else if (here && error) {
            say(this.status, error, true);
        }
    }

    #offer(pictures, note) {
        this.without = pictures.filter(picture => picture.products.length === 0).map(picture => picture.name);
        this.boxes = Object.fromEntries(pictures.filter(picture => picture.crop).map(({name, crop}) => [name, crop]));
        const [all, none] = [pictures.length, this.without.length];
        const crops = Object.keys(this.boxes).length;
        const told = plural(all, "{shown} of {n} photo show a product.", "{shown} of {n} photos show a product.",
            {shown: all - none});
        say(this.status, all ? [told, note].filter(Boolean).join(" ") : "");
        this.leave.textContent = t("Leave out the {none} without one", {none});
        this.leave.hidden = none === 0;
        this.crop.textContent = plural(crops, "Crop {n} photo to the product", "Crop {n} photos to the product");
        this.crop.hidden = crops === 0;
    }

    async #leaveOut() {
        await this.photos.leaveOut(this.without);
        say(this.status, plural(this.without.length, "{n} photo left out; the ticks in the gallery bring them back.",
            "{n} photos left out; the ticks in the gallery bring them back."));
    }

    #crop() {
        this.photos.crops = this.boxes;
        this.photos.changed();
        say(this.status, t("Cropped in the run's own copies; your photos stay whole."));
    }

    #whole() {
        this.photos.crops = {};
        this.photos.changed();
    }
}

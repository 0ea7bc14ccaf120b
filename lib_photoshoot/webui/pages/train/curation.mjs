// Optional: our own product filter looks at the photos, so that those without the product can be left out.

import {fill, inputLine, labelled, line, say} from "../shared/elements.mjs";
import {plural} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";

export class Curation {
    constructor(photos) {
        this.photos = photos;
        this.train = photos.train;
        this.busy = true; // until the server says that nobody looks
        this.state = {};
        this.status = parts.status("curate_status");
        this.bar = parts.bar("curate_progress", "Looking for products");
        this.products = parts.input("products", {
            value: this.train.saved.products ?? "", placeholder: "handbag, shoe, watch = wristwatch | watch dial",
            onchange: () => this.train.remember({products: this.products.value}),
        });
        const button = (name, label, action) => parts.button(name, label, action, this.status);
        this.look = button("look", "Look", () => this.#look());
        this.stop = button("look_stop", "Stop", () => ask("/curate/stop", {}));
        this.leave = button("leave_out_others", "Leave out", () => this.#leaveOut());
        this.crop = button("crop_products", "Crop", () => this.#crop());
        this.whole = button("crop_none", "Whole photos again", () => this.#whole());
        [this.stop, this.leave, this.crop, this.whole].forEach(one => {
            one.hidden = true;
        });
        this.box = parts.fold("curation_fold", "Keep only photos that show a product (optional)",
            inputLine(labelled(this.products, "Products"), this.look, this.stop),
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
        const {busy, done, of, error, pictures, folder} = this.state;
        const here = Boolean(folder) && folder === this.photos.check?.folder;
        const shown = JSON.stringify([here, this.state]);
        if (shown === this.shown) {
            return;
        }
        this.shown = shown;
        this.bar.hidden = this.stop.hidden = !busy;
        fill(this.bar, of ? done / of : null, `${done} of ${of}`);
        this.#offer(here && !busy && !error ? pictures ?? [] : []);
        if (busy) {
            say(this.status, of ? `Looking: ${done} of ${of}.` : "Loading the product filter…");
        } else if (here && error) {
            say(this.status, error, true);
        }
    }

    #offer(pictures) {
        this.without = pictures.filter(picture => picture.products.length === 0).map(picture => picture.name);
        this.boxes = Object.fromEntries(pictures.filter(picture => picture.crop).map(({name, crop}) => [name, crop]));
        const [all, none] = [pictures.length, this.without.length];
        const crops = Object.keys(this.boxes).length;
        const told = `${all - none} of ${plural(all, "photo")} show a product.`;
        say(this.status, all ? told : "");
        this.leave.textContent = `Leave out the ${none} without one`;
        this.leave.hidden = none === 0;
        this.crop.textContent = `Crop ${plural(crops, "photo")} to the product`;
        this.crop.hidden = crops === 0;
    }

    #leaveOut() {
        this.without.forEach(name => this.photos.leftOut.add(name));
        this.photos.changed();
        const many = plural(this.without.length, "photo");
        say(this.status, `${many} left out; the ticks in the gallery bring them back.`);
    }

    #crop() {
        this.photos.crops = this.boxes;
        this.photos.changed();
        say(this.status, "Cropped in the run's own copies; your photos stay whole.");
    }

    #whole() {
        this.photos.crops = {};
        this.photos.changed();
    }
}

// How the first scene of a row's photo would begin: asked for by a button, since a model has to look at the photo.

import {make} from "../shared/elements.mjs";
import {t} from "../shared/words.mjs";
import {ask} from "./api.mjs";

export class Stage {
    constructor(row) {
        this.row = row;
        this.asked = 0;
        this.button = make("button", {
            type: "button", class: "photoshoot-page-button photoshoot-shoot-stage", onclick: () => this.#look(),
        }, t("Stage the photo"));
        this.picture = make("img", {alt: t("How the first scene begins"), hidden: true});
        this.said = make("small", {role: "status"});
        this.box = make("div", {class: "photoshoot-shoot-staged"}, this.button, this.picture, this.said);
    }

    // There is nothing to stage without a photo.
    show() {
        this.box.hidden = !this.row.values.photo?.trim();
    }

    // After a change: what is shown was staged otherwise.
    clear() {
        this.asked += 1;
        this.picture.hidden = true;
        this.said.textContent = "";
        this.show();
    }

    async #look() {
        this.clear();
        const number = this.asked;
        this.said.textContent = t("Looking…");
        let text = "";
        try {
            const {image} = await ask("/stage", {row: this.row.values});
            if (number === this.asked) {
                this.picture.src = `data:image/jpeg;base64,${image}`;
                this.picture.hidden = false;
            }
        } catch (error) {
            text = error.message;
        }
        if (number === this.asked) {
            this.said.textContent = text;
        }
    }
}

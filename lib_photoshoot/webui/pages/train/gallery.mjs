// The photos with their captions; the part that the crop cuts away is dimmed.

import {attempt, items, make, say} from "../shared/elements.mjs";
import {t} from "../shared/words.mjs";
import {parts, trainUrl} from "./api.mjs";
import {UNCAPTIONED, UNTAGGED} from "./counting.mjs";

export class Gallery {
    constructor(photos) {
        this.photos = photos;
        this.cards = new Map();
        this.box = parts.make("ul", "gallery", {
            class: "photoshoot-page-gallery", "aria-label": t("Photos"), tabIndex: 0,
        });
    }

    // Cards are kept, so that neither the place in the list nor a text being typed is lost.
    show() {
        const {check, shownFolder} = this.photos;
        if (this.folder !== shownFolder) {
            this.cards.clear();
            this.folder = shownFolder;
        }
        const cards = check.pictures.map((picture, index) =>
            this.cards.get(picture.name) ?? new Photo(this.photos, picture, index));
        this.cards = new Map(cards.map(card => [card.name, card]));
        cards.forEach((card, index) => card.show(check.pictures[index]));
        const {children} = this.box;
        if (cards.length !== children.length || cards.some(({node}, index) => node !== children[index])) {
            this.box.replaceChildren(...cards.map(({node}) => node));
        }
    }
}

class Photo {
    constructor(photos, picture, index) {
        this.photos = photos;
        this.name = picture.name;
        this.kept = make("i");
        const query = {folder: photos.shownFolder, name: this.name, side: 320};
        this.frame = make("div", {class: "photoshoot-page-frame"},
            make("img", {src: trainUrl("/picture", query), alt: "", loading: "lazy"}), this.kept);
        this.size = make("small");
        this.caption = parts.make("textarea", `photo_${index}_caption`, {
            rows: 3, spellcheck: true, "aria-label": t("Caption of {name}", {name: this.name}),
            placeholder: t("No caption yet"), onchange: () => this.#save(),
        });
        this.out = parts.make("input", `photo_${index}_out`, {
            type: "checkbox", onchange: () => this.#leaveOut(),
        });
        this.status = make("small", {role: "status", "aria-live": "polite"});
        this.findings = make("ul", {class: "photoshoot-page-findings"});
        this.node = make("li", {class: "photoshoot-page-photo"},
            make("figure", {}, this.frame),
            make("div", {},
                make("div", {class: "photoshoot-page-photo-head"}, make("b", {}, this.name), this.size),
                this.caption, this.status,
                make("div", {class: "photoshoot-page-field photoshoot-page-tick"}, this.out,
                    make("label", {htmlFor: this.out.id}, t("Leave out"),
                        make("span", {class: "photoshoot-page-unseen"}, ` ${this.name}`))),
                this.findings));
        this.node.dataset.name = this.name;
    }

    show(picture) {
        const {captions, leftOut, crops} = this.photos;
        const {width, height} = picture;
        const crop = crops[this.name] ?? picture.crop;
        this.frame.style.aspectRatio = `${width} / ${height}`;
        this.frame.classList.toggle("photoshoot-page-upright", height > width);
        const percent = (value, whole) => `${100 * value / whole}%`;
        const [left, top, right, bottom] = crop;
        Object.assign(this.kept.style, {
            left: percent(left, width), top: percent(top, height),
            width: percent(right - left, width), height: percent(bottom - top, height),
        });
        const away = 1 - (right - left) * (bottom - top) / (width * height);
        const cropped = this.name in crops ? t("cropped to the product")
            : t("{percent} % cut away", {percent: Math.round(100 * away)});
        this.frame.title = t("{width} × {height} pixels, {cropped}", {width, height, cropped});
        this.size.textContent = away < 0.005 ? `${width} × ${height}` : cropped;
        if (document.activeElement !== this.caption) {
            this.caption.value = captions[this.name];
        }
        this.out.checked = leftOut.has(this.name);
        this.node.classList.toggle("photoshoot-page-out", this.out.checked);
        const told = picture.findings.filter(one => this.photos.stands(one) &&
            !UNCAPTIONED.includes(one.kind) && !UNTAGGED.includes(one.kind));
        this.findings.replaceChildren(...items(told.map(({text, severity}) =>
            [text, severity === "problem" ? "photoshoot-page-wrong" : ""])));
    }

    #save() {
        return attempt(async() => {
            say(this.status, t("Saving…"));
            await this.photos.captioning.edit("set", {name: this.name, text: this.caption.value});
            say(this.status, "");
        }, this.status);
    }

    #leaveOut() {
        return attempt(() => this.photos.leaveOut([this.name], this.out.checked), this.status);
    }
}

// The photos with their captions; the part that the crop cuts away is dimmed.

class PhotoshootTrainGallery {
    constructor(photos) {
        this.photos = photos;
        this.cards = new Map();
        this.list = photoshootMake("ul", {
            id: `${PHOTOSHOOT_TRAIN_ID}gallery`, class: "photoshoot-page-gallery", "aria-label": "Photos", tabIndex: 0,
        });
        this.box = this.list;
    }

    // Cards are kept, so that neither the place in the list nor a text being typed is lost.
    show() {
        const {check, shownFolder} = this.photos;
        if (this.folder !== shownFolder) {
            this.cards.clear();
            this.folder = shownFolder;
        }
        for (const name of this.cards.keys()) {
            if (!check.pictures.some(picture => picture.name === name)) {
                this.cards.delete(name);
            }
        }
        const nodes = check.pictures.map((picture, index) => {
            let card = this.cards.get(picture.name);
            if (!card) {
                card = new PhotoshootTrainPhoto(this.photos, picture, index);
                this.cards.set(picture.name, card);
            }
            card.show(picture);
            return card.node;
        });
        if (nodes.length !== this.list.children.length || nodes.some((node, i) => node !== this.list.children[i])) {
            this.list.replaceChildren(...nodes);
        }
    }
}

class PhotoshootTrainPhoto {
    constructor(photos, picture, index) {
        this.photos = photos;
        this.name = picture.name;
        const make = photoshootMake;
        const id = part => `${PHOTOSHOOT_TRAIN_ID}photo_${index}_${part}`;
        this.kept = make("i");
        const query = {folder: photos.shownFolder, name: this.name, side: 320};
        this.frame = make("div", {class: "photoshoot-page-frame"},
            make("img", {src: photoshootTrainUrl("/picture", query), alt: "", loading: "lazy"}), this.kept);
        this.size = make("small");
        this.caption = make("textarea", {
            id: id("caption"), rows: 3, spellcheck: true, "aria-label": `Caption of ${this.name}`,
            placeholder: "No caption yet", onchange: () => this.#save(),
        });
        this.out = make("input", {id: id("out"), type: "checkbox", onchange: () => this.#leaveOut()});
        this.status = make("small", {role: "status", "aria-live": "polite"});
        this.findings = make("ul", {class: "photoshoot-page-findings"});
        this.node = make("li", {class: "photoshoot-page-photo"},
            make("figure", {}, this.frame),
            make("div", {},
                make("div", {class: "photoshoot-page-photo-head"}, make("b", {}, this.name), this.size),
                this.caption, this.status,
                make("div", {class: "photoshoot-page-field photoshoot-page-tick"}, this.out,
                    make("label", {htmlFor: this.out.id}, "Leave out",
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
        const cropped = this.name in crops ? "cropped to the product" : `${Math.round(100 * away)} % cut away`;
        this.frame.title = `${width} × ${height} pixels, ${cropped}`;
        this.size.textContent = away < 0.005 ? `${width} × ${height}` : cropped;
        if (document.activeElement !== this.caption) {
            this.caption.value = captions[this.name];
        }
        this.out.checked = leftOut.has(this.name);
        this.node.classList.toggle("photoshoot-page-out", this.out.checked);
        const told = picture.findings.filter(one => this.photos.stands(one) &&
            !PHOTOSHOOT_TRAIN_UNCAPTIONED.includes(one.kind) && !PHOTOSHOOT_TRAIN_UNTAGGED.includes(one.kind));
        this.findings.replaceChildren(...told.map(finding => photoshootMake("li", {
            class: finding.severity === "problem" ? "photoshoot-page-wrong" : "",
        }, finding.text)));
    }

    async #save() {
        photoshootSay(this.status, "Saving…");
        try {
            await this.photos.captioning.edit("set", {name: this.name, text: this.caption.value});
            photoshootSay(this.status, "");
        } catch (error) {
            photoshootSay(this.status, error.message, true);
        }
    }

    #leaveOut() {
        if (this.out.checked) {
            this.photos.leftOut.add(this.name);
        } else {
            this.photos.leftOut.delete(this.name);
        }
        this.photos.changed();
    }
}

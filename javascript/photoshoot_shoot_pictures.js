// Step 3: the newest pictures, of all products or of one; each can be accepted or rejected by hand.

const PHOTOSHOOT_SHOOT_PICTURES = 48;

class PhotoshootShootPictures {
    constructor(page) {
        this.page = page;
        this.cards = new Map(); // by the shot's id
        const make = photoshootMake;
        const parts = photoshootShootParts;
        this.status = parts.status("pictures_status");
        this.select = parts.select("product", [["", "All products"]], {
            onchange: () => this.choose(this.select.value),
        });
        this.field = photoshootField(this.select, "Product");
        this.list = make("ul", {
            id: parts.id("pictures"), class: "photoshoot-shoot-pictures", "aria-label": "Newest pictures", tabIndex: 0,
        });
        this.more = parts.button("more", "Show more", async() => {
            this.limit += PHOTOSHOOT_SHOOT_PICTURES;
            this.show();
        });
        this.empty = make("p", {class: "photoshoot-page-nothing"},
            "Pictures appear here as they are made, the newest first.");
        this.box = parts.step("newest", 3, "Newest pictures", this.empty, this.field, this.status, this.list,
            photoshootRow(this.more));
    }

    // Another shoot is shown.
    begin() {
        this.limit = PHOTOSHOOT_SHOOT_PICTURES;
        this.cards.clear();
        this.names = null;
        this.select.value = "";
        photoshootSay(this.status, "");
    }

    // Show one product's pictures; all for the empty name.
    choose(product) {
        this.select.value = product;
        this.limit = PHOTOSHOOT_SHOOT_PICTURES;
        this.list.scrollTop = 0;
        this.show();
    }

    show() {
        const {shoot} = this.page;
        this.#showProducts();
        const shots = shoot.newest(this.limit, this.select.value);
        const cards = shots.map(shot => {
            const card = this.cards.get(shot.id) ?? new PhotoshootShootPicture(this, shot.id);
            card.show(shot);
            return card;
        });
        this.cards = new Map(cards.map(card => [card.id, card]));
        // New ones are put before those that are there, so that a button that has the focus keeps it.
        const nodes = new Set(cards.map(card => card.node));
        [...this.list.children].filter(node => !nodes.has(node)).forEach(node => node.remove());
        cards.forEach(({node}, index) => {
            if (this.list.children[index] !== node) {
                this.list.insertBefore(node, this.list.children[index] ?? null);
            }
        });
        const all = this.select.value ? shoot.byProduct.get(this.select.value)?.length ?? 0 : shoot.shots.size;
        this.more.hidden = all <= this.limit;
        this.empty.hidden = shoot.shots.size > 0;
        this.field.hidden = this.list.hidden = shoot.shots.size === 0;
    }

    async decide(shot, decision) {
        const {shoot} = this.page;
        // The filter's own decision needs no word of a person.
        const by = decision === shot.filter ? null : decision;
        const answer = await photoshootShootAsk(photoshootShootPath(shoot.name, "/decide"), {
            decisions: [{product: shot.product, number: shot.number, decision: by}],
        });
        shoot.update(answer);
        if (shoot === this.page.shoot) {
            this.page.show();
            this.page.wake();
        }
    }

    #showProducts() {
        const names = [...this.page.shoot.products.keys()];
        if (JSON.stringify(names) === this.names) {
            return;
        }
        this.names = JSON.stringify(names);
        const {value} = this.select;
        const option = (name, label) => photoshootMake("option", {value: name}, label);
        this.select.replaceChildren(option("", "All products"), ...names.map(name => option(name, name)));
        this.select.value = names.includes(value) ? value : "";
    }
}

class PhotoshootShootPicture {
    constructor(pictures, id) {
        this.pictures = pictures;
        this.id = id;
        const make = photoshootMake;
        this.picture = make("div");
        this.text = make("small");
        const button = (name, sign, decision) => photoshootShootParts.button(`${name}_${id}`, sign,
            () => pictures.decide(this.shot, decision), pictures.status);
        this.accept = button("accept", "✓", "accepted");
        this.reject = button("reject", "✕", "rejected");
        this.title = make("b");
        this.node = make("li", {}, this.picture, this.title,
            make("div", {class: "photoshoot-shoot-decide"}, this.text, this.accept, this.reject));
    }

    show(shot) {
        const shown = JSON.stringify(shot);
        if (shown === this.shown) {
            return;
        }
        this.shown = shown;
        this.shot = shot;
        const {product, seed, decision, by_hand: byHand, why} = shot;
        this.picture.replaceChildren(photoshootShootThumbnail(this.pictures.page.shoot.name, shot));
        this.title.textContent = product;
        this.text.textContent = `${decision}${byHand ? " by hand" : ""}`;
        this.node.title = why ?? "";
        this.node.className = `photoshoot-shoot-${decision}`;
        for (const [button, word, is] of [[this.accept, "Accept", "accepted"], [this.reject, "Reject", "rejected"]]) {
            button.setAttribute("aria-pressed", String(decision === is));
            button.setAttribute("aria-label", `${word} ${product}, seed ${seed}`);
            button.title = word;
        }
    }
}

// Step 3: the newest pictures, of all products or of one; each can be accepted or rejected by hand.

import {labelled, line, make, options, renew, say} from "../shared/elements.mjs";
import {t} from "../shared/words.mjs";
import {ask, parts, shootPath} from "./api.mjs";
import {DECISIONS, thumbnailOf} from "./row.mjs";

const PICTURES = 48;

export class Pictures {
    constructor(page) {
        this.page = page;
        this.cards = new Map(); // by the shot's id
        this.status = parts.status("pictures_status");
        this.select = parts.select("product", [["", t("All products")]], {
            onchange: () => this.choose(this.select.value),
        });
        this.field = labelled(this.select, t("Product"));
        this.list = parts.make("ul", "pictures", {
            class: "photoshoot-shoot-pictures", "aria-label": t("Newest pictures"), tabIndex: 0,
        });
        this.more = parts.button("more", t("Show more"), async() => {
            this.limit += PICTURES;
            this.show();
        });
        this.empty = make("p", {class: "photoshoot-page-nothing"},
            t("Pictures appear here as they are made, the newest first."));
        this.box = parts.step("newest", 3, t("Newest pictures"), this.empty, this.field, this.status, this.list,
            line(this.more));
    }

    // Another shoot is shown.
    begin() {
        this.limit = PICTURES;
        this.cards.clear();
        this.select.value = "";
        say(this.status, "");
    }

    // Show one product's pictures; all for the empty name.
    choose(product) {
        this.select.value = product;
        this.limit = PICTURES;
        this.list.scrollTop = 0;
        this.show();
    }

    show() {
        const {shoot} = this.page;
        this.#showProducts();
        const shots = shoot.newest(this.limit, this.select.value);
        const cards = shots.map(shot => {
            const card = this.cards.get(shot.id) ?? new Picture(this, shot.id);
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
        const answer = await ask(shootPath(shoot.name, "/decide"), {
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
        const {value} = this.select;
        renew(this.select, names, () => options([["", t("All products")], ...names.map(name => [name, name])]));
        this.select.value = names.includes(value) ? value : "";
    }
}

class Picture {
    constructor(pictures, id) {
        this.pictures = pictures;
        this.id = id;
        this.picture = make("div");
        this.text = make("small");
        const button = (name, sign, decision) => parts.button(`${name}_${id}`, sign,
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
        this.picture.replaceChildren(thumbnailOf(this.pictures.page.shoot, shot));
        this.title.textContent = product;
        const decided = DECISIONS[decision] ?? decision;
        this.text.textContent = byHand ? t("{decision} by hand", {decision: decided}) : decided;
        this.node.title = why ?? "";
        this.node.className = `photoshoot-shoot-${decision}`;
        for (const [button, word, is] of [
            [this.accept, t("Accept"), "accepted"], [this.reject, t("Reject"), "rejected"],
        ]) {
            button.setAttribute("aria-pressed", String(decision === is));
            button.setAttribute("aria-label", t("{word} {product}, seed {seed}", {word, product, seed}));
            button.title = word;
        }
    }
}

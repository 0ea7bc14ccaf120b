// One product of the table. Its cells are made when the row comes near the part of the table that is seen, and taken

import {items, make, renew} from "../shared/elements.mjs";
import {count, range, t} from "../shared/words.mjs";
import {fileUrl, pageUrl, parts} from "./api.mjs";
import {tidied} from "./cells.mjs";
import {fieldName} from "./columns.mjs";
import {Stage} from "./stage.mjs";

// away when it leaves: a list may have thousands.

const THUMBNAILS = 4;
export const DECISIONS = {accepted: t("accepted"), rejected: t("rejected")};

export class Row {
    constructor(table, values = {}) {
        this.table = table;
        this.values = {...values};
        this.problems = [];
        this.prompt = "";
        this.cells = new Map();
        this.node = make("div", {class: "photoshoot-shoot-row", role: "row"});
    }

    get built() {
        return this.cells.size > 0;
    }

    get empty() {
        return !Object.values(this.values).some(text => text.trim());
    }

    // The product's name as the server has it.
    get name() {
        return tidied(this.values.name);
    }

    get focused() {
        return this.node.contains(document.activeElement);
    }

    build() {
        if (this.built) {
            return;
        }
        this.count = make("button", {
            type: "button", class: "photoshoot-shoot-number", tabIndex: -1,
            onclick: () => this.table.focus(this, "name"),
        });
        const cells = this.table.columns.shown.map(field => this.#cell(field));
        // For the mouse; by keyboard the product is chosen above the pictures.
        this.accepted = make("button", {
            type: "button", class: "photoshoot-shoot-count", tabIndex: -1, title: t("Show its pictures"),
            onclick: () => this.table.page.pictures.choose(this.name),
        });
        this.bar = make("div", {class: "photoshoot-page-bar", "aria-hidden": "true"}, make("i"));
        this.rejected = make("small");
        this.thumbnails = make("div", {class: "photoshoot-shoot-thumbnails", role: "cell"});
        this.notes = make("ul", {class: "photoshoot-page-findings", id: this.table.id()});
        this.stage = new Stage(this);
        this.node.replaceChildren(
            make("div", {role: "rowheader"}, this.count), ...cells,
            make("div", {class: "photoshoot-shoot-live", role: "cell"}, this.accepted, this.bar, this.rejected),
            this.thumbnails, make("div", {class: "photoshoot-shoot-notes", role: "cell"}, this.notes, this.stage.box));
        this.node.style.minHeight = "";
        this.renumber();
        this.lock();
        this.showPrompt();
        this.showLive();
        this.stage.show();
    }

    // The height stays, so that nothing moves under the user's eyes.
    clear() {
        if (this.built && !this.focused) {
            this.node.style.minHeight = `${this.node.offsetHeight}px`;
            this.cells.clear();
            this.node.replaceChildren();
        }
    }

    // After the columns were changed.
    rebuild() {
        if (this.built) {
            this.cells.clear();
            this.build();
        }
    }

    set(field, text) {
        if (text.trim()) {
            this.values[field] = text;
        } else {
            delete this.values[field];
        }
        this.stage?.clear();
    }

    // The same, and in the cell.
    write(field, text) {
        this.set(field, text);
        const input = this.cells.get(field);
        if (input) {
            input.value = text;
        }
    }

    renumber() {
        const number = this.table.numberOf(this);
        this.node.setAttribute("aria-rowindex", number + 1); // the head is the first
        if (this.built) {
            this.count.textContent = number;
            this.count.setAttribute("aria-label", t("Row {number}", {number}));
            for (const [field, input] of this.cells) {
                input.setAttribute("aria-label", t("{field}, row {number}", {field: fieldName(field), number}));
            }
        }
    }

    lock() {
        for (const input of this.cells.values()) {
            input.readOnly = this.table.locked;
        }
    }

    // The prompt that is written where the user gives none.
    showPrompt() {
        const input = this.cells.get("prompt");
        if (input) {
            input.placeholder = this.prompt;
        }
    }

    // What is wrong, and why the product was set aside.
    showNotes() {
        if (!this.built) {
            return;
        }
        // What is still missing in the row that is being filled in is not wrong yet.
        const said = this.problems.filter(({field}) => !(this.focused && field && !this.values[field]));
        for (const [field, input] of this.cells) {
            const wrong = said.some(problem => problem.field === field);
            input.setAttribute("aria-invalid", String(wrong));
            if (wrong) {
                input.setAttribute("aria-describedby", this.notes.id);
            } else {
                input.removeAttribute("aria-describedby");
            }
        }
        const aside = this.product?.aside;
        const lines = said.map(({text}) => [sentence(text), "photoshoot-page-wrong"]);
        if (aside) {
            lines.push([t("Set aside: {why}", {why: aside}), ""]);
        }
        renew(this.notes, lines, () => items(lines));
        this.node.dataset.wrong = String(said.length > 0);
    }

    get product() {
        return this.table.page.shoot.products.get(this.name);
    }

    showLive() {
        if (!this.built) {
            return;
        }
        const {product} = this;
        const {shoot} = this.table.page;
        const {accepted = 0, wanted = 0, rejected = 0} = product ?? {};
        this.accepted.hidden = !product;
        this.accepted.textContent = product ? `${accepted} / ${wanted}` : "";
        this.accepted.setAttribute("aria-label",
            t("{name}: {accepted} of {wanted} accepted", {name: this.name, accepted, wanted}));
        this.bar.hidden = !product;
        this.bar.firstChild.style.width = `${100 * Math.min(1, wanted ? accepted / wanted : 0)}%`;
        this.rejected.textContent = rejected ? t("{n} rejected", {n: count(rejected)}) : "";
        const shots = product ? shoot.newest(THUMBNAILS, this.name) : [];
        renew(this.thumbnails, [shoot.name, shots.map(({thumbnail, decision, why}) => [thumbnail, decision, why])],
            () => shots.map(shot => thumbnailOf(shoot, shot)));
        this.showNotes();
    }

    #cell(field) {
        const {name, kind, about, default: usual} = field;
        const whole = ["whole", "number"].includes(kind);
        // No number boxes: those show nothing where a text that is no number was pasted, and it would be lost.
        const input = make("input", {
            type: "text", value: this.values[name] ?? "", placeholder: usual ?? "", autocomplete: "off",
            spellcheck: name === "prompt" || name === "negative_prompt" || name === "scenes",
            inputMode: kind === "whole" ? "numeric" : kind === "number" ? "decimal" : "text",
            title: [t(about), whole ? range(field.lowest, field.highest, field.step) : ""].filter(Boolean).join(" "),
        });
        if (this.table.page.info.choices[name]?.length) {
            input.setAttribute("list", parts.id(`choices_${name}`));
        }
        input.dataset.field = name;
        this.cells.set(name, input);
        const classes = `photoshoot-shoot-cell${whole ? " photoshoot-shoot-figure" : ""}`;
        return make("div", {class: classes, role: "cell"}, input);
    }
}

function sentence(text) {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

// A small picture that opens the picture page.
export function thumbnailOf(shoot, shot) {
    const {product, seed, decision, why, thumbnail} = shot;
    const words = t("{product}, seed {seed}: {decision}", {product, seed, decision: DECISIONS[decision] ?? decision});
    return make("a", {
        href: pageUrl(shoot, shot), target: "_blank", title: [words, why].filter(Boolean).join("\n"),
        class: `photoshoot-shoot-${decision}`,
    }, make("img", {src: fileUrl(shoot.name, thumbnail), alt: words, loading: "lazy"}));
}

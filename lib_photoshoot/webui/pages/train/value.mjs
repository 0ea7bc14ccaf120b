// One value of the recipe: its input, whether it was changed, and the way back.

import {labelled, make} from "../shared/elements.mjs";
import {range, t} from "../shared/words.mjs";
import {parts} from "./api.mjs";
import {linesOf, valueWords} from "./words.mjs";

export class Value {
    constructor(recipe, field) {
        this.name = field.name;
        this.group = field.group;
        this.type = field.type;
        this.original = field.default;
        this.input = this.#make(field);
        this.input.addEventListener("input", () => {
            this.#mark();
            recipe.changed();
        });
        const bounds = Number.isFinite(field.highest) ? range(field.lowest, field.highest) : "";
        this.back = make("button", {
            type: "button", class: "photoshoot-page-back", hidden: true, onclick: () => {
                this.set(this.original);
                this.input.focus();
                recipe.changed();
            },
        }, t("back to {value}", {value: valueWords(this.original)}));
        this.back.setAttribute("aria-label",
            t("{field}: {what}", {field: t(field.label), what: this.back.textContent}));
        this.box = labelled(this.input, t(field.label), [t(field.help), bounds].filter(Boolean).join(" "));
        this.box.append(this.back);
        this.set(this.original);
    }

    get value() {
        switch (this.type) {
            case "bool":
                return this.input.checked;
            case "lines":
                return linesOf(this.input.value);
            case "text":
                return this.input.value;
            default: // a choice may be one of numbers; an empty number becomes NaN, which the server refuses
                if (typeof this.original !== "number") {
                    return this.input.value;
                }
                return this.input.value === "" ? NaN : Number(this.input.value);
        }
    }

    get changed() {
        return !this.equals(this.original);
    }

    equals(value) {
        return JSON.stringify(this.value) === JSON.stringify(value);
    }

    set(value) {
        if (this.type === "bool") {
            this.input.checked = Boolean(value);
        } else {
            this.input.value = this.type === "lines" ? (value ?? []).join("\n") : value === null ? "" : String(value);
        }
        this.#mark();
    }

    #make({name, type, lowest, highest, step, choices}) {
        const key = `recipe_${name}`;
        if (type === "bool") {
            return parts.input(key, {type: "checkbox"});
        }
        if (type === "choice") {
            return parts.select(key, choices.map(choice => [choice, choice]));
        }
        if (type === "lines") {
            return parts.make("textarea", key, {rows: 3});
        }
        if (type === "text") {
            return parts.input(key);
        }
        // The arrows of a number box count from its minimum: that has to be on the grid of its steps.
        const even = Math.abs(lowest / step - Math.round(lowest / step)) < 1e-6;
        return parts.input(key, {type: "number", step, max: highest, ...(even ? {min: lowest} : {})});
    }

    #mark() {
        this.back?.toggleAttribute("hidden", !this.changed);
        this.box?.classList.toggle("photoshoot-page-changed", this.changed);
        const {rangeOverflow, rangeUnderflow} = this.input.validity;
        this.input.setAttribute("aria-invalid", String(rangeOverflow || rangeUnderflow || Number.isNaN(this.value)));
    }
}

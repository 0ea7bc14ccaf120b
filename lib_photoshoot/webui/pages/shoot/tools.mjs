// What can be done with the row and the cell in which the cursor is, or was last; and the way back.

import {make, say} from "../shared/elements.mjs";
import {plural, t} from "../shared/words.mjs";
import {parts} from "./api.mjs";
import {fieldName} from "./columns.mjs";

export class Tools {
    constructor(table) {
        this.table = table;
        this.current = null; // {row, field}
        const button = (name, label, about, action) => parts.button(name, label, async() => action(),
            table.status, {"aria-label": about, title: about, disabled: true});
        this.place = make("span", {class: "photoshoot-page-help photoshoot-shoot-place"}, t("No row chosen"));
        this.buttons = [
            button("duplicate", t("Duplicate"), t("Duplicate the row"), () => this.duplicate()),
            button("up", "↑", t("Move the row up"), () => this.move(-1)),
            button("down", "↓", t("Move the row down"), () => this.move(1)),
            button("delete", t("Delete"), t("Delete the row"), () => this.remove()),
        ];
        this.fill = button("fill_down", t("Fill down"), t("Copy the cell to all rows below"), () => this.#fillDown());
        this.fill.removeAttribute("aria-label"); // what is said is what is seen; the rest is its description
        this.undo = button("undo", t("Undo"), t("Undo"), () => table.undo());
        this.box = make("div", {
            class: "photoshoot-page-row photoshoot-shoot-tools", role: "toolbar", "aria-label": t("Rows"),
        }, this.place, ...this.buttons, this.fill, this.undo);
    }

    choose(row, field) {
        this.current?.row.node.removeAttribute("aria-current");
        this.current = row && {row, field};
        row?.node.setAttribute("aria-current", "true");
        this.show();
    }

    show() {
        const {table} = this;
        const {row, field} = this.current ?? {};
        const none = !row || row.empty || table.locked;
        this.place.textContent = row
            ? t("Row {number}, {field}", {number: table.numberOf(row), field: fieldName(field)})
            : t("No row chosen");
        this.buttons.forEach(button => {
            button.disabled = none;
        });
        this.fill.disabled = none || field === "name";
        const last = table.undoes.at(-1);
        const words = last ? t("Undo: {what}", {what: last.words}) : t("Undo");
        this.undo.disabled = !last || table.locked;
        this.undo.title = words;
        this.undo.setAttribute("aria-label", words);
    }

    duplicate() {
        this.#change((row, index, table) => {
            table.keep(t("duplicate row {number}", {number: index + 1}));
            return table.insert(index + 1, row.values);
        });
    }

    remove() {
        this.#change((row, index, table) => {
            const told = {number: index + 1, name: row.name};
            table.keep(row.name ? t("delete row {number}, {name}", told) : t("delete row {number}", told));
            table.take(row);
            return table.rows[Math.min(index, table.rows.length - 1)];
        }, index => t("Row {number} is deleted; Undo brings it back.", {number: index + 1}));
    }

    move(step) {
        this.#change((row, index, table) => {
            const other = table.rows[index + step];
            if (!other || other.empty) {
                return null;
            }
            table.keep(t("move row {number}", {number: index + 1}));
            table.rows.splice(index, 1);
            table.rows.splice(index + step, 0, row);
            other.node[step < 0 ? "before" : "after"](row.node);
            return row;
        });
    }

    // Change the rows around the current one; `change` returns the row that is current then, or null for no change.
    #change(change, told = () => "") {
        const {table, current: {row, field}} = this;
        const {focused} = row;
        const index = table.rows.indexOf(row);
        const next = change(row, index, table);
        if (!next) {
            return;
        }
        this.choose(next, field);
        table.changed();
        if (focused) {
            table.focus(next, field);
        }
        say(table.status, told(index));
    }

    #fillDown() {
        const {row, field} = this.current;
        const {table} = this;
        const below = table.rows.slice(table.rows.indexOf(row) + 1).filter(one => !one.empty);
        table.keep(t("fill down {field}", {field: fieldName(field)}));
        below.forEach(one => one.write(field, row.values[field] ?? ""));
        table.changed();
        say(table.status, plural(below.length, "{n} row below filled.", "{n} rows below filled."));
    }
}

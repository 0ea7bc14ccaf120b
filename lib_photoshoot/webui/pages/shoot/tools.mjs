// What can be done with the row and the cell in which the cursor is, or was last; and the way back.

import {make, say} from "../shared/elements.mjs";
import {plural} from "../shared/words.mjs";
import {parts} from "./api.mjs";
import {fieldName} from "./columns.mjs";

export class Tools {
    constructor(table) {
        this.table = table;
        this.current = null; // {row, field}
        const button = (name, label, about, action) => parts.button(name, label, async() => action(),
            table.status, {"aria-label": about, title: about, disabled: true});
        this.place = make("span", {class: "photoshoot-page-help photoshoot-shoot-place"}, "No row chosen");
        this.buttons = [
            button("duplicate", "Duplicate", "Duplicate the row", () => this.duplicate()),
            button("up", "↑", "Move the row up", () => this.move(-1)),
            button("down", "↓", "Move the row down", () => this.move(1)),
            button("delete", "Delete", "Delete the row", () => this.remove()),
        ];
        this.fill = button("fill_down", "Fill down", "Copy the cell to all rows below", () => this.#fillDown());
        this.undo = button("undo", "Undo", "Undo", () => table.undo());
        this.box = make("div", {
            class: "photoshoot-page-row photoshoot-shoot-tools", role: "toolbar", "aria-label": "Rows",
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
        this.place.textContent = row ? `Row ${table.numberOf(row)}, ${fieldName(field)}`
            : "No row chosen";
        this.buttons.forEach(button => {
            button.disabled = none;
        });
        this.fill.disabled = none || field === "name";
        const last = table.undoes.at(-1);
        const words = last ? `Undo: ${last.words}` : "Undo";
        this.undo.disabled = !last || table.locked;
        this.undo.title = words;
        this.undo.setAttribute("aria-label", words);
    }

    duplicate() {
        const {row, field} = this.current;
        const {table} = this;
        const {focused} = row;
        const index = table.rows.indexOf(row);
        table.keep(`duplicate row ${index + 1}`);
        const copy = table.insert(index + 1, row.values);
        this.choose(copy, field);
        table.changed();
        if (focused) {
            table.focus(copy, field);
        }
    }

    remove() {
        const {row, field} = this.current;
        const {table} = this;
        const {focused} = row;
        const index = table.rows.indexOf(row);
        table.keep(`delete row ${index + 1}${row.name ? `, ${row.name}` : ""}`);
        table.take(row);
        const next = table.rows[Math.min(index, table.rows.length - 1)];
        this.choose(next, field);
        table.changed();
        if (focused) {
            table.focus(next, field);
        }
        say(table.status, `Row ${index + 1} is deleted; Undo brings it back.`);
    }

    move(step) {
        const {row, field} = this.current;
        const {table} = this;
        const {focused} = row;
        const index = table.rows.indexOf(row);
        const other = table.rows[index + step];
        if (!other || other.empty) {
            return;
        }
        table.keep(`move row ${index + 1}`);
        table.rows.splice(index, 1);
        table.rows.splice(index + step, 0, row);
        other.node[step < 0 ? "before" : "after"](row.node);
        table.changed();
        if (focused) {
            table.focus(row, field);
        }
    }

    #fillDown() {
        const {row, field} = this.current;
        const {table} = this;
        const below = table.rows.slice(table.rows.indexOf(row) + 1).filter(one => !one.empty);
        table.keep(`fill down ${fieldName(field)}`);
        below.forEach(one => one.write(field, row.values[field] ?? ""));
        table.changed();
        say(table.status, `${plural(below.length, "row")} below filled.`);
    }
}

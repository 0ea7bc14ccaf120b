// Keys and the clipboard in the table. One listener hears all rows, so that a row costs nothing.

import {say} from "../shared/elements.mjs";
import {plural, t} from "../shared/words.mjs";
import {gridOf, headerOf} from "./cells.mjs";

export class Keys {
    constructor(table) {
        this.table = table;
        this.before = ""; // what stood in the cell when the cursor came
        this.typed = false; // whether something was typed since
        const on = (kind, handler) => table.body.addEventListener(kind, event => {
            const row = table.rowAt(event.target);
            const field = event.target.dataset?.field;
            if (row && field) {
                handler(event, row, field);
            }
        });
        on("focusin", (event, row, field) => {
            table.tools.choose(row, field);
            this.before = event.target.value;
            this.typed = false;
        });
        // Once the cursor is in another row: what is missing is told only then.
        on("focusout", (event, row) => setTimeout(() => row.showNotes()));
        on("input", (event, row, field) => {
            row.set(field, event.target.value);
            this.typed = Boolean(event.inputType?.match(/^(insertText|delete)/));
            if (field === "name") {
                row.showLive();
            }
            table.changed(row);
        });
        on("keydown", (event, row, field) => this.#key(event, row, field));
        on("paste", (event, row, field) => this.#paste(event, row, field));
    }

    #key(event, row, field) {
        const {table} = this;
        const [action, step] = keyAction(event, {
            changes: !row.empty && !table.locked,
            offers: this.typed && offersMore(event.target),
            typed: event.target.value !== this.before,
        });
        if (!action) {
            return;
        }
        event.preventDefault();
        event.stopPropagation();
        if (action === "go") {
            this.#go(row, field, step);
        } else if (action === "restore") {
            row.write(field, this.before);
            table.changed(row);
        } else {
            table.tools[action](step);
        }
    }

    #go(row, field, step) {
        const {rows} = this.table;
        const next = rows[rows.indexOf(row) + step];
        if (next) {
            this.table.focus(next, field);
            next.cells.get(field)?.select();
        }
    }

    #paste(event, row, field) {
        const {table} = this;
        const text = event.clipboardData.getData("text/plain");
        if (table.locked || !/[\t\r\n]/.test(text.replace(/(\r\n|\n|\r)$/, ""))) {
            return; // a single cell goes where the cursor is
        }
        event.preventDefault();
        const grid = gridOf(text);
        const header = headerOf(grid, table.columns.names);
        const shown = table.columns.shown.map(({name}) => name);
        const fields = header ?? shown.slice(shown.indexOf(field));
        const lines = header ? grid.slice(1) : grid;
        const beyond = Math.max(...lines.map(cells => cells.length)) - fields.length;
        table.keep(t("paste"));
        const first = table.rows.indexOf(row);
        lines.forEach((cells, index) => {
            const into = table.rows[first + index] ?? table.insert(first + index);
            cells.slice(0, fields.length).forEach((cell, column) => into.write(fields[column], cell));
        });
        table.columns.add(fields);
        table.changed();
        this.before = row.values[field] ?? "";
        const left = beyond > 0 ? plural(beyond, "{n} column beyond the last one left out.",
            "{n} columns beyond the last one left out.") : "";
        say(table.status, `${plural(lines.length, "{n} row pasted.", "{n} rows pasted.")} ${left}`.trim());
    }
}

// What a key does in a cell, and by how many rows; nothing where it is the browser's. `changes` tells whether the row
// may be changed, `offers` whether the browser suggests texts, `typed` whether the cell holds another text than before.
export function keyAction({key, altKey, shiftKey, ctrlKey, metaKey, isComposing}, {changes, offers, typed}) {
    const control = ctrlKey || metaKey;
    const vertical = {ArrowUp: -1, ArrowDown: 1}[key];
    if (isComposing || (altKey && !shiftKey)) {
        return []; // Alt and an arrow open the browser's suggestions
    }
    if (altKey) {
        const action = vertical ? ["move", vertical] : ["Delete", "Backspace"].includes(key) ? ["remove"] : [];
        return changes ? action : [];
    }
    if (key === "Enter") {
        return !control ? ["go", shiftKey ? -1 : 1] : changes ? ["duplicate"] : [];
    }
    if (vertical) {
        return control || shiftKey || offers ? [] : ["go", vertical];
    }
    return key === "Escape" && typed ? ["restore"] : [];
}

// Whether the browser offers something for what was typed: then the arrows choose among that.
export function offersMore({list, value}) {
    const typed = value.toLowerCase();
    return [...list?.options ?? []].some(({value: offered}) =>
        offered !== value && offered.toLowerCase().includes(typed));
}

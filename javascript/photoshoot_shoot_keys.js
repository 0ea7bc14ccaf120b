// Keys and the clipboard in the table. One listener hears all rows, so that a row costs nothing.

class PhotoshootShootKeys {
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
        const action = event.isComposing ? null : this.#action(event, row, field);
        if (action) {
            event.preventDefault();
            event.stopPropagation();
            action();
        }
    }

    #action({key, altKey, shiftKey, ctrlKey, metaKey, target}, row, field) {
        const {table} = this;
        const {tools} = table;
        const control = ctrlKey || metaKey;
        const vertical = {ArrowUp: -1, ArrowDown: 1}[key];
        const changes = !row.empty && !table.locked;
        if (altKey && shiftKey) {
            const removes = ["Delete", "Backspace"].includes(key);
            return !changes ? null : vertical ? () => tools.move(vertical) : removes ? () => tools.remove() : null;
        }
        if (altKey) {
            return null; // Alt and an arrow open the browser's suggestions
        }
        if (key === "Enter" && control) {
            return changes ? () => tools.duplicate() : null;
        }
        if (key === "Enter") {
            return () => this.#go(row, field, shiftKey ? -1 : 1);
        }
        if (vertical && !control && !shiftKey && !(this.typed && photoshootShootOffers(target))) {
            return () => this.#go(row, field, vertical);
        }
        if (key === "Escape" && target.value !== this.before) {
            return () => {
                row.write(field, this.before);
                table.changed(row);
            };
        }
        return null;
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
        const grid = photoshootShootGrid(text);
        const header = photoshootShootHeader(grid, table.columns.names);
        const shown = table.columns.shown.map(({name}) => name);
        const fields = header ?? shown.slice(shown.indexOf(field));
        const lines = header ? grid.slice(1) : grid;
        const beyond = Math.max(...lines.map(cells => cells.length)) - fields.length;
        table.keep("paste");
        const first = table.rows.indexOf(row);
        lines.forEach((cells, index) => {
            const into = table.rows[first + index] ?? table.insert(first + index);
            cells.slice(0, fields.length).forEach((cell, column) => into.write(fields[column], cell));
        });
        table.columns.add(fields);
        table.changed();
        this.before = row.values[field] ?? "";
        const left = beyond > 0 ? ` ${photoshootCount(beyond, "column")} beyond the last one left out.` : "";
        photoshootSay(table.status, `${photoshootCount(lines.length, "row")} pasted.${left}`);
    }
}

// Whether the browser offers something for what was typed: then the arrows choose among that.
function photoshootShootOffers({list, value}) {
    const typed = value.toLowerCase();
    return [...list?.options ?? []].some(({value: offered}) =>
        offered !== value && offered.toLowerCase().includes(typed));
}

// The list as a table, used like a spreadsheet; below the last product there is always an empty row. What is wrong is

import {line, make, say} from "../shared/elements.mjs";
import {later} from "../shared/page.mjs";
import {plural, t} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";
import {Columns} from "./columns.mjs";
import {Keys} from "./keys.mjs";
import {Row} from "./row.mjs";
import {Tools} from "./tools.mjs";

// the server's to say: it is asked after each change. Columns, buttons and keys have files of their own.

const SETTLED_MS = 400;
const UNDOES = 30;

export class Table {
    constructor(page) {
        this.page = page;
        this.rows = [];
        this.numbers = new Map(); // of the rows, from 1
        this.rowOf = new WeakMap(); // by its element
        this.locked = false;
        this.undoes = [];
        this.asked = 0;
        this.ids = 0;
        this.onchange = () => {};
        this.status = parts.status("table_status");
        this.summary = parts.status("summary");
        this.first = parts.button("first_problem", t("Go to the first"), async() => this.#goToProblem(), null, {
            hidden: true,
        });
        this.columns = new Columns(this);
        this.tools = new Tools(this);
        this.body = make("div", {role: "rowgroup"});
        this.frame = parts.make("div", "table", {
            class: "photoshoot-shoot-table", role: "table", "aria-label": t("Shot list"),
            tabIndex: -1,
        }, make("div", {role: "rowgroup"}, this.columns.head), this.body);
        this.keys = new Keys(this);
        this.near = new IntersectionObserver(entries => this.#seen(entries), {
            root: this.frame, rootMargin: "300px 0px",
        });
        const lists = Object.entries(page.info.choices).map(([name, choices]) =>
            parts.make("datalist", `choices_${name}`, {}, ...choices.map(value => make("option", {value}))));
        this.box = make("div", {class: "photoshoot-page-found"},
            this.tools.box, this.frame, this.status, line(this.summary, this.first),
            make("small", {class: "photoshoot-page-help"}, t("Like a spreadsheet: Enter and ↑ ↓ go from row to " +
                "row, Tab from cell to cell, Escape takes back what was typed; copied cells are pasted from the " +
                "cursor on. Ctrl+Enter duplicates a row, Alt+Shift+↑ ↓ moves it, Alt+Shift+Delete deletes it.")),
            this.columns.box, ...lists);
        this.settled = later(() => this.check(), SETTLED_MS);
        this.columns.show();
    }

    // Rows that say something, which the server gets to see.
    get listed() {
        return this.rows.filter(row => !row.empty);
    }

    get values() {
        return this.plain(this.rows.map(row => row.values));
    }

    // Rows that say something, without empty cells and in the order of the fields, so that they can be compared.
    plain(rows) {
        return rows.map(values => Object.fromEntries(this.columns.names.filter(name => values[name]?.trim())
            .map(name => [name, values[name]]))).filter(values => Object.keys(values).length);
    }

    // An id that no other element has.
    id() {
        return parts.id(`row_${++this.ids}`);
    }

    numberOf(row) {
        return this.numbers.get(row);
    }

    // The row that an element of the table is in.
    rowAt(node) {
        return this.rowOf.get(node.closest(".photoshoot-shoot-row"));
    }

    // Show these rows; `undo` names what was done where that can be undone.
    use(values, undo = "") {
        if (undo) {
            this.keep(undo);
        } else {
            this.undoes = [];
        }
        this.rows.forEach(row => this.near.unobserve(row.node));
        this.rows = values.map(one => this.#made(one));
        this.body.replaceChildren(...this.rows.map(row => row.node));
        this.frame.scrollTop = 0;
        this.tools.choose(null);
        this.#structured();
        this.check();
    }

    // A new row at a place; changed() has to follow.
    insert(index, values = {}) {
        const row = this.#made(values);
        this.body.insertBefore(row.node, this.rows[index]?.node ?? null);
        this.rows.splice(index, 0, row);
        return row;
    }

    // Take a row out; changed() has to follow.
    take(row) {
        this.near.unobserve(row.node);
        this.rows.splice(this.rows.indexOf(row), 1);
        row.node.remove();
    }

    // After a change by hand: of the texts of one row, or of anything.
    changed(row = null) {
        say(this.status, "");
        if (!row || row === this.rows.at(-1)) {
            this.#structured();
        }
        this.tools.show();
        this.onchange();
        this.settled();
    }

    // Keep the rows as they are, for undo().
    keep(words) {
        this.undoes.push({words, values: this.rows.map(row => ({...row.values}))});
        this.undoes.splice(0, this.undoes.length - UNDOES);
    }

    undo() {
        const {values} = this.undoes.pop();
        const {undoes} = this;
        const {scrollTop} = this.frame;
        this.use(values);
        this.undoes = undoes;
        this.frame.scrollTop = scrollTop;
        this.changed();
    }

    // Whether the list can be edited: not while it is shot.
    lock(locked) {
        if (locked !== this.locked) {
            this.locked = locked;
            this.frame.dataset.locked = String(locked);
            this.rows.forEach(row => row.lock());
            this.tools.show();
        }
    }

    showLive() {
        const live = String(this.page.shoot.shots.size > 0 || this.page.shoot.running);
        if (this.frame.dataset.live !== live) {
            this.frame.dataset.live = live;
            this.columns.fit();
        }
        this.rows.forEach(row => row.showLive());
    }

    focus(row, field) {
        row.build();
        const input = row.cells.get(field) ?? row.cells.get("name");
        input.focus({preventScroll: true});
        row.node.scrollIntoView({block: "nearest"});
        input.scrollIntoView({block: "nearest", inline: "nearest"});
    }

    // Ask the server what is wrong; the answer to an older question is dropped.
    async check() {
        const number = ++this.asked;
        const rows = this.listed;
        this.columns.showUsed();
        let answer = {problems: [], wanted: 0, prompts: []};
        try {
            if (rows.length) {
                answer = await ask("/check", {rows: rows.map(row => row.values)});
            }
        } catch (error) {
            if (number === this.asked) {
                say(this.summary, error.message, true);
            }
            return;
        }
        if (number === this.asked) {
            rows.forEach((row, index) => {
                row.prompt = answer.prompts[index] ?? "";
                row.showPrompt();
            });
            this.showProblems(answer.problems, rows);
            this.#summarize(rows.length, answer.wanted);
        }
    }

    // Mark what is wrong; `problems` count the rows that say something.
    showProblems(problems, rows = this.listed) {
        this.rows.forEach(row => {
            row.problems = [];
        });
        for (const problem of problems) {
            rows[problem.row]?.problems.push(problem);
        }
        this.columns.add(problems.map(({field}) => field));
        this.rows.forEach(row => row.showNotes());
    }

    #summarize(count, wanted) {
        const wrong = this.rows.filter(row => row.problems.length).length;
        const told = count ? t("{products}, {pictures} wanted.", {
            products: plural(count, "{n} product", "{n} products"),
            pictures: plural(wanted, "{n} picture", "{n} pictures"),
        })
            : t("The list is empty: type a product into its first row, paste cells, or import a file.");
        const needs = plural(wrong, "{n} row needs a correction.", "{n} rows need a correction.");
        say(this.summary, wrong ? `${told} ${needs}` : told, wrong > 0);
        this.first.hidden = wrong === 0;
    }

    #goToProblem() {
        const row = this.rows.find(one => one.problems.length);
        if (row) {
            this.focus(row, row.problems[0].field || "name");
        }
    }

    #made(values) {
        const row = new Row(this, values);
        this.rowOf.set(row.node, row);
        this.near.observe(row.node);
        return row;
    }

    #seen(entries) {
        for (const {target, isIntersecting} of entries) {
            const row = this.rowOf.get(target);
            if (isIntersecting) {
                row.build();
            } else if (this.frame.offsetParent) { // with the whole page out of sight all stays as it is
                row.clear();
            }
        }
    }

    // After rows came, went or moved.
    #structured() {
        if (!this.rows.at(-1)?.empty) {
            this.insert(this.rows.length);
        }
        this.numbers = new Map(this.rows.map((row, index) => [row, index + 1]));
        this.rows.forEach(row => row.renumber());
        this.frame.setAttribute("aria-rowcount", this.rows.length + 1);
        this.tools.show();
    }
}

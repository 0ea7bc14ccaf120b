// Which columns the table shows, remembered by the browser, and how wide they are.

import {labelled, make, toggle} from "../shared/elements.mjs";
import {plural, t} from "../shared/words.mjs";
import {parts} from "./api.mjs";

const COLUMNS = ["name", "count", "scenes", "prompt", "lora", "preset"];
// Least width in em and share of the rest, for single fields and by kind.
const WIDTHS = {
    name: [9, 2], scenes: [12, 4], prompt: [12, 4], negative_prompt: [12, 3], first_seed: [7, 0],
    whole: [5, 0], number: [5, 0], other: [8, 2],
};

// A field's name as people write it; in English, as it stands in the files of lists and in their first rows.
export function fieldName(field) {
    return field.replaceAll("_", " ");
}

// The columns of each row's grid, and their least width in all; `live` adds those of a shoot that has pictures.
export function gridOfColumns(fields, live) {
    const widths = [[2.6, 0], ...fields.map(({name, kind}) => WIDTHS[name] ?? WIDTHS[kind] ?? WIDTHS.other),
        ...(live ? [[7, 0], [11.5, 0]] : [])];
    const columns = widths.map(([least, share]) => share ? `minmax(${least}em, ${share}fr)` : `${least}em`);
    return {columns: columns.join(" "), least: `${widths.reduce((sum, [least]) => sum + least, 0)}em`};
}

// The fields in the order of their columns: the usual ones first, the others as they come.
export function ordered(fields) {
    const place = ({name}) => [...COLUMNS, name].indexOf(name);
    return [...fields].sort((one, other) => place(one) - place(other));
}

export class Columns {
    constructor(table) {
        this.table = table;
        const {info, saved} = table.page;
        this.fields = ordered(info.fields);
        this.names = this.fields.map(({name}) => name);
        this.ticked = new Set(saved.columns ?? COLUMNS);
        this.head = make("div", {class: "photoshoot-shoot-row photoshoot-shoot-head", role: "row"});
        this.ticks = this.fields.filter(({name}) => name !== "name").map(field => this.#tick(field));
        this.unseen = make("em");
        this.box = parts.fold("columns", t("Columns"),
            make("div", {class: "photoshoot-page-grid"}, ...this.ticks));
        this.box.firstChild.append(this.unseen);
    }

    get shown() {
        return this.fields.filter(({name}) => this.shows(name));
    }

    shows(name) {
        return name === "name" || this.ticked.has(name);
    }

    // Show these as well, for this visit.
    add(names) {
        const hidden = names.filter(name => this.names.includes(name) && !this.shows(name));
        if (hidden.length) {
            hidden.forEach(name => this.ticked.add(name));
            this.show();
        }
    }

    show() {
        const header = ({name, about}) => make("div", {role: "columnheader", title: t(about)}, fieldName(name));
        this.head.replaceChildren(
            make("div", {role: "columnheader"}, make("span", {class: "photoshoot-page-unseen"}, t("Row"))),
            ...this.shown.map(header),
            make("div", {class: "photoshoot-shoot-live", role: "columnheader"}, t("accepted")),
            make("div", {class: "photoshoot-shoot-thumbnails", role: "columnheader"}, t("newest")));
        for (const tick of this.ticks) {
            tick.firstChild.checked = this.shows(tick.dataset.field);
        }
        this.fit();
        this.showUsed();
        this.table.rows.forEach(row => row.rebuild());
    }

    // Which columns hold something, so that none is forgotten that is not shown.
    showUsed() {
        const used = new Set(this.table.rows.flatMap(row => Object.keys(row.values)));
        for (const tick of this.ticks) {
            tick.classList.toggle("photoshoot-page-changed", used.has(tick.dataset.field));
        }
        const hidden = [...used].filter(name => !this.shows(name)).length;
        this.unseen.textContent = hidden
            ? plural(hidden, "{n} not shown holds values", "{n} not shown hold values") : "";
    }

    // Each row is a grid of its own; the columns are the same in all because no content widens them.
    fit() {
        const {frame} = this.table;
        const {columns, least} = gridOfColumns(this.shown, frame.dataset.live === "true");
        frame.style.setProperty("--columns", columns);
        frame.style.setProperty("--least", least);
    }

    #tick({name, about, required}) {
        const tick = parts.input(`column_${name}`, {
            type: "checkbox", onchange: () => {
                toggle(this.ticked, name, tick.checked);
                this.table.page.remember({columns: [...this.ticked]});
                this.show();
            },
        });
        const label = required ? t("{name} (needed)", {name: fieldName(name)}) : fieldName(name);
        const box = labelled(tick, label, t(about));
        box.dataset.field = name;
        return box;
    }
}

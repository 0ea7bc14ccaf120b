// Which columns the table shows, remembered by the browser, and how wide they are.

const PHOTOSHOOT_SHOOT_COLUMNS = ["name", "count", "scenes", "prompt", "lora", "preset"];
// Least width in em and share of the rest, for single fields and by kind.
const PHOTOSHOOT_SHOOT_WIDTHS = {
    name: [9, 2], scenes: [12, 4], prompt: [12, 4], negative_prompt: [12, 3], first_seed: [7, 0],
    whole: [5, 0], number: [5, 0], other: [8, 2],
};

// A field's name as people write it.
function photoshootShootLabelled(field) {
    return field.replaceAll("_", " ");
}

class PhotoshootShootColumns {
    constructor(table) {
        this.table = table;
        const {info, saved} = table.page;
        const place = ({name}) => [...PHOTOSHOOT_SHOOT_COLUMNS, name].indexOf(name);
        this.fields = [...info.fields].sort((one, other) => place(one) - place(other)); // the others keep their order
        this.names = this.fields.map(({name}) => name);
        this.ticked = new Set(saved.columns ?? PHOTOSHOOT_SHOOT_COLUMNS);
        this.head = photoshootMake("div", {class: "photoshoot-shoot-row photoshoot-shoot-head", role: "row"});
        this.ticks = this.fields.filter(({name}) => name !== "name").map(field => this.#tick(field));
        this.unseen = photoshootMake("em");
        this.box = photoshootShootParts.fold("columns", "Columns",
            photoshootMake("div", {class: "photoshoot-page-grid"}, ...this.ticks));
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
        const make = photoshootMake;
        const header = ({name, about}) => make("div", {role: "columnheader", title: about},
            photoshootShootLabelled(name));
        this.head.replaceChildren(
            make("div", {role: "columnheader"}, make("span", {class: "photoshoot-page-unseen"}, "Row")),
            ...this.shown.map(header),
            make("div", {class: "photoshoot-shoot-live", role: "columnheader"}, "accepted"),
            make("div", {class: "photoshoot-shoot-thumbnails", role: "columnheader"}, "newest"));
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
        this.unseen.textContent = hidden ? `${hidden} not shown ${hidden === 1 ? "holds" : "hold"} values` : "";
    }

    // Each row is a grid of its own; the columns are the same in all because no content widens them.
    fit() {
        const {frame} = this.table;
        const live = frame.dataset.live === "true" ? [[7, 0], [11.5, 0]] : [];
        const widths = [[2.6, 0], ...this.shown.map(({name, kind}) => PHOTOSHOOT_SHOOT_WIDTHS[name] ??
            PHOTOSHOOT_SHOOT_WIDTHS[kind] ?? PHOTOSHOOT_SHOOT_WIDTHS.other), ...live];
        const columns = widths.map(([least, share]) => share ? `minmax(${least}em, ${share}fr)` : `${least}em`);
        frame.style.setProperty("--columns", columns.join(" "));
        frame.style.setProperty("--least", `${widths.reduce((sum, [least]) => sum + least, 0)}em`);
    }

    #tick({name, about, required}) {
        const tick = photoshootShootParts.input(`column_${name}`, {
            type: "checkbox", onchange: () => {
                if (tick.checked) {
                    this.ticked.add(name);
                } else {
                    this.ticked.delete(name);
                }
                this.table.page.remember({columns: [...this.ticked]});
                this.show();
            },
        });
        const label = photoshootShootLabelled(name) + (required ? " (needed)" : "");
        const box = photoshootField(tick, label, about);
        box.dataset.field = name;
        return box;
    }
}

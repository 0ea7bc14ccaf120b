// Step 1: which shoot is shown, its list with import and download, and edits that are not saved yet.

import {attempt, inputLine, labelled, line, make, options, say} from "../shared/elements.mjs";
import {IDLE_MS, later} from "../shared/page.mjs";
import {plural, t} from "../shared/words.mjs";
import {ask, parts, shootPath, shootUrl} from "./api.mjs";
import {readList} from "./cells.mjs";
import {ShootState} from "./state.mjs";

const DRAFT_MS = 300;

export class Lists {
    constructor(page) {
        this.page = page;
        this.busy = false;
        this.original = "[]"; // the rows as the server has them, as JSON
        this.drafts = page.saved.drafts ?? {};
        this.status = parts.status("list_status");
        this.state = parts.status("list_state");
        this.select = parts.select("choice", [], {onchange: () => this.#choose(this.select.value)});
        this.name = parts.input("name", {
            placeholder: "autumn", ...page.kept("newName"), onkeydown: event => {
                if (event.key === "Enter") {
                    event.preventDefault();
                    this.saveButton.click();
                }
            },
        });
        this.nameField = labelled(this.name, t("Name of the new shoot"));
        this.file = parts.make("input", "file", {
            type: "file", accept: ".csv,.tsv,.txt,.yaml,.yml", hidden: true,
            "aria-label": t("CSV or YAML file"), onchange: () => this.importButton.onclick(),
        });
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.saveButton = button("save", t("Save the list"), () => this.save());
        this.importButton = button("import", t("Import CSV or YAML…"), () => this.#import());
        this.download = parts.make("a", "download", {
            class: "photoshoot-page-button", download: "",
        }, t("Download CSV"));
        this.discard = button("discard", t("Discard edits"), () => this.#discard());
        this.copy = button("copy", t("Copy to a new shoot"), () => this.#copy());
        this.other = make("p", {class: "photoshoot-page-note", hidden: true});
        this.otherButton = button("show_running", t("Show it"), () => this.#choose(this.running));
        this.box = parts.step("list", 1, t("Shot list"),
            inputLine(labelled(this.select, t("Shoot")), this.nameField, this.saveButton, this.importButton,
                this.download, this.copy, this.discard, this.file),
            line(this.other, this.otherButton), this.status, this.state, page.table.box);
        this.#listenForDrops();
        const keep = later(() => this.#keep(), DRAFT_MS);
        page.table.onchange = () => {
            say(this.status, "");
            keep();
        };
        window.addEventListener("pagehide", () => this.#keep());
        this.#fill(page.info);
    }

    // The shoot that runs, or else the last one that was shown here.
    async begin() {
        const {info, saved} = this.page;
        const known = name => info.shoots.some(shoot => shoot.name === name);
        const [name] = [info.running, saved.name].filter(known);
        await this.page.choose(name ?? "").catch(error => {
            say(this.status, error.message, true);
            return this.page.choose("");
        });
    }

    get dirty() {
        return JSON.stringify(this.page.table.values) !== this.original;
    }

    async poll() {
        const now = Date.now();
        if (this.due || now - (this.asked ?? 0) > 0.9 * IDLE_MS) {
            this.due = false;
            this.asked = now;
            this.#fill(await ask());
        }
    }

    // The rows as the server has them; edits of an earlier visit stand above them.
    show(rows) {
        const {name} = this.page.shoot;
        this.original = JSON.stringify(this.page.table.plain(rows));
        this.select.value = name;
        this.nameField.hidden = name !== "";
        this.page.table.use(this.drafts[name] ?? rows);
        this.download.href = shootUrl(shootPath(name, "/list.csv"));
        this.download.hidden = name === "";
        this.showState();
    }

    showState() {
        const {shoot, table} = this.page;
        const {dirty} = this;
        const empty = table.listed.length === 0;
        const where = this.kept === false ? t("this browser cannot keep them") : t("kept in this browser");
        const told = shoot.running ? t("The list can be changed once the shoot has stopped.")
            : dirty && shoot.name ? t("There are edits that are not saved yet; {where}.", {where})
                : dirty ? t("The list is not saved yet; {where}.", {where}) : "";
        say(this.state, told);
        this.saveButton.disabled = shoot.running || (!dirty && shoot.name !== "") || empty;
        this.importButton.disabled = shoot.running;
        this.copy.hidden = !shoot.name;
        this.discard.hidden = !dirty || shoot.running;
        this.download.textContent = dirty ? t("Download CSV as saved") : t("Download CSV");
    }

    // Save the list under its name. Throws a sentence; wrong rows are marked.
    async save() {
        const {page} = this;
        const name = page.shoot.name || this.name.value.trim();
        if (!name) {
            this.name.focus();
            throw new Error(t("Give the new shoot a name."));
        }
        if (!page.shoot.name && this.shoots.some(shoot => shoot.name === name)) {
            this.name.focus();
            throw new Error(t("There is a shoot called {name} already; choose another name, or that shoot above.",
                {name}));
        }
        const rows = page.table.values;
        let detail;
        try {
            detail = await ask("/shoots", {name, rows});
        } catch (error) {
            page.table.showProblems(error.answer?.problems ?? []);
            throw error;
        }
        this.original = JSON.stringify(rows);
        this.#forget(page.shoot.name);
        const fresh = !page.shoot.name;
        if (fresh) {
            page.shoot = new ShootState(detail.name);
            this.name.value = "";
            page.remember({newName: ""});
        }
        this.#fill(await ask());
        this.select.value = detail.name;
        this.nameField.hidden = true;
        this.download.href = shootUrl(shootPath(detail.name, "/list.csv"));
        this.download.hidden = false;
        page.remember({name: detail.name});
        if (fresh) {
            page.pictures.begin();
        }
        page.take(detail);
        this.#keep();
        say(this.status, t("The list {name} is saved.", {name: detail.name}));
    }

    async #choose(name) {
        this.#keep();
        say(this.status, "");
        try {
            await this.page.choose(name);
        } catch (error) {
            this.select.value = this.page.shoot.name;
            say(this.status, error.message, true);
        }
    }

    // Which shoots there are.
    #fill({shoots, running}) {
        this.shoots = shoots;
        this.running = running;
        const choices = [["", t("New…")], ...shoots.map(shoot => [shoot.name, choiceLabel(shoot)])];
        const there = [...this.select.options];
        if (there.length === choices.length && choices.every(([name], i) => there[i].value === name)) {
            choices.forEach(([, label], i) => {
                there[i].textContent = label;
            });
        } else {
            const {value} = this.select;
            this.select.replaceChildren(...options(choices));
            this.select.value = value;
        }
        const elsewhere = running && running !== this.page.shoot.name;
        this.other.hidden = this.otherButton.hidden = !elsewhere;
        this.other.textContent = elsewhere ? t("The shoot {name} is running.", {name: running}) : "";
    }

    // Edits stay in the browser until they are saved.
    #keep() {
        const {shoot, table} = this.page;
        if (this.dirty) {
            this.drafts[shoot.name] = table.values;
            this.kept = this.page.remember({drafts: this.drafts});
        } else {
            this.#forget(shoot.name);
        }
        this.showState();
    }

    #forget(name) {
        if (name in this.drafts) {
            delete this.drafts[name];
            this.page.remember({drafts: this.drafts});
        }
    }

    // The rows as they are, edits included, become those of a shoot that has no pictures yet.
    async #copy() {
        const {shoot, table} = this.page;
        const rows = table.values;
        const {name} = shoot;
        if (this.drafts[""] && !confirm(t("The new shoot that was begun before is replaced. Go on?"))) {
            return;
        }
        this.#forget(name);
        this.drafts[""] = rows;
        this.page.remember({drafts: this.drafts, newName: `${name} 2`});
        this.name.value = `${name} 2`;
        await this.page.choose("");
        this.name.focus();
        this.name.select();
    }

    #discard() {
        this.page.table.use(JSON.parse(this.original), t("discard edits"));
        this.#keep();
        say(this.status, t("The list is as it was saved; Undo brings the edits back."));
    }

    // ---- Files ----

    async #import() {
        const [file] = this.file.files;
        if (!file) {
            this.file.click();
            return;
        }
        this.file.value = "";
        await this.#take(file);
    }

    async #take(file) {
        const {table, shoot} = this.page;
        if (shoot.running) {
            throw new Error(t("The list can be changed once the shoot has stopped."));
        }
        const {rows} = await ask("/read", await readList(file));
        const before = table.listed.length;
        table.use(rows, t("import of {file}", {file: file.name}));
        if (!shoot.name && !this.name.value) {
            this.name.value = file.name.replace(/\.[^.]*$/, "");
            this.page.remember({newName: this.name.value});
        }
        this.#keep();
        const told = {file: file.name, before};
        say(this.status, before
            ? plural(rows.length, "{n} product from {file} in place of {before}; Undo brings those back.",
                "{n} products from {file} in place of {before}; Undo brings those back.", told)
            : plural(rows.length, "{n} product from {file}.", "{n} products from {file}.", told));
    }

    #listenForDrops() {
        const files = event => [...event.dataTransfer?.types ?? []].includes("Files");
        const over = on => this.box.classList.toggle("photoshoot-shoot-drop", on);
        this.box.addEventListener("dragover", event => {
            if (files(event)) {
                event.preventDefault();
                event.stopPropagation();
                over(true);
            }
        });
        this.box.addEventListener("dragleave", event => {
            if (!this.box.contains(event.relatedTarget)) {
                over(false);
            }
        });
        this.box.addEventListener("drop", event => {
            over(false);
            if (files(event)) {
                event.preventDefault();
                event.stopPropagation();
                const [file] = event.dataTransfer.files;
                attempt(() => this.#take(file), this.status);
            }
        });
    }
}

function choiceLabel({running, ...values}) {
    return running ? t("{name}: {accepted} of {wanted}, running", values) : t("{name}: {accepted} of {wanted}", values);
}

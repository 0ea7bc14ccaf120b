// Step 5: the finished epochs of the run that is shown, into the WebUI's Lora folder and into a prompt.

import {writePrompt} from "../panel/actions.mjs";
import {labelled, line, make, renew, say, toggle} from "../shared/elements.mjs";
import {go} from "../shared/tabs.mjs";
import {count, t} from "../shared/words.mjs";
import {ask, parts, runPath} from "./api.mjs";
import {figure} from "./words.mjs";

const TAB_FRAMES = 120;

export class Results {
    constructor(train, run) {
        this.train = train;
        this.run = run;
        this.status = parts.status("results_status");
        this.rows = make("tbody");
        this.table = parts.make("table", "epochs", {class: "photoshoot-page-table"},
            make("thead", {}, make("tr", {}, ...["", t("Epoch"), t("Steps"), t("Loss"), t("File")].map(text =>
                make("th", {scope: "col"}, text)))), this.rows);
        this.weight = parts.input("weight", {type: "number", min: 0, max: 2, step: 0.05, value: 1});
        this.notes = parts.input("export_notes");
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.put = button("export", t("Put into the Lora folder"), () => this.#export(), {primary: true});
        this.rename = button("export_renamed", t("Use the free name"), () => this.#export(true), {hidden: true});
        this.sheet = button("sheet", t("Comparison sheet"), () => this.#sheet());
        this.exported = parts.make("ul", "exported", {class: "photoshoot-page-exported"});
        this.picture = parts.make("div", "sheet_picture");
        this.product = parts.input("product", {placeholder: "handbag", ...train.kept("product")});
        this.productField = labelled(this.product, t("Product for the prompt"));
        this.productField.hidden = true;
        this.box = parts.step("results", 5, t("Results"), this.table,
            make("div", {class: "photoshoot-page-grid"},
                labelled(this.weight, t("Preferred weight"), t("For the LoRA's card in the WebUI.")),
                labelled(this.notes, t("Notes"), t("For the same card."))),
            line(this.put, this.rename, this.sheet), this.status,
            this.productField, this.exported, this.picture);
        this.box.hidden = true;
    }

    show(detail) {
        const results = detail?.results ?? [];
        this.box.hidden = results.length === 0;
        if (detail?.name !== this.name) {
            this.name = detail?.name;
            this.ticked = null; // the last epoch, as long as the user ticks none
            this.rename.hidden = this.productField.hidden = true;
            this.exported.replaceChildren();
            this.picture.replaceChildren();
            say(this.status, "");
        }
        this.whole = results.filter(result => !result.partial).map(result => result.epoch);
        renew(this.rows, [this.name, results], () => results.map(result => this.#row(result)));
    }

    get chosen() {
        return this.ticked ? [...this.ticked].sort((a, b) => a - b) : this.whole.slice(-1);
    }

    #row({epoch, steps, loss, partial, target}) {
        const tick = partial ? "" : parts.make("input", `epoch_${epoch}`, {
            type: "checkbox", checked: this.chosen.includes(epoch),
            "aria-label": t("Epoch {epoch}", {epoch}), onchange: event => this.#tick(epoch, event.target.checked),
        });
        const cells = [tick, partial ? t("{epoch}, unfinished", {epoch}) : String(epoch),
            steps ? count(steps) : "–", figure(loss), target];
        return make("tr", {}, ...cells.map(cell => make("td", {}, cell)));
    }

    #tick(epoch, on) {
        this.ticked = new Set(this.chosen);
        toggle(this.ticked, epoch, on);
    }

    async #export(rename = false) {
        this.rename.hidden = true;
        if (!this.chosen.length) {
            throw new Error(t("Tick the epochs that should be copied."));
        }
        try {
            const {exported} = await ask(runPath(this.name, "/export"), {
                epochs: this.chosen, weight: Number(this.weight.value), notes: this.notes.value, rename,
            });
            this.#showExported(exported);
        } catch (error) {
            // A name that is taken is the one thing that another try can mend.
            this.rename.hidden = rename || !/\bexport as\b/.test(error.message);
            throw error;
        }
    }

    #showExported(exported) {
        this.product.value ||= this.train.photos.curation.products.value.split(/[,=[|]/)[0].trim();
        this.productField.hidden = false;
        this.exported.replaceChildren(...exported.map(({epoch, name, copied, notes}) => {
            const told = copied ? t("is in the Lora folder.") : t("was in the Lora folder already.");
            const use = parts.button(`use_${epoch}`, t("Use in txt2img"), () => this.#use(name), this.status);
            return make("li", {}, make("span", {}, make("b", {}, name), ` ${[told, ...(notes ?? [])].join(" ")}`), use);
        }));
    }

    // The prompt that shows a product as the LoRA learned it; see lib_photoshoot/prompts.py.
    async #use(lora) {
        const product = this.product.value.replaceAll('"', " ").trim();
        if (!product) {
            this.product.focus();
            throw new Error(t("The prompt needs a product; type what the picture shows, for example: handbag."));
        }
        const tag = this.run.detail.spec.recipe?.activation_tag ?? this.train.info.tag;
        go("#tabs", "txt2img");
        // Nothing can be typed into a box that is not on the screen yet.
        const box = gradioApp().querySelector("#txt2img_prompt textarea");
        for (let frame = 0; box && !box.offsetParent && frame < TAB_FRAMES; frame++) {
            await new Promise(resolve => requestAnimationFrame(resolve));
        }
        writePrompt("txt2img", `${tag}, "${product}", ${this.train.root.dataset.style}, <lora:${lora}:1>`);
    }

    async #sheet() {
        const {picture, page} = await ask(runPath(this.name, "/sheet"), {});
        // From the server's root, which the page may be below.
        this.picture.replaceChildren(make("a", {href: `.${page}`, target: "_blank"},
            make("img", {src: `.${picture}?${Date.now()}`, alt: t("Sample pictures of all epochs side by side")}),
            t("Open the sheet in a tab of its own")));
    }
}

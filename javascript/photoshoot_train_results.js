// Step 5: the finished epochs of the run that is shown, into the WebUI's Lora folder and into a prompt; earlier runs.

const PHOTOSHOOT_TRAIN_TAB_FRAMES = 120;

class PhotoshootTrainResults {
    constructor(train, run) {
        this.train = train;
        this.run = run;
        const make = photoshootMake;
        const id = name => `${PHOTOSHOOT_TRAIN_ID}${name}`;
        this.status = photoshootTrainParts.status("results_status");
        this.rows = make("tbody");
        this.table = make("table", {id: id("epochs"), class: "photoshoot-page-table"},
            make("thead", {}, make("tr", {}, ...["", "Epoch", "Steps", "Loss", "File"].map(text =>
                make("th", {scope: "col"}, text)))), this.rows);
        this.weight = photoshootTrainParts.input("weight", {type: "number", min: 0, max: 2, step: 0.05, value: 1});
        this.notes = photoshootTrainParts.input("export_notes");
        const primary = {class: "photoshoot-page-button photoshoot-page-primary"};
        const button = (name, label, action, properties) => photoshootTrainParts.button(name, label, action,
            this.status, properties);
        this.put = button("export", "Put into the Lora folder", () => this.#export(), primary);
        this.rename = button("export_renamed", "Use the free name", () => this.#export(true), {hidden: true});
        this.sheet = button("sheet", "Comparison sheet", () => this.#sheet());
        this.exported = make("ul", {id: id("exported"), class: "photoshoot-page-exported"});
        this.picture = make("div", {id: id("sheet_picture")});
        this.product = photoshootTrainParts.input("product", {
            value: train.saved.product ?? "", placeholder: "handbag",
            onchange: () => train.remember({product: this.product.value}),
        });
        this.productField = photoshootField(this.product, "Product for the prompt");
        this.productField.hidden = true;
        this.box = photoshootTrainParts.step("results", 5, "Results", this.table,
            make("div", {class: "photoshoot-page-grid"},
                photoshootField(this.weight, "Preferred weight", "For the LoRA's card in the WebUI."),
                photoshootField(this.notes, "Notes", "For the same card.")),
            photoshootRow(this.put, this.rename, this.sheet), this.status,
            this.productField, this.exported, this.picture);
        this.box.hidden = true;
    }

    show(detail) {
        const results = detail?.results ?? [];
        this.box.hidden = results.length === 0;
        if (detail?.name !== this.name) {
            this.name = detail?.name;
            this.ticked = null; // the last epoch, as long as the user ticks none
            this.shown = null;
            this.rename.hidden = true;
            this.productField.hidden = true;
            this.exported.replaceChildren();
            this.picture.replaceChildren();
            photoshootSay(this.status, "");
        }
        const shown = JSON.stringify(results);
        if (shown !== this.shown) {
            this.shown = shown;
            this.whole = results.filter(result => !result.partial).map(result => result.epoch);
            this.rows.replaceChildren(...results.map(result => this.#row(result)));
        }
    }

    get chosen() {
        return this.ticked ? [...this.ticked].sort((a, b) => a - b) : this.whole.slice(-1);
    }

    #row({epoch, steps, loss, partial, target}) {
        const make = photoshootMake;
        const tick = partial ? "" : make("input", {
            type: "checkbox", checked: this.chosen.includes(epoch), id: `${PHOTOSHOOT_TRAIN_ID}epoch_${epoch}`,
            "aria-label": `Epoch ${epoch}`, onchange: event => this.#tick(epoch, event.target.checked),
        });
        const cells = [tick, partial ? `${epoch}, unfinished` : String(epoch),
            steps ? steps.toLocaleString("en") : "–", photoshootTrainFigure(loss), target];
        return make("tr", {}, ...cells.map(cell => make("td", {}, cell)));
    }

    #tick(epoch, on) {
        this.ticked = new Set(this.chosen);
        if (on) {
            this.ticked.add(epoch);
        } else {
            this.ticked.delete(epoch);
        }
    }

    async #export(rename = false) {
        this.rename.hidden = true;
        if (!this.chosen.length) {
            throw new Error("Tick the epochs that should be copied.");
        }
        try {
            const {exported} = await photoshootTrainAsk(photoshootTrainRunPath(this.name, "/export"), {
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
        const make = photoshootMake;
        this.product.value ||= this.train.photos.curation.products.value.split(/[,=[|]/)[0].trim();
        this.productField.hidden = false;
        this.exported.replaceChildren(...exported.map(({epoch, name, copied, notes}) => {
            const told = copied ? "is in the Lora folder." : "was in the Lora folder already.";
            const use = photoshootTrainParts.button(`use_${epoch}`, "Use in txt2img", () => this.#use(name),
                this.status);
            return make("li", {}, make("span", {}, make("b", {}, name), ` ${[told, ...(notes ?? [])].join(" ")}`), use);
        }));
    }

    // The prompt that shows a product as the LoRA learned it; see lib_photoshoot/prompts.py.
    async #use(lora) {
        const product = this.product.value.replaceAll('"', " ").trim();
        if (!product) {
            this.product.focus();
            throw new Error("The prompt needs a product; type what the picture shows, for example: handbag.");
        }
        const tag = this.run.detail.spec.recipe?.activation_tag ?? this.train.info.tag;
        const tabs = gradioApp().querySelectorAll("#tabs > .tab-nav > button");
        Array.from(tabs).find(tab => tab.textContent.trim() === "txt2img")?.click();
        // Nothing can be typed into a box that is not on the screen yet.
        const box = gradioApp().querySelector("#txt2img_prompt textarea");
        for (let frame = 0; box && !box.offsetParent && frame < PHOTOSHOOT_TRAIN_TAB_FRAMES; frame++) {
            await new Promise(resolve => requestAnimationFrame(resolve));
        }
        photoshootWritePrompt("txt2img", `${tag}, "${product}", ${this.train.root.dataset.style}, <lora:${lora}:1>`);
    }

    async #sheet() {
        const make = photoshootMake;
        const {picture, page} = await photoshootTrainAsk(photoshootTrainRunPath(this.name, "/sheet"), {});
        // From the server's root, which the page may be below.
        this.picture.replaceChildren(make("a", {href: `.${page}`, target: "_blank"},
            make("img", {src: `.${picture}?${Date.now()}`, alt: "Sample pictures of all epochs side by side"}),
            "Open the sheet in a tab of its own"));
    }
}

class PhotoshootTrainRuns {
    constructor(train) {
        this.train = train;
        this.status = photoshootTrainParts.status("runs_status");
        this.list = photoshootMake("ul", {id: `${PHOTOSHOOT_TRAIN_ID}runs`});
        this.box = photoshootTrainParts.fold("runs_fold", "All runs", this.list, this.status);
        this.busy = false;
        this.due = false;
        this.#show(train.info.runs);
        const [first] = [train.info.active, ...train.info.runs.map(run => run.name)].filter(Boolean);
        this.following = first ?? null;
    }

    refresh() {
        this.due = true;
    }

    // The run that is at work, or else the newest, is shown at first; later on, one that others began.
    async poll() {
        const now = Date.now();
        if (this.due || now - (this.asked ?? 0) > 0.9 * PHOTOSHOOT_IDLE_MS) {
            this.due = false;
            this.asked = now;
            this.#show(await photoshootTrainAsk("/runs"));
        }
        const {run} = this.train;
        if (!run.detail && this.following) {
            const name = this.following;
            this.following = null;
            await run.open(name);
        }
    }

    #show(runs) {
        const shown = JSON.stringify([runs, this.train.run.detail?.name]);
        if (shown === this.shown) {
            return;
        }
        this.shown = shown;
        const known = this.names ?? new Set(runs.map(run => run.name));
        const begun = runs.find(run => !known.has(run.name));
        this.names = new Set(runs.map(run => run.name));
        if (begun && !this.train.run.busy && this.train.run.detail?.name !== begun.name) {
            this.following = begun.name;
            this.train.run.show(null);
        }
        this.box.hidden = runs.length === 0;
        this.box.firstChild.textContent = `All runs (${runs.length})`;
        const focus = this.list.contains(document.activeElement) ? document.activeElement.id : "";
        this.list.replaceChildren(...runs.map(run => this.#row(run)));
        if (focus) {
            document.getElementById(focus)?.focus();
        }
    }

    #row({name, state, step, total, created}) {
        const make = photoshootMake;
        const open = photoshootTrainParts.button(`show_${name}`, "Show", () => this.train.run.open(name), this.status, {
            "aria-label": `Show the run ${name}`,
        });
        const remove = photoshootTrainParts.button(`remove_${name}`, "Remove…", () => this.#remove(name),
            this.status, {
                "aria-label": `Remove the run ${name}`,
                hidden: ["starting", "training", "paused", "stopping"].includes(state),
            });
        const words = (PHOTOSHOOT_TRAIN_STATES[state] ?? state).split(",")[0];
        return make("li", {"aria-current": String(name === this.train.run.detail?.name)},
            make("span", {}, make("b", {}, name),
                make("small", {}, `${words}, step ${step} of ${total}; ${photoshootDate(created)}`)),
            open, remove);
    }

    async #remove(name) {
        if (!confirm(`Remove the run ${name}?\n\nIts folder is moved to "removed" beside the other runs; what is in ` +
            "the Lora folder stays.")) {
            return;
        }
        await photoshootTrainAsk(photoshootTrainRunPath(name, "/remove"), {});
        if (this.train.run.detail?.name === name) {
            this.train.run.show(null);
        }
        this.refresh();
        this.train.wake();
    }
}

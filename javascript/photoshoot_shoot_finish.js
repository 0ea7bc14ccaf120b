// Step 4: the accepted pictures are cut out, ranked, and the best of them exported for the list's sales channels.

class PhotoshootShootFinish {
    constructor(page) {
        this.page = page;
        this.state = null;
        const make = photoshootMake;
        const parts = photoshootShootParts;
        this.doing = make("b", {id: parts.id("finish_doing"), role: "status", "aria-live": "polite"});
        this.bar = parts.bar("finish_bar", "Pictures finished");
        this.status = parts.status("finish_status");
        this.start = parts.button("finish", "Cut out, rank and export", () => this.#act("start"), this.status);
        this.stop = parts.button("finish_stop", "Stop", () => this.#act("stop"), this.status, {
            title: "What is finished stays; the next time goes on from there.",
        });
        this.folder = make("p", {class: "photoshoot-page-help"});
        this.products = make("div", {id: parts.id("finished")});
        this.box = parts.step("ready", 4, "Ready to sell",
            make("p", {class: "photoshoot-page-help"}, "Cuts the products out of the accepted pictures, orders them by " +
                "what can be measured, and exports the best for the sales channels in the column exports. Doing it " +
                "again does only what is new."),
            this.doing, this.bar, photoshootRow(this.start, this.stop), this.status, this.folder, this.products);
    }

    get busy() {
        return Boolean(this.state?.busy);
    }

    // Another shoot is shown.
    begin() {
        this.state = this.asked = null;
        photoshootSay(this.status, "");
        this.show();
    }

    async poll() {
        const {shoot} = this.page;
        // What does not run here changes only where somebody starts it: once is enough.
        if (shoot.name && shoot.shots.size && (this.busy || this.asked !== shoot.name)) {
            await this.#take(shoot.name, photoshootShootAsk(photoshootShootPath(shoot.name, "/finish")));
        }
    }

    show() {
        const {shoot} = this.page;
        const {busy = false, done = 0, of = 0, doing = "", error = "", products = [], folder = ""} = this.state ?? {};
        this.box.hidden = shoot.totals.accepted === 0 && !products.length;
        this.start.hidden = busy;
        this.stop.hidden = !busy;
        const words = busy ? `Finishing ${doing}`.trim() : "";
        if (this.doing.textContent !== words) {
            this.doing.textContent = words;
        }
        this.bar.hidden = !busy;
        photoshootFill(this.bar, of ? done / of : null, `${done} of ${of}`);
        if (error) {
            photoshootSay(this.status, error, true);
        }
        this.folder.hidden = !folder;
        this.folder.textContent = `Everything is in ${folder}`;
        const shown = JSON.stringify(products);
        if (shown !== this.shown) {
            this.shown = shown;
            this.products.replaceChildren(...products.map(product => this.#product(product)));
        }
    }

    #product({name, accepted, different, best, channels, withdrawn, problems}) {
        const make = photoshootMake;
        const words = `${photoshootCount(accepted, "accepted picture")}, ${different} of them different`;
        const sentences = [...problems, ...channels.flatMap(({missed}) => missed), ...withdrawn];
        const rows = channels.length ? channels.map(({profile, files, new: made}) => make("div", {},
            make("b", {}, profile), ` ${files.length}${made < files.length ? `, ${made} new` : ""}`,
            this.#pictures(files, profile)))
            : [make("div", {}, "No sales channel: name some in the column exports.",
                this.#pictures(best.map(({file}) => file), "best"))];
        return make("section", {class: "photoshoot-shoot-finished"},
            make("h4", {}, name, " ", make("small", {}, words)), ...rows,
            sentences.length ? make("ul", {class: "photoshoot-page-findings"},
                ...sentences.map(text => make("li", {}, text))) : null);
    }

    #pictures(files, words) {
        const make = photoshootMake;
        const link = file => photoshootShootFile(this.page.shoot.name, file);
        return make("div", {class: "photoshoot-shoot-exports"}, ...files.map(file =>
            make("a", {href: link(file), target: "_blank", title: file},
                make("img", {src: link(file), alt: `${words}: ${file}`, loading: "lazy"}))));
    }

    async #take(name, answer) {
        const state = await answer;
        if (name === this.page.shoot.name) {
            this.asked = name;
            this.state = state;
            this.show();
        }
    }

    async #act(action) {
        const {name} = this.page.shoot;
        await this.#take(name, photoshootShootAsk(photoshootShootPath(name, "/finish"), {action}));
        this.page.wake();
    }
}

// Step 4: the accepted pictures are cut out, ranked, and the best of them exported for the list's sales channels.

import {fill, help, items, line, make, renew, say} from "../shared/elements.mjs";
import {plural, t} from "../shared/words.mjs";
import {ask, fileUrl, parts, shootPath} from "./api.mjs";
import {Shops} from "./shops.mjs";

export class Finish {
    constructor(page) {
        this.page = page;
        this.state = null;
        this.doing = parts.make("b", "finish_doing", {role: "status", "aria-live": "polite"});
        this.bar = parts.bar("finish_bar", t("Pictures finished"));
        this.status = parts.status("finish_status");
        this.start = parts.button("finish", t("Cut out, rank and export"), () => this.#act("start"), this.status);
        this.stop = parts.button("finish_stop", t("Stop"), () => this.#act("stop"), this.status, {
            title: t("What is finished stays; the next time goes on from there."),
        });
        this.folder = help();
        this.products = parts.make("div", "finished");
        this.shops = new Shops();
        this.box = parts.step("ready", 4, t("Ready to sell"),
            help(t("Cuts the products out of the accepted pictures, orders them by what can be measured, and exports " +
                "the best for the sales channels in the column exports. Doing it again does only what is new.")),
            this.shops.box, this.doing, this.bar, line(this.start, this.stop), this.status, this.folder,
            this.shops.told, this.products);
    }

    get busy() {
        return Boolean(this.state?.busy);
    }

    // Another shoot is shown.
    begin() {
        this.state = this.asked = null;
        say(this.status, "");
        this.show();
    }

    async poll() {
        const {shoot} = this.page;
        // What does not run here changes only where somebody starts it: once is enough.
        if (shoot.name && shoot.shots.size && (this.busy || this.asked !== shoot.name)) {
            await this.#take(shoot.name, ask(shootPath(shoot.name, "/finish")));
        }
    }

    show() {
        const {shoot} = this.page;
        const {busy = false, done = 0, of = 0, doing = "", error = "", products = [], folder = "", handed = []} =
            this.state ?? {};
        this.box.hidden = shoot.totals.accepted === 0 && !products.length;
        this.start.hidden = busy;
        this.stop.hidden = !busy;
        say(this.doing, busy ? t("Finishing {product}", {product: doing}).trim() : "");
        this.bar.hidden = !busy;
        fill(this.bar, of ? done / of : null, t("{done} of {of}", {done, of}));
        if (error) {
            say(this.status, error, true);
        }
        this.folder.hidden = !folder;
        this.folder.textContent = t("Everything is in {folder}", {folder});
        this.shops.show(handed);
        renew(this.products, [shoot.name, products], () => products.map(product => this.#product(product)));
    }

    #product({name, accepted, different, best, channels, withdrawn, problems, alike}) {
        const words = plural(accepted, "{n} accepted picture, {different} of them different",
            "{n} accepted pictures, {different} of them different", {different});
        const sentences = [...problems, ...channels.flatMap(({missed}) => missed), ...withdrawn, ...alike];
        const rows = channels.length ? channels.map(({profile, files, new: made}) => make("div", {},
            make("b", {}, profile), " ",
            made < files.length ? t("{n}, {made} new", {n: files.length, made}) : files.length,
            this.#pictures(files, profile)))
            : [make("div", {}, t("No sales channel: name some in the column exports."),
                this.#pictures(best.map(({file}) => file), t("best")))];
        return make("section", {class: "photoshoot-shoot-finished"},
            make("h4", {}, name, " ", make("small", {}, words)), ...rows,
            sentences.length ? make("ul", {class: "photoshoot-page-findings"}, ...items(sentences)) : null);
    }

    #pictures(files, words) {
        const link = file => fileUrl(this.page.shoot.name, file);
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
        const more = action === "start" ? await this.shops.wanted() : {};
        await this.#take(name, ask(shootPath(name, "/finish"), {action, ...more}));
        this.page.wake();
    }
}

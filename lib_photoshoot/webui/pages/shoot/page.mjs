// The part 'Shoot a list' of the Photoshoot tab: a shot list is edited, started and watched. Shoots are the server's: a
// page that is loaded anew finds them as they are. The browser keeps edits that were not saved.

import {make} from "../shared/elements.mjs";
import {Page} from "../shared/page.mjs";
import {styled} from "../shared/styles.mjs";
import {t} from "../shared/words.mjs";
import {ask, parts, shootPath} from "./api.mjs";
import {Finish} from "./finish.mjs";
import {Lists} from "./lists.mjs";
import {Pictures} from "./pictures.mjs";
import {Run} from "./run.mjs";
import {ShootState} from "./state.mjs";
import {Table} from "./table.mjs";

export async function open(root) {
    await styled(import.meta.url, "../shared/style.css", "style.css");
    new Shoot(root).open(parts, () => ask());
}

// The page: its parts, and the shoot that is shown.
class Shoot extends Page {
    constructor(root) {
        super(root, parts, "photoshoot_shoot");
        this.shoot = new ShootState("");
    }

    async build() {
        this.table = new Table(this);
        this.lists = new Lists(this);
        this.run = new Run(this);
        this.pictures = new Pictures(this);
        this.finish = new Finish(this);
        this.root.replaceChildren(
            make("p", {class: "photoshoot-page-intro"}, t("Many products, so many good pictures of each: write the " +
                "list, start it, and pictures are made until the product filter has accepted as many as you want. It " +
                "goes on when this page is closed, and after a stop from where it was.")),
            this.line, this.lists.box,
            make("div", {class: "photoshoot-page-columns"}, make("div", {}, this.run.box, this.finish.box),
                make("div", {}, this.pictures.box)),
        );
        await this.lists.begin();
        this.parts = [this.lists, this.run, this.finish];
        this.wake();
    }

    // Show another shoot; the empty name is a new one.
    async choose(name) {
        const path = shootPath(name);
        const number = this.chosen = (this.chosen ?? 0) + 1;
        const [detail, list] = name
            ? await Promise.all([ask(path), ask(`${path}/list`)]) : [null, {rows: []}];
        if (number !== this.chosen) {
            return; // yet another one was chosen meanwhile
        }
        this.shoot = new ShootState(name, detail);
        this.remember({name});
        this.lists.show(list.rows);
        this.pictures.begin();
        this.finish.begin();
        this.show();
        this.wake();
    }

    // News of the shoot that is shown.
    take(detail) {
        if (detail.name === this.shoot.name) {
            this.shoot.take(detail);
            this.show();
        }
    }

    show() {
        this.table.lock(this.shoot.running);
        this.table.showLive();
        this.lists.showState();
        this.run.show();
        this.pictures.show();
        this.finish.show();
    }
}

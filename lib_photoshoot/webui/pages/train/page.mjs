// The Train part of the Photoshoot tab. All state that matters is the server's (lib_photoshoot/webui/train/routes.py):
// a page that is loaded anew finds the run as it is. The browser keeps what was typed.

import {make} from "../shared/elements.mjs";
import {Page} from "../shared/page.mjs";
import {styled} from "../shared/styles.mjs";
import {t} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";
import {Photos} from "./photos.mjs";
import {Recipe} from "./recipe.mjs";
import {Run} from "./run.mjs";
import {Runs} from "./runs.mjs";
import {Trainer} from "./trainer.mjs";

export async function open(root) {
    await styled(import.meta.url, "../shared/style.css", "style.css");
    new Train(root).open(parts, () => ask(""));
}

class Train extends Page {
    constructor(root) {
        super(root, parts, "photoshoot_train");
    }

    build() {
        this.trainer = new Trainer(this);
        this.photos = new Photos(this);
        this.recipe = new Recipe(this);
        this.run = new Run(this);
        this.runs = new Runs(this);
        this.parts = [this.trainer, this.photos, this.run, this.runs];
        this.root.replaceChildren(
            make("p", {class: "photoshoot-page-intro"}, t("Teaches Stable Diffusion the look of your own product " +
                "photos: from a folder of them to a LoRA in the WebUI's Lora tab. Everything runs on this machine, " +
                "and your folder is never changed unless you say so.")),
            this.line,
            make("div", {class: "photoshoot-page-columns"},
                make("div", {}, this.trainer.box, this.photos.box, this.recipe.box),
                make("div", {}, this.run.box, this.run.results.box, this.runs.box)),
        );
        this.photos.begin();
        this.wake();
    }
}

// Step 1: whether kohya's sd-scripts is there, in an environment of its own, and its installation.

import {fill, line, say} from "../shared/elements.mjs";
import {t} from "../shared/words.mjs";
import {ask, parts} from "./api.mjs";

export class Trainer {
    constructor(train) {
        this.train = train;
        this.text = parts.make("p", "trainer_text", {role: "status", "aria-live": "polite"});
        this.bar = parts.bar("trainer_progress", t("Installation"));
        this.status = parts.status("trainer_status");
        this.install = parts.button("install", t("Install"), () => this.#install(), this.status, {primary: true});
        this.box = parts.step("trainer", 1, t("Trainer"), line(this.text, this.install), this.bar, this.status);
        this.show(train.info.trainer);
    }

    show(trainer) {
        const became = trainer.ready && this.state && !this.state.ready;
        this.state = trainer;
        this.busy = trainer.busy || Boolean(trainer.looking);
        const mark = trainer.ready ? "ready" : this.busy ? "busy" : "missing";
        this.text.className = `photoshoot-page-mark photoshoot-page-mark-${mark}`;
        say(this.text, trainer.busy && trainer.doing ? trainer.doing : trainer.text);
        this.install.hidden = trainer.ready || trainer.busy || !trainer.can_install;
        this.bar.hidden = !trainer.busy;
        fill(this.bar, trainer.share ?? null, trainer.doing);
        if (trainer.error) {
            say(this.status, trainer.error, true);
        }
        if (became) {
            // What this machine lacks for the recipe is known only now.
            this.train.photos.again();
        }
    }

    async #install() {
        this.show({...this.state, busy: true, share: null, doing: t("Beginning…"), error: null});
        try {
            await ask("/trainer", {});
        } finally {
            this.show(await ask("/trainer"));
            this.train.wake();
        }
    }

    async poll() {
        if (this.busy || !this.state.ready) {
            this.show(await ask("/trainer"));
        }
    }
}

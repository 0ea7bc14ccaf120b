// Step 1: whether kohya's sd-scripts is there, in an environment of its own, and its installation.

class PhotoshootTrainTrainer {
    constructor(train) {
        this.train = train;
        const make = photoshootMake;
        this.text = make("p", {id: `${PHOTOSHOOT_TRAIN_ID}trainer_text`, role: "status", "aria-live": "polite"});
        this.bar = photoshootTrainParts.bar("trainer_progress", "Installation");
        this.status = photoshootTrainParts.status("trainer_status");
        this.install = photoshootTrainParts.button("install", "Install", () => this.#install(), this.status, {
            class: "photoshoot-page-button photoshoot-page-primary",
        });
        this.box = photoshootTrainParts.step("trainer", 1, "Trainer",
            photoshootRow(this.text, this.install), this.bar, this.status);
        this.show(train.info.trainer);
    }

    show(trainer) {
        const became = trainer.ready && this.state && !this.state.ready;
        this.state = trainer;
        this.busy = trainer.busy || Boolean(trainer.looking);
        const mark = trainer.ready ? "ready" : this.busy ? "busy" : "missing";
        this.text.className = `photoshoot-page-mark photoshoot-page-mark-${mark}`;
        const text = trainer.busy && trainer.doing ? trainer.doing : trainer.text;
        if (this.text.textContent !== text) {
            this.text.textContent = text;
        }
        this.install.hidden = trainer.ready || trainer.busy || !trainer.can_install;
        this.bar.hidden = !trainer.busy;
        photoshootFill(this.bar, trainer.share ?? null, trainer.doing);
        if (trainer.error) {
            photoshootSay(this.status, trainer.error, true);
        }
        if (became) {
            // What this machine lacks for the recipe is known only now.
            this.train.photos.again();
        }
    }

    async #install() {
        this.show({...this.state, busy: true, share: null, doing: "Beginning…", error: null});
        try {
            await photoshootTrainAsk("/trainer", {});
        } finally {
            this.show(await photoshootTrainAsk("/trainer"));
            this.train.wake();
        }
    }

    async poll() {
        if (this.busy || !this.state.ready) {
            this.show(await photoshootTrainAsk("/trainer"));
        }
    }
}

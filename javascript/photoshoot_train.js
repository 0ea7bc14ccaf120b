// The Train part of the Photoshoot tab. The WebUI's start gets one empty element; it is filled when it is first seen.
// All state that matters is the server's (lib_photoshoot/webui/train/routes.py): a page that is loaded anew
// finds the run as it is. The browser keeps what was typed.

const PHOTOSHOOT_TRAIN_STORE = "photoshoot_train";

function photoshootTrainAsk(path, body) {
    return photoshootAsk(photoshootTrainUrl(path), body,
        "This WebUI does not know how to train; restart it after an update of the extension.");
}

function photoshootTrainUrl(path, query = null) {
    return `./photoshoot/v1/train${path}${query ? `?${new URLSearchParams(query)}` : ""}`;
}

function photoshootTrainRunPath(name, action = "") {
    return `/runs/${encodeURIComponent(name)}${action}`;
}

class PhotoshootTrain extends PhotoshootPage {
    constructor(root) {
        super(root, photoshootTrainParts.status("connection"), PHOTOSHOOT_TRAIN_STORE);
        this.open(photoshootTrainParts, () => photoshootTrainAsk(""), () => this.#build());
    }

    #build() {
        this.trainer = new PhotoshootTrainTrainer(this);
        this.photos = new PhotoshootTrainPhotos(this);
        this.recipe = new PhotoshootTrainRecipe(this);
        this.run = new PhotoshootTrainRun(this);
        this.runs = new PhotoshootTrainRuns(this);
        this.parts = [this.trainer, this.photos, this.run, this.runs];
        const make = photoshootMake;
        this.root.replaceChildren(
            make("p", {class: "photoshoot-page-intro"}, "Teaches Stable Diffusion the look of your own product " +
                "photos: from a folder of them to a LoRA in the WebUI's Lora tab. Everything runs on this machine, " +
                "and your folder is never changed unless you say so."),
            this.line,
            make("div", {class: "photoshoot-page-columns"},
                make("div", {}, this.trainer.box, this.photos.box, this.recipe.box),
                make("div", {}, this.run.box, this.run.results.box, this.runs.box)),
        );
        this.photos.begin();
        this.wake();
    }
}

photoshootWhenSeen("#photoshoot_train", root => new PhotoshootTrain(root));

// The Train part of the Photoshoot tab. The WebUI's start gets one empty element; it is filled when it is first seen.
// All state that matters is the server's (lib_photoshoot/webui/a1111/training_routes.py): a page that is loaded anew
// finds the run as it is. The browser keeps what was typed.

const PHOTOSHOOT_TRAIN_STORE = "photoshoot_train";
const PHOTOSHOOT_TRAIN_BUSY_MS = 1000;
const PHOTOSHOOT_TRAIN_IDLE_MS = 10000;

// GET without a body, else POST. Throws an Error whose message is a sentence for the user; `status` is HTTP's.
async function photoshootTrainAsk(path, body) {
    const request = body === undefined ? {} : {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify(body),
    };
    let answer;
    try {
        answer = await fetch(photoshootTrainUrl(path), request);
    } catch {
        throw new Error("The WebUI does not answer; check that it still runs.");
    }
    const data = await answer.json().catch(() => null);
    if (answer.ok && data !== null) {
        return data;
    }
    const unknown = answer.status === 404
        ? "This WebUI does not know how to train; restart it after an update of the extension."
        : `The WebUI could not do that (status ${answer.status}); its console says why.`;
    throw Object.assign(new Error(data?.error || unknown), {status: answer.status});
}

function photoshootTrainUrl(path, query = null) {
    return `./photoshoot/v1/train${path}${query ? `?${new URLSearchParams(query)}` : ""}`;
}

function photoshootTrainRunPath(name, action = "") {
    return `/runs/${encodeURIComponent(name)}${action}`;
}

// The page: its parts, what was typed, and the clock that asks the server for news.
class PhotoshootTrain {
    constructor(root) {
        this.root = root;
        this.saved = this.#load();
        this.visible = false;
        this.parts = [];
        this.open();
    }

    async open() {
        try {
            this.info = await photoshootTrainAsk("");
        } catch (error) {
            const again = photoshootTrainButton("again", "Try again", () => this.open());
            this.root.replaceChildren(photoshootTrainNote(error.message, true), again);
            return;
        }
        this.trainer = new PhotoshootTrainTrainer(this);
        this.photos = new PhotoshootTrainPhotos(this);
        this.recipe = new PhotoshootTrainRecipe(this);
        this.run = new PhotoshootTrainRun(this);
        this.runs = new PhotoshootTrainRuns(this);
        this.parts = [this.trainer, this.photos, this.run, this.runs];
        this.line = photoshootTrainStatus("connection");
        const make = photoshootTrainMake;
        this.root.replaceChildren(
            make("p", {class: "photoshoot-train-intro"}, "Teaches Stable Diffusion the look of your own product " +
                "photos: from a folder of them to a LoRA in the WebUI's Lora tab. Everything runs on this machine, " +
                "and your folder is never changed unless you say so."),
            this.line,
            make("div", {class: "photoshoot-train-columns"},
                make("div", {}, this.trainer.box, this.photos.box, this.recipe.box),
                make("div", {}, this.run.box, this.run.results.box, this.runs.box)),
        );
        this.photos.begin();
        this.wake();
    }

    // What the page shows or not decides whether it asks for news.
    seen(visible) {
        this.visible = visible;
        this.wake();
    }

    // Ask for news now, and then again and again.
    wake() {
        clearTimeout(this.timer);
        if (this.ticking) {
            this.again = true;
        } else if (this.parts.length && this.visible && !document.hidden) {
            this.#tick();
        }
    }

    async #tick() {
        this.ticking = true;
        this.again = false;
        const errors = [];
        for (const part of this.parts) {
            await part.poll().catch(error => errors.push(error.message));
        }
        photoshootTrainSay(this.line, errors[0] ?? "", true);
        this.ticking = false;
        const busy = this.parts.some(part => part.busy);
        const pause = busy ? PHOTOSHOOT_TRAIN_BUSY_MS : PHOTOSHOOT_TRAIN_IDLE_MS;
        this.timer = setTimeout(() => this.wake(), this.again ? 0 : pause);
    }

    #load() {
        try {
            return JSON.parse(localStorage.getItem(PHOTOSHOOT_TRAIN_STORE)) ?? {};
        } catch {
            return {};
        }
    }

    // Keep what was typed for the next visit.
    remember(values) {
        Object.assign(this.saved, values);
        try {
            localStorage.setItem(PHOTOSHOOT_TRAIN_STORE, JSON.stringify(this.saved));
        } catch {
            // A browser that keeps nothing: then nothing is kept.
        }
    }
}

onUiLoaded(() => {
    const root = gradioApp().querySelector("#photoshoot_train");
    if (!root) {
        return;
    }
    let train = null;
    new IntersectionObserver(entries => {
        const visible = entries.at(-1).isIntersecting;
        if (visible && !train) {
            // The host's typography for texts would be in the way of tables and lists.
            root.closest(".prose")?.classList.remove("prose");
            train = new PhotoshootTrain(root);
        }
        train?.seen(visible);
    }).observe(root);
    document.addEventListener("visibilitychange", () => train?.wake());
});

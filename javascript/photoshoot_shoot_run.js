// Step 2: where the pictures are made, Start and Stop, and how far the shoot is.

const PHOTOSHOOT_SHOOT_STATES = {
    draft: "Not started",
    running: "Shooting",
    stopping: "Stopping: the pictures at hand are finished",
    stopped: "Stopped",
    done: "All pictures are there",
    short: "Ended, but pictures are missing",
    failed: "Failed",
};
// So many of the last pictures tell the pace.
const PHOTOSHOOT_SHOOT_PACE = 30;

class PhotoshootShootRun {
    constructor(page) {
        this.page = page;
        const make = photoshootMake;
        const parts = photoshootShootParts;
        const {saved, info} = page;
        this.state = make("b", {id: parts.id("run_state"), role: "status", "aria-live": "polite"});
        this.name = make("span", {id: parts.id("run_name")});
        this.message = make("p", {id: parts.id("run_message"), "aria-live": "polite"});
        this.bar = parts.bar("run_bar", "Pictures accepted");
        this.figures = make("dl", {id: parts.id("run_figures"), class: "photoshoot-page-figures"});
        this.notes = make("ul", {
            id: parts.id("run_notes"), class: "photoshoot-page-findings", "aria-label": "WebUIs that failed",
        });
        this.status = parts.status("run_status");
        const remember = () => page.remember({
            own: this.own.checked, webuis: this.webuis.value, tries: this.tries.value,
        });
        this.own = parts.input("own", {type: "checkbox", checked: saved.own ?? true, onchange: remember});
        this.webuis = make("textarea", {
            id: parts.id("webuis"), rows: 2, spellcheck: false, value: saved.webuis ?? "", onchange: remember,
            placeholder: "http://192.168.1.20:7860",
        });
        this.auth = parts.input("auth", {type: "password", autocomplete: "new-password", placeholder: "user:password"});
        this.tries = parts.input("tries", {
            type: "number", min: 1, step: 1, value: saved.tries ?? "", onchange: remember,
            placeholder: "5 for each picture",
        });
        const button = (name, label, action, properties) => parts.button(name, label, action, this.status, properties);
        this.start = button("start", "Start", () => this.#start(), {
            class: "photoshoot-page-button photoshoot-page-primary",
        });
        this.stop = button("stop", "Stop", () => this.#stop(), {
            title: "The pictures at hand are finished; Start goes on from there.",
        });
        this.review = make("a", {id: parts.id("review"), target: "_blank", class: "photoshoot-page-button"},
            "Review the pictures");
        this.settings = make("div", {class: "photoshoot-page-grid photoshoot-page-pairwise"},
            make("div", {class: "photoshoot-page-found"},
                photoshootField(this.own, "This WebUI", "Its other jobs take turns with the shoot's."),
                photoshootField(this.tries, "Tries at most for each product",
                    "A product that has not enough accepted pictures by then is left short.")),
            make("div", {class: "photoshoot-page-found"},
                photoshootField(this.webuis, "Further WebUIs",
                    "One address a line; each with this extension and --api."),
                photoshootField(this.auth, "Their login",
                    "Where they were started with --api-auth. It is not kept.")));
        const lacking = info.weights ? photoshootNote(info.weights, true) : null;
        this.box = parts.step("run", 2, "Shoot",
            photoshootRow(this.state, this.name), this.message, this.bar, this.figures, this.notes, lacking,
            this.settings, photoshootRow(this.start, this.stop, this.review), this.status);
    }

    get busy() {
        return this.page.shoot.running;
    }

    async poll() {
        const {shoot} = this.page;
        if (!shoot.name) {
            return;
        }
        const path = photoshootShootPath(shoot.name);
        let detail = await photoshootShootAsk(`${path}?after=${shoot.revision}`);
        if (detail.revision < shoot.revision && shoot === this.page.shoot) {
            // It was begun anew: what is known of it does not hold any more.
            this.page.shoot = new PhotoshootShootState(shoot.name, null);
            detail = await photoshootShootAsk(path);
        }
        const {state} = shoot.detail ?? {};
        this.page.take(detail);
        if (state !== detail.state) {
            this.page.lists.due = true;
            this.page.wake();
        }
    }

    show() {
        const {shoot} = this.page;
        const {state = "draft", message = "", notes = []} = shoot.detail ?? {};
        const words = PHOTOSHOOT_SHOOT_STATES[state] ?? state;
        if (this.state.textContent !== words) {
            this.state.textContent = words;
        }
        this.box.dataset.state = state;
        this.name.textContent = shoot.name;
        this.message.className = `photoshoot-page-message${state === "failed" ? " photoshoot-page-failure" : ""}`;
        if (this.message.textContent !== message) {
            this.message.textContent = message;
        }
        this.message.hidden = !message;
        const told = JSON.stringify(notes);
        if (told !== this.told) {
            this.told = told;
            const times = new Map(); // a WebUI that is away is asked again and again
            notes.forEach(text => times.set(text, (times.get(text) ?? 0) + 1));
            this.notes.replaceChildren(...[...times].map(([text, count]) =>
                photoshootMake("li", {}, count > 1 ? `${text} (${count} times)` : text)));
        }
        this.notes.hidden = notes.length === 0;
        this.settings.hidden = this.start.hidden = shoot.running;
        this.start.textContent = ["stopped", "short", "failed"].includes(state) ? "Go on" : "Start";
        this.start.disabled = state === "done" && !this.page.lists.dirty;
        this.stop.hidden = !shoot.running;
        this.stop.disabled = state === "stopping";
        this.review.hidden = shoot.shots.size === 0;
        if (shoot.name) {
            this.review.href = photoshootShootFile(shoot.name, "report.html");
        }
        this.bar.hidden = this.figures.hidden = state === "draft";
        this.#showFigures();
    }

    #showFigures() {
        const {shoot} = this.page;
        const {wanted, accepted, rejected, counted} = shoot.totals;
        const plain = number => number.toLocaleString("en");
        photoshootFill(this.bar, wanted ? counted / wanted : 0, `${plain(counted)} of ${plain(wanted)} accepted`);
        const pace = shoot.running ? this.#pace() : null;
        const minute = pace ? pace.pictures * 60 : 0;
        const {seconds} = shoot.detail ?? {};
        const left = pace?.accepted ? photoshootTime((wanted - counted) / pace.accepted) : "–";
        const figures = [
            ["Accepted", `${plain(accepted)} of ${plain(wanted)}`],
            ["Rejected", plain(rejected)],
            shoot.running ? ["Pictures a minute", minute ? minute.toFixed(minute < 10 ? 1 : 0) : "–"]
                : ["Products complete", this.#complete()],
            shoot.running ? ["Time left, about", left]
                : ["Last run took", Number.isFinite(seconds) ? photoshootTime(seconds) : "–"],
        ];
        const shown = JSON.stringify(figures);
        if (shown !== this.shown) {
            this.shown = shown;
            this.figures.replaceChildren(...figures.map(([label, text]) => photoshootMake("div", {},
                photoshootMake("dt", {}, label), photoshootMake("dd", {}, text))));
        }
    }

    #complete() {
        const products = [...this.page.shoot.products.values()];
        return `${products.filter(one => one.accepted >= one.wanted).length} of ${products.length}`;
    }

    // Pictures, and accepted pictures, a second, as the last ones came.
    #pace() {
        const shots = this.page.shoot.newest(PHOTOSHOOT_SHOOT_PACE);
        const seconds = shots.reduce((sum, shot) => sum + shot.seconds, 0);
        if (!seconds) {
            return null;
        }
        const webuis = new Set(shots.map(shot => shot.webui)).size;
        const pictures = webuis * shots.length / seconds;
        const share = shots.filter(shot => shot.decision === "accepted").length / shots.length;
        return {pictures, accepted: pictures * share};
    }

    async #start() {
        const {page} = this;
        const webuis = this.webuis.value.split(/\s+/).filter(Boolean);
        if (!this.own.checked && !webuis.length) {
            this.own.focus();
            throw new Error("Tick This WebUI, or name another one.");
        }
        if (!page.shoot.name || page.lists.dirty) {
            await page.lists.save();
        }
        page.take(await photoshootShootAsk(photoshootShootPath(page.shoot.name), {
            action: "start", own: this.own.checked, webuis, auth: this.auth.value,
            tries: this.tries.value ? Number(this.tries.value) : null,
        }));
        this.stop.focus({preventScroll: true});
        page.lists.due = true;
        page.wake();
    }

    async #stop() {
        this.page.take(await photoshootShootAsk(photoshootShootPath(this.page.shoot.name), {action: "stop"}));
        this.page.wake();
    }
}

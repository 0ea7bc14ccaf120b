// The part 'Shoot a list' of the Photoshoot tab: a shot list is edited, started and watched. The WebUI's start gets one
// empty element; it is filled when it is first seen. Shoots are the server's: a page that is loaded anew finds them as
// they are. The browser keeps edits that were not saved.

const photoshootShootParts = new PhotoshootParts("photoshoot_shoot_");

function photoshootShootUrl(path = "") {
    return `./photoshoot/v1/shoot${path}`;
}

function photoshootShootAsk(path = "", body = undefined) {
    return photoshootAsk(photoshootShootUrl(path), body,
        "This WebUI does not know how to shoot a list; restart it after an update of the extension.");
}

function photoshootShootPath(name, rest = "") {
    return `/shoots/${encodeURIComponent(name)}${rest}`;
}

// The address of a file in the shoot's folder, as its shots name it.
function photoshootShootFile(name, file) {
    return photoshootShootUrl(photoshootShootPath(name, `/${file.split("/").map(encodeURIComponent).join("/")}`));
}

// The review page at one picture.
function photoshootShootReview(name, {product, seed}) {
    return `${photoshootShootFile(name, "report.html")}#${encodeURIComponent(product)}/${encodeURIComponent(seed)}`;
}

// A name as the server reads it.
function photoshootShootWords(text) {
    return (text ?? "").trim().replace(/\s+/g, " ");
}

// What is known of the shoot that is shown; grows with each answer of the server.
class PhotoshootShootState {
    constructor(name, detail) {
        this.name = name;
        this.detail = null;
        this.shots = new Map(); // by id, which grows with time
        this.products = new Map(); // by name
        this.byProduct = new Map(); // name: ids, the newest last
        if (detail) {
            this.take(detail);
        }
    }

    get running() {
        return ["running", "stopping"].includes(this.detail?.state);
    }

    get revision() {
        return this.detail?.revision ?? 0;
    }

    get totals() {
        const totals = {wanted: 0, accepted: 0, rejected: 0, counted: 0};
        for (const {wanted, accepted, rejected} of this.products.values()) {
            totals.wanted += wanted;
            totals.accepted += accepted;
            totals.rejected += rejected;
            totals.counted += Math.min(accepted, wanted); // more than wanted does not make up for other products
        }
        return totals;
    }

    take(detail) {
        this.detail = detail;
        this.update(detail);
    }

    update({products, shots}) {
        this.products = new Map(products.map(product => [product.name, product]));
        for (const shot of shots) {
            if (!this.shots.has(shot.id)) {
                const ids = this.byProduct.get(shot.product) ?? [];
                ids.push(shot.id);
                this.byProduct.set(shot.product, ids);
            }
            this.shots.set(shot.id, shot);
        }
    }

    // The newest shots first, of all products or of one.
    newest(count, product = "") {
        const ids = product ? this.byProduct.get(product) ?? [] : [...this.shots.keys()];
        return ids.slice(-count).reverse().map(id => this.shots.get(id));
    }
}

// The page: its parts, and the shoot that is shown.
class PhotoshootShoot extends PhotoshootPage {
    constructor(root) {
        super(root, photoshootShootParts.status("connection"), "photoshoot_shoot");
        this.shoot = new PhotoshootShootState("", null);
        this.open(photoshootShootParts, () => photoshootShootAsk(), () => this.#build());
    }

    async #build() {
        this.table = new PhotoshootShootTable(this);
        this.lists = new PhotoshootShootLists(this);
        this.run = new PhotoshootShootRun(this);
        this.pictures = new PhotoshootShootPictures(this);
        this.finish = new PhotoshootShootFinish(this);
        const make = photoshootMake;
        this.root.replaceChildren(
            make("p", {class: "photoshoot-page-intro"}, "Many products, so many good pictures of each: write the " +
                "list, start it, and pictures are made until the product filter has accepted as many as you want. It " +
                "goes on when this page is closed, and after a stop from where it was."),
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
        const path = photoshootShootPath(name);
        const number = this.chosen = (this.chosen ?? 0) + 1;
        const [detail, list] = name
            ? await Promise.all([photoshootShootAsk(path), photoshootShootAsk(`${path}/list`)]) : [null, {rows: []}];
        if (number !== this.chosen) {
            return; // yet another one was chosen meanwhile
        }
        this.shoot = new PhotoshootShootState(name, detail);
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

photoshootWhenSeen("#photoshoot_shoot", root => new PhotoshootShoot(root));

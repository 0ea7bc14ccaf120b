// What is known of the shoot that is shown; grows with each answer of the server.

export class ShootState {
    constructor(name, detail = null) {
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
        const totals = {wanted: 0, accepted: 0, rejected: 0, counting: 0};
        for (const {wanted, accepted, rejected} of this.products.values()) {
            totals.wanted += wanted;
            totals.accepted += accepted;
            totals.rejected += rejected;
            totals.counting += Math.min(accepted, wanted); // more than wanted does not make up for other products
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

    // Pictures, and accepted pictures, a second, as the last `count` came.
    pace(count) {
        const shots = this.newest(count);
        const seconds = shots.reduce((sum, shot) => sum + shot.seconds, 0);
        if (!seconds) {
            return null;
        }
        const webuis = new Set(shots.map(shot => shot.webui)).size;
        const pictures = webuis * shots.length / seconds;
        const share = shots.filter(shot => shot.decision === "accepted").length / shots.length;
        return {pictures, accepted: pictures * share};
    }
}

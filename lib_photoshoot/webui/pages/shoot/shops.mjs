// What goes with the pictures of each sales channel when they leave for a shop: names, tables, a zip, sheets.

import {help, inputLine, items, labelled, line, make, renew} from "../shared/elements.mjs";
import {t} from "../shared/words.mjs";
import {parts} from "./api.mjs";

export class Shops {
    constructor() {
        this.names = parts.input("names", {placeholder: "{sku}_{n}"});
        this.table = parts.make("input", "sku_table", {type: "file", accept: ".csv,.tsv,.txt"});
        this.url = parts.input("url_base", {placeholder: "https://"});
        const tick = (name, label) => [name, label, parts.make("input", name, {type: "checkbox"})];
        this.shops = [tick("plain", t("Table for people")), tick("shopify", t("Table for Shopify")),
            tick("woocommerce", t("Table for WooCommerce"))];
        this.archive = tick("archive", t("Zip"));
        this.sheet = tick("contact_sheet", t("Contact sheet (PDF)"));
        this.told = parts.make("div", "handed");
        this.box = parts.fold("shops", t("For shops"),
            help(t("The same for each channel, in its folder; each time as it is chosen here.")),
            inputLine(
                labelled(this.names, t("File names"), t("Fields: {fields}. Empty: as the channel names them.",
                    {fields: "{sku} {product} {stem} {channel} {n}"})),
                labelled(this.table, t("Table of SKUs"),
                    t("CSV with the columns sku and file: a picture, or a product of the list.")),
                labelled(this.url, t("Web folder of the pictures"), t("For the shops' tables."))),
            line(...[...this.shops, this.archive, this.sheet].map(([, label, box]) => labelled(box, label))));
    }

    // What the server is asked for, besides to begin.
    async wanted() {
        const [file] = this.table.files;
        return {
            names: this.names.value.trim(),
            table: file ? await file.text() : "",
            url_base: this.url.value.trim(),
            shops: this.shops.filter(([, , box]) => box.checked).map(([name]) => name),
            archive: this.archive[2].checked,
            contact_sheet: this.sheet[2].checked,
        };
    }

    show(handed) {
        renew(this.told, handed, () => handed.map(({profile, page, said, problems}) => make("div", {},
            make("b", {}, profile), " ",
            make("a", {href: `./${page}`, target: "_blank"}, t("Look through")),
            make("ul", {class: "photoshoot-page-findings"}, ...items([...problems, ...said])))));
    }
}

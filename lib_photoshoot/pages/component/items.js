const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const page = JSON.parse($("#page").textContent);
const items = JSON.parse($("#items").textContent);
const served = page.decide !== "";
const MOST = 4, GAP = 16, TEXT = 126;

// What is known of each picture: the data's format is in pages/data.py.

const products = new Map(page.products.map(product => [product.name, product]));
const byId = new Map();
items.forEach((item, index) => {
  item.index = index;
  item.best = item.scores.reduce((best, score) => Math.max(best, score[1]), -1);
  item.kept = item.by_hand;  // what the ledger says, as far as this page knows
  byId.set(item.id, item);
});
const one = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const score = item => item.best < 0 ? "" : item.best.toFixed(2);
const titled = text => text.charAt(0).toUpperCase() + text.slice(1);
const word = decision => decision ? page.words[decision] || titled(decision) : "";
const decided = item => item.by_hand ? titled(item.by_hand) + " by hand" : word(item.decision);
const named = item => item.label || item.name;
/** As part of an address; a byte of a file's name that is no text comes as a lone surrogate. */
const encoded = text => text.split(/([\uD800-\uDFFF])/u).map(part => /^[\uD800-\uDFFF]$/u.test(part)
  ? "%" + (part.charCodeAt(0) & 255).toString(16).padStart(2, "0") : encodeURIComponent(part)).join("");
// "./" first: a path must never become the name of another host. A step up leads out of the folder.
const address = path => "./" + path.split("/").filter(part => part !== "..").map(encoded).join("/") + (renewed.has(path) ? "?" + renewed.get(path) : "");
const renewed = new Map();  // files that were written anew since the page was loaded, and when
const otherPlace = path => path.includes("/rejected/") ? path.replace("/rejected/", "/") : path.replace("/", "/rejected/");

// The views of a picture: the first is its own, and the others stand in its list.
const viewsOf = item => [item, ...(item.views || [])];
const viewName = (item, view) => view.view || (page.views[0] || {}).name;
const indexOfView = (item, name) => Math.max(0, viewsOf(item).findIndex(view => viewName(item, view) === name));
const viewLabel = name => (page.views.find(view => view.name === name) || { label: name }).label;

const blocks = new Map();
/** The address of a view's thumbnail: "" where there is none, null where it has not been read yet. */
function thumbnail(item, index = 0) {
  const { thumbnail: name } = viewsOf(item)[index] || {};
  if (!name) return "";
  if (!page.per_block) return address(name);
  const number = Math.floor(item.index / page.per_block);
  let lines = blocks.get(number);
  if (!lines) {
    const element = document.getElementById("thumbnails-" + number);
    // An element is whole once something follows it.
    if (!element || (!element.nextSibling && document.readyState === "loading")) return document.readyState === "loading" ? null : "";
    lines = element.textContent.split("\n");
    blocks.set(number, lines);
    if (blocks.size > 12) blocks.delete(blocks.keys().next().value);
  }
  const data = (lines[item.index % page.per_block] || "").split(" ")[index];
  return data ? "data:image/jpeg;base64," + data : "";
}

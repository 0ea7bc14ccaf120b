const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const page = JSON.parse($("#page").textContent);
const items = [];
const served = page.decide !== "";
const MOST = 4, GAP = 16, TEXT = 126;

// What is known of each picture: the data's format is in pages/data.py.

const products = new Map(page.products.map(product => [product.name, product]));
const byId = new Map();
const NOBODY = { decision: null, reason: "", note: "" };
const handOf = item => ({ decision: item.by_hand, reason: item.reason || "", note: item.note || "" });
const sameHand = (one, other) => ["decision", "reason", "note"].every(name => one[name] === other[name]);

/** Take in a picture that the page does not know yet. */
function adopt(item) {
  item.index = items.push(item) - 1;
  item.kept = handOf(item);  // what the ledger says, as far as this page knows
  byId.set(item.id, item);
  for (const name of item.products) count(name, 1);
  weigh(item);
}
/** Take in what is known anew of a picture; what waits to be written about it stays. */
function renew(item, news) {
  for (const name of item.products) count(name, -1);
  const hand = handOf(item), { by_hand, reason, note, decision, ...others } = news;
  // Worked on anew: other pictures have the same names now.
  const differs = name => name in news && JSON.stringify(news[name]) !== JSON.stringify(item[name]);
  const anew = ["details", "regions"].some(differs);
  if (anew || ["name", "detail", "scores", "thumbnail"].some(differs)) stale(item);
  if (anew) item.fresh = (item.fresh || 0) + 1;
  Object.assign(item, others);
  if ("filter" in news) item.decision = item.by_hand || item.filter || decision;
  for (const name of item.products) count(name, 1);
  item.kept = handOf({ by_hand, reason, note });
  weigh(item);
  setHand(item, waits(item) ? hand : item.kept);
}
function weigh(item) {
  item.best = item.scores.reduce((best, [, value], at) => drawnByHand(item, at) ? best : Math.max(best, value), -1);
  item.doubt = item.check ? (item.regions || []).reduce((sum, region) => sum + region.doubts.length, 1) : 0;
}
function count(name, by) {
  const product = products.get(name);
  if (product) product.pictures = (product.pictures || 0) + by;
}
/** The pictures stand in several elements, so that the first are seen while the others are on their way. */
function takeItems() {
  let any = false;
  for (const element of $$("script.items")) {
    if (!element.nextSibling && document.readyState === "loading") break;  // whole once something follows it
    for (const item of JSON.parse(element.textContent)) adopt(item);
    element.remove();
    any = true;
  }
  return any;
}
const one = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
/** Whether nobody scored a region: a person drew a product that was missed, which stands with 1. */
const drawnByHand = (item, at) => item.scores[at][1] === 1 && Boolean(item.regions && item.regions[at] && item.regions[at].by_hand);
const score = item => item.best < 0 ? "" : item.best.toFixed(2);
const titled = text => text.charAt(0).toUpperCase() + text.slice(1);
const word = decision => decision ? page.words[decision] || titled(decision) : "";
const decided = item => (item.by_hand ? titled(item.by_hand) + " by hand" : word(item.decision)) + (failed.has(item) ? ", not kept" : "");
const reasonOf = item => (page.reasons.find(({ name }) => name === item.reason) || { label: "" }).label;
/** Why a person decided so, in words. */
const whyByHand = item => [reasonOf(item), item.note].filter(Boolean).join(": ");
const named = item => item.label || item.name;
/** As part of an address; a byte of a file's name that is no text comes as a lone surrogate. */
const encoded = text => text.split(/([\uD800-\uDFFF])/u).map(part => /^[\uD800-\uDFFF]$/u.test(part)
  ? "%" + (part.charCodeAt(0) & 255).toString(16).padStart(2, "0") : encodeURIComponent(part)).join("");
// "./" first: a path must never become the name of another host. A step up leads out of the folder.
const address = path => "./" + path.split("/").filter(part => part !== "..").map(encoded).join("/");
/** The address of a file of a picture that may be another file of that name since the page was opened. */
const addressOf = (item, path) => address(path) + (item.fresh ? "?" + item.fresh : "");
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
  if (!page.per_block) return addressOf(item, name);
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

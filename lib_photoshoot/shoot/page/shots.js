const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const shoot = JSON.parse($("#shoot").textContent);
const shots = JSON.parse($("#shots").textContent);
const served = shoot.decide !== "";
const MOST = 4, GAP = 16, TEXT = 126;

// What is known of each picture.

const products = new Map(shoot.products.map(product => [product.name, product]));
const byId = new Map();
shots.forEach((shot, index) => {
  shot.index = index;
  shot.best = shot.scores.reduce((best, score) => Math.max(best, score[1]), -1);
  shot.kept = shot.by_hand;  // what the shoot's ledger says, as far as this page knows
  byId.set(shot.id, shot);
});
const score = shot => shot.best < 0 ? "" : shot.best.toFixed(2);
const titled = text => text.charAt(0).toUpperCase() + text.slice(1);
const decided = shot => titled(shot.decision) + (shot.by_hand ? " by hand" : "");
const named = shot => `${shot.product}, seed ${shot.seed}`;
// "./" first: a path must never become the name of another host. A step up leads out of the shoot.
const address = path => "./" + path.split("/").filter(part => part !== "..").map(encodeURIComponent).join("/");
const otherPlace = path => path.includes("/rejected/") ? path.replace("/rejected/", "/") : path.replace("/", "/rejected/");

const blocks = new Map();
/** The address of a thumbnail: "" where there is none, null where it has not been read yet. */
function thumbnail(shot) {
  if (!shoot.per_block) return address(shot.thumbnail);
  const number = Math.floor(shot.index / shoot.per_block);
  let lines = blocks.get(number);
  if (!lines) {
    const element = document.getElementById("thumbnails-" + number);
    // An element is whole once something follows it.
    if (!element || (!element.nextSibling && document.readyState === "loading")) return document.readyState === "loading" ? null : "";
    lines = element.textContent.split("\n");
    blocks.set(number, lines);
    if (blocks.size > 12) blocks.delete(blocks.keys().next().value);
  }
  const data = lines[shot.index % shoot.per_block];
  return data ? "data:image/jpeg;base64," + data : "";
}

// What the server is asked. All that goes wrong is an Error whose message is a sentence for people.

const fixAddress = name => page.fix.replace(/\/*$/, "/") + name;
const canFix = item => Boolean(page.fix && item && item.fixable && (item.size || item.unfound));
const SILENT = "The server does not answer. What you changed is kept in this browser: once it runs again, try again here or open the address that it prints.";

async function fetched(name, options) {
  let response;
  try {
    response = await fetch(name, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(SILENT, { cause: error });
  }
  if (response.ok) return response;
  const type = response.headers.get("Content-Type") || "", text = await response.text();
  let said = type.startsWith("text/plain") ? text.trim() : "";
  try { said = JSON.parse(text).error || said; } catch { /* a sentence, or not of our server */ }
  throw new Error(said || `The server could not do that (answer ${response.status}).`);
}
async function post(name, body, signal) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal };
  return (await fetched(fixAddress(name), options)).json();
}

/** A picture's outlines as they are cut out now, openings and all. */
async function keptMasks(item) {
  await findIn(item);
  const size = editSize(item.size), kept = { steps: [], mask: null, part: "likely" };
  return Promise.all((item.regions || []).map(async (_, region) =>
    maskFromBase64((await post("outline", { id: item.id, region, ...kept })).answers[0].mask, size)));
}
const startPngs = new WeakMap();  // each step asks twice from the same start
const startPng = (start, edit) => startPngs.get(start) || startPngs.set(start, pngOf(start.mask, edit)).get(start);
/** Answers to the last step: the one that is taken, which is there soonest, or all, `more` being whether there are others. */
async function answersTo(draft, region, part, signal) {
  const { start } = region, png = start && start.mask ? await startPng(start, draft.edit) : null;
  const body = { ...question(draft.item.id, region, png), part };
  let answer;
  // A newer question of another page makes the server drop this one; it is still wanted here, or it would be aborted.
  do answer = await post("outline", body, signal); while (answer.overtaken);
  const masks = await Promise.all(answer.answers.map(one => maskFromBase64(one.mask, draft.edit)));
  const { choice } = region.steps[region.steps.length - 1], more = part === "likely";
  const chosen = more ? 0 : Math.min(choice ?? answer.likely, masks.length - 1);
  return { names: answer.answers.map(one => one.name), masks, chosen, more };
}
async function saved(draft) {
  const known = new Map(draft.history.first.map(region => [region.key, region.mask]));
  const regions = await Promise.all(changedRegions(draft.history).map(async ({ key, index, product, removed, mask }) =>
    removed ? { region: index, remove: true } : known.get(key) === mask ? { region: index, product }
      : { region: index, product, mask: await pngOf(mask, draft.edit) }));
  return post("save", { id: draft.item.id, regions });
}

/** Ask for what makes answers quick, for the picture in view and the next two; it is nothing to wait for. */
let readied = "", readying = 0;
function makeReady(item) {
  clearTimeout(readying);
  if (!canFix(item)) return;
  readying = setTimeout(() => {
    const ids = [item];
    for (let at = stepFrom(item, 1); at < list.length && ids.length < 3; at++) if (canFix(list[at])) ids.push(list[at]);
    const body = { ids: ids.map(one => one.id) }, key = String(body.ids);
    if (key === readied) return;
    readied = key;
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    fetched(fixAddress("ready"), options).catch(() => { readied = ""; });
  }, 250);
}

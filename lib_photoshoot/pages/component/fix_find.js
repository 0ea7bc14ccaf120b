// Pictures in which nobody has looked for the products yet: that is done when one is opened in the editor.

const LOOKING = "Looking for the product… The first time this takes a while.";
/** The picture's own size, which no page says before somebody has looked at it. */
async function learnSize(item) {
  if (item.size) return;
  const image = new Image();
  image.src = "./" + fixAddress(`original/${item.id}`);
  try { await image.decode(); } catch (error) {
    const why = await fetched(fixAddress(`original/${item.id}`)).then(() => "The picture cannot be shown.", reason => reason.message);
    throw new Error(why, { cause: error });
  }
  item.size = [image.naturalWidth, image.naturalHeight];
}
const finding = new Map();
/** Have its products looked for, once, and take in what was found. */
function findIn(item) {
  if (!item.unfound) return Promise.resolve();
  if (!finding.has(item.id)) finding.set(item.id, post("find", { id: item.id }).then(takeSaved).finally(() => finding.delete(item.id)));
  return finding.get(item.id);
}

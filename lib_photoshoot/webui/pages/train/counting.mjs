// What follows from the photos, their captions and the recipe, without asking the server again.

// Findings about captions that are told in one line for all photos.
export const UNCAPTIONED = ["caption_missing", "caption_empty"];
export const UNTAGGED = ["tag_missing", "tag_not_first"];

// Pictures in each bucket, and how often an epoch takes them: see Dataset.counts and times_taken in
// lib_photoshoot/training. `repeats` is the recipe's, for pictures without their own; `others` are of regularisation.
export function bucketCounts(pictures, others, repeats) {
    const counts = {};
    let total = 0;
    const take = ({bucket}, times) => {
        counts[bucket] ??= {pictures: 0, taken: 0};
        counts[bucket].pictures += 1;
        counts[bucket].taken += times;
        total += times;
    };
    pictures.forEach(picture => take(picture, picture.repeats ?? repeats));
    const times = others.map(() => 0);
    let given = 0;
    for (let round = 0; others.length && given < total; round++) {
        for (let index = 0; index < others.length && given < total; index++) {
            const more = round ? 1 : others[index].repeats;
            times[index] += more;
            given += more;
        }
    }
    others.forEach((picture, index) => times[index] && take(picture, times[index]));
    return counts;
}

// The words of a caption, as the trainer takes them apart.
export function tagsOf(caption) {
    return caption.split(",").map(word => word.trim()).filter(Boolean);
}

// Whether a finding still holds, now that the caption of its photo is another one; undefined is no photo of these.
export function stillHolds(kind, caption, tag) {
    if (caption === undefined) {
        return true;
    }
    const words = tagsOf(caption);
    if ([...UNCAPTIONED, "caption_unreadable"].includes(kind)) {
        return words.length === 0;
    }
    if (UNTAGGED.includes(kind)) {
        return words.length > 0 && words[0] !== tag;
    }
    return kind !== "tag_twice" || words.filter(word => word === tag).length > 1;
}

// What the pages say, in the user's language, and figures in words. The host gives its page one object from English
// texts to translations, of our folder localizations/ and of all language packs; it is there before any module.

// The text in the user's language, with values in place of the {name} in it.
export function t(text, values = {}) {
    const told = globalThis.localization?.[text] ?? text;
    return told.replace(/\{(\w+)\}/g, (mark, name) => values[name] ?? mark);
}

// One of two texts, with the number in place of {n}.
export function plural(number, one, many, values = {}) {
    return t(number === 1 ? one : many, {...values, n: count(number)});
}

export function duration(seconds) {
    if (seconds < 90) {
        return t("{n} s", {n: Math.max(1, Math.round(seconds))});
    }
    const minutes = Math.round(seconds / 60);
    if (minutes < 90) {
        return t("{n} min", {n: minutes});
    }
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? t("{hours} h {minutes} min", {hours, minutes: minutes % 60})
        : t("{n} days", {n: Math.round(hours / 24)});
}

export function date(seconds) {
    return new Date(seconds * 1000).toLocaleString([], {dateStyle: "medium", timeStyle: "short"});
}

export function range(lowest, highest, step = 1) {
    const values = {lowest: count(lowest), highest: count(highest), step: count(step ?? 1)};
    return step > 1 ? t("{lowest} to {highest}, in steps of {step}.", values) : t("{lowest} to {highest}.", values);
}

// A number as the user's language writes it; a catalogue says which language it is.
export function count(number) {
    const language = globalThis.localization?.["photoshoot.language"] ?? "en";
    return number.toLocaleString(language, {maximumFractionDigits: 6});
}

// What only the Train part needs besides photoshoot_elements.js: figures in words.

const PHOTOSHOOT_TRAIN_ID = "photoshoot_train_";
const photoshootTrainParts = new PhotoshootParts(PHOTOSHOOT_TRAIN_ID);

function photoshootTrainSize(bytes) {
    const mega = bytes / 1e6;
    return mega < 1000 ? `${Math.max(1, Math.round(mega))} MB` : `${(mega / 1000).toFixed(1)} GB`;
}

// Small figures as a person writes them: 0.0824, 2e-4.
function photoshootTrainFigure(value) {
    if (value === null || value === undefined) {
        return "–";
    }
    if (value !== 0 && Math.abs(value) < 0.001) {
        return value.toExponential(1).replace(".0e", "e").replace("e-0", "e-");
    }
    return String(Number(value.toPrecision(3)));
}

// The lines of a text box, without empty ones.
function photoshootTrainLines(box) {
    return box.value.split("\n").map(line => line.trim()).filter(Boolean);
}

// A value of a recipe.
function photoshootTrainWords(value) {
    if (typeof value === "boolean") {
        return value ? "on" : "off";
    }
    return (Array.isArray(value) ? value.join("\n") : String(value)) || "none";
}

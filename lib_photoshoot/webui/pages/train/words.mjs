// What the Train part says in words: states of a run, sizes, small figures, values of a recipe.

export const STATES = {
    prepared: "Ready to start",
    starting: "Starting",
    training: "Training",
    paused: "Paused, its memory stays taken",
    stopping: "Stopping, its state is being saved",
    stopped: "Stopped, its state is saved",
    cancelled: "Cancelled",
    failed: "Failed",
    interrupted: "Cut off",
    done: "Finished",
};

export function diskSize(bytes) {
    const mega = bytes / 1e6;
    return mega < 1000 ? `${Math.max(1, Math.round(mega))} MB` : `${(mega / 1000).toFixed(1)} GB`;
}

// Small figures as a person writes them: 0.0824, 2e-4.
export function figure(value) {
    if (value === null || value === undefined) {
        return "–";
    }
    if (value !== 0 && Math.abs(value) < 0.001) {
        return value.toExponential(1).replace(".0e", "e").replace("e-0", "e-");
    }
    return String(Number(value.toPrecision(3)));
}

// The lines of a text, without empty ones.
export function linesOf(text) {
    return text.split("\n").map(line => line.trim()).filter(Boolean);
}

// A value of a recipe.
export function valueWords(value) {
    if (typeof value === "boolean") {
        return value ? "on" : "off";
    }
    return (Array.isArray(value) ? value.join("\n") : String(value)) || "none";
}

// What the Train part says in words: states of a run, sizes, small figures, values of a recipe.

import {t} from "../shared/words.mjs";

export const STATES = {
    prepared: t("Ready to start"),
    starting: t("Starting"),
    training: t("Training"),
    paused: t("Paused"),
    stopping: t("Stopping"),
    stopped: t("Stopped"),
    cancelled: t("Cancelled"),
    failed: t("Failed"),
    interrupted: t("Cut off"),
    done: t("Finished"),
};

// What these mean for the run.
export const LONG_STATES = {
    paused: t("Paused, its memory stays taken"),
    stopping: t("Stopping, its state is being saved"),
    stopped: t("Stopped, its state is saved"),
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
        return value ? t("on") : t("off");
    }
    return (Array.isArray(value) ? value.join("\n") : String(value)) || t("none");
}

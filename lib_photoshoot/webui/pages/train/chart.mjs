// The loss by step as inline SVG: each step thin, the mean thick, with axes and the ends of epochs.

import {t} from "../shared/words.mjs";
import {figure} from "./words.mjs";

const HEIGHT = 230;
const MARGIN = {left: 46, right: 12, top: 12, bottom: 36};

function draw(tag, attributes = {}, text = null) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) {
        node.setAttribute(name, value);
    }
    node.textContent = text;
    return node;
}

// About `count` round numbers from `lowest` to `highest`.
export function ticksOf(lowest, highest, count) {
    const rough = (highest - lowest) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(factor => factor * power).find(value => value >= rough);
    const ticks = [];
    for (let value = Math.ceil(lowest / step) * step; value <= highest + step / 1000; value += step) {
        ticks.push(Number(value.toPrecision(10)));
    }
    return ticks;
}

// What the axes hold: losses with some room, none below 0, and steps up to the last that is planned or done.
export function axesOf(history, total) {
    const losses = history.flatMap(([, loss, mean]) => [loss, mean]).filter(Number.isFinite);
    const highest = Math.max(...losses);
    const lowest = Math.min(...losses, highest * 0.999);
    const room = (highest - lowest) * 0.06;
    return {from: Math.max(0, lowest - room), to: highest + room, last: Math.max(total, history.at(-1)[0], 1)};
}

// `history` holds [step, loss, mean, …]; epochs of `perEpoch` steps are planned, `total` steps in all.
export function chartOf(history, {total, perEpoch, width}) {
    const {left, right, top, bottom} = MARGIN;
    const height = HEIGHT;
    const {from, to, last} = axesOf(history, total);
    const x = step => left + (width - left - right) * step / last;
    const y = loss => height - bottom - (height - top - bottom) * (loss - from) / (to - from || 1);
    const line = (index, name) => {
        const points = history.filter(point => Number.isFinite(point[index]));
        const path = points.map(point => `${x(point[0]).toFixed(1)},${y(point[index]).toFixed(1)}`).join(" ");
        return draw("polyline", {points: path, class: name});
    };
    const svg = draw("svg", {
        viewBox: `0 0 ${width} ${height}`, width, height, role: "img", class: "photoshoot-page-chart",
        "aria-labelledby": "photoshoot_train_chart_title photoshoot_train_chart_words",
    });
    const means = history.map(point => point[2] ?? point[1]).filter(Number.isFinite);
    const [first, now] = [means[0], means.at(-1)].map(figure);
    svg.append(
        draw("title", {id: "photoshoot_train_chart_title"}, t("Loss by step")),
        draw("desc", {id: "photoshoot_train_chart_words"}, t(
            "The mean loss went from {first} to {now} in {step} of {total} steps; its lowest is {lowest}.",
            {first, now, step: history.at(-1)[0], total, lowest: figure(Math.min(...means))})));
    const epochs = perEpoch ? Math.floor(last / perEpoch) : 0;
    for (let epoch = 1; epoch < epochs && epochs <= 40; epoch++) {
        const at = x(epoch * perEpoch);
        svg.append(draw("line", {x1: at, x2: at, y1: top, y2: height - bottom, class: "photoshoot-page-epoch"}));
    }
    for (const tick of ticksOf(from, to, 4)) {
        svg.append(draw("line", {x1: left, x2: width - right, y1: y(tick), y2: y(tick)}),
            draw("text", {x: left - 6, y: y(tick) + 4, "text-anchor": "end"}, String(tick)));
    }
    for (const tick of ticksOf(0, last, width < 400 ? 3 : 6)) {
        if (Number.isInteger(tick)) {
            svg.append(draw("text", {x: x(tick), y: height - bottom + 16, "text-anchor": "middle"}, String(tick)));
        }
    }
    svg.append(draw("text", {x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle"}, t("Step")),
        draw("text", {x: 11, y: (top + height - bottom) / 2, "text-anchor": "middle", transform:
            `rotate(-90 11 ${(top + height - bottom) / 2})`}, t("Loss")),
        line(1, "photoshoot-page-raw"), line(2, "photoshoot-page-mean"));
    return svg;
}

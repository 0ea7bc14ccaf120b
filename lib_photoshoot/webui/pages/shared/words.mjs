// Figures in words.

export function plural(number, one, many = `${one}s`) {
    return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export function duration(seconds) {
    if (seconds < 90) {
        return `${Math.max(1, Math.round(seconds))} s`;
    }
    const minutes = Math.round(seconds / 60);
    if (minutes < 90) {
        return `${minutes} min`;
    }
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

export function date(seconds) {
    return new Date(seconds * 1000).toLocaleString([], {dateStyle: "medium", timeStyle: "short"});
}

export function range(lowest, highest, step = 1) {
    const plain = number => number.toLocaleString("en", {maximumFractionDigits: 6});
    return `${plain(lowest)} to ${plain(highest)}${step > 1 ? `, in steps of ${plain(step)}` : ""}.`;
}

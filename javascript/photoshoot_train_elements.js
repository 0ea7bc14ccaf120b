// What the Train part is made of: elements, labelled inputs, buttons that cannot get stuck, and figures in words.

const PHOTOSHOOT_TRAIN_ID = "photoshoot_train_";

// An element. Properties that the element has are set as such, others as attributes; text is always escaped.
function photoshootTrainMake(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (name === "class") {
            node.className = value;
        } else if (name in node && name !== "list") {
            node[name] = value;
        } else if (value !== null && value !== undefined) {
            node.setAttribute(name, value);
        }
    }
    node.append(...children.filter(child => child !== null && child !== undefined));
    return node;
}

// One numbered step of the page.
function photoshootTrainStep(name, number, title, ...children) {
    const make = photoshootTrainMake;
    const id = `${PHOTOSHOOT_TRAIN_ID}${name}`;
    const mark = number ? make("b", {"aria-hidden": "true"}, String(number)) : null;
    const head = make("h3", {id: `${id}_head`, tabIndex: -1}, mark, title);
    return make("section", {id, class: "photoshoot-train-step", "aria-labelledby": head.id}, head, ...children);
}

function photoshootTrainFold(name, title, ...children) {
    const make = photoshootTrainMake;
    const head = make("summary", {}, title);
    return make("details", {id: `${PHOTOSHOOT_TRAIN_ID}${name}`, class: "photoshoot-train-fold"}, head,
        make("div", {}, ...children));
}

// An input with its label, and its help below.
function photoshootTrainField(input, label, help = "") {
    const make = photoshootTrainMake;
    const name = make("label", {htmlFor: input.id}, label);
    let about = null;
    if (help) {
        about = make("small", {id: `${input.id}_help`}, help);
        input.setAttribute("aria-describedby", about.id);
    }
    const ticked = input.type === "checkbox";
    return make("div", {class: `photoshoot-train-field${ticked ? " photoshoot-train-tick" : ""}`},
        ...(ticked ? [input, name] : [name, input]), about);
}

function photoshootTrainInput(name, properties = {}) {
    const id = `${PHOTOSHOOT_TRAIN_ID}${name}`;
    return photoshootTrainMake("input", {id, type: "text", autocomplete: "off", spellcheck: false, ...properties});
}

// `choices` are [value, label] pairs.
function photoshootTrainSelect(name, choices, properties = {}) {
    const options = choices.map(([value, label]) => photoshootTrainMake("option", {value}, label));
    return photoshootTrainMake("select", {id: `${PHOTOSHOOT_TRAIN_ID}${name}`, ...properties}, ...options);
}

// A button that does one thing at a time: while it does it, further clicks are not heard; what goes wrong is said in
// `status`, and afterwards it can be clicked again. It keeps the focus of the keyboard all the while.
function photoshootTrainButton(name, label, action, status = null, properties = {}) {
    const button = photoshootTrainMake("button", {
        id: `${PHOTOSHOOT_TRAIN_ID}${name}`, type: "button", class: "photoshoot-train-button", ...properties,
    }, label);
    button.onclick = async() => {
        if (button.getAttribute("aria-disabled") === "true") {
            return;
        }
        button.setAttribute("aria-disabled", "true");
        photoshootTrainSay(status, "");
        try {
            await action();
        } catch (error) {
            photoshootTrainSay(status, error.message, true);
        } finally {
            button.removeAttribute("aria-disabled");
        }
    };
    return button;
}

// Where sentences appear that the user waits for.
function photoshootTrainStatus(name) {
    return photoshootTrainMake("p", {
        id: `${PHOTOSHOOT_TRAIN_ID}${name}`, class: "photoshoot-train-status", role: "status", "aria-live": "polite",
    });
}

function photoshootTrainSay(status, text, wrong = false) {
    if (!status) {
        return;
    }
    if (status.textContent !== text) {
        status.textContent = text;
    }
    status.classList.toggle("photoshoot-train-wrong", wrong && text !== "");
}

function photoshootTrainNote(text, wrong = false) {
    return photoshootTrainMake("p", {class: `photoshoot-train-note${wrong ? " photoshoot-train-wrong" : ""}`}, text);
}

// A bar for a share of 0 to 1; null where nobody knows how long it takes.
function photoshootTrainBar(name, label) {
    const make = photoshootTrainMake;
    return make("div", {
        id: `${PHOTOSHOOT_TRAIN_ID}${name}`, class: "photoshoot-train-bar", role: "progressbar", "aria-label": label,
        "aria-valuemin": 0, "aria-valuemax": 100, hidden: true,
    }, make("i"));
}

function photoshootTrainFill(bar, share, text = "") {
    bar.classList.toggle("photoshoot-train-unknown", share === null);
    const percent = Math.round(1000 * Math.min(Math.max(share ?? 0, 0), 1)) / 10;
    bar.firstChild.style.width = share === null ? "" : `${percent}%`;
    if (share === null) {
        bar.removeAttribute("aria-valuenow");
    } else {
        bar.setAttribute("aria-valuenow", percent);
    }
    bar.setAttribute("aria-valuetext", text || `${percent} %`);
}

function photoshootTrainRow(...children) {
    return photoshootTrainMake("div", {class: "photoshoot-train-row"}, ...children);
}

// Takes effect once nothing more came for so many milliseconds.
function photoshootTrainLater(action, pause) {
    let timer;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(action, pause);
    };
}

function photoshootTrainCount(number, one, many = `${one}s`) {
    return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function photoshootTrainTime(seconds) {
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

// A value of a recipe.
function photoshootTrainWords(value) {
    if (typeof value === "boolean") {
        return value ? "on" : "off";
    }
    return (Array.isArray(value) ? value.join("\n") : String(value)) || "none";
}

function photoshootTrainDate(seconds) {
    return new Date(seconds * 1000).toLocaleString([], {dateStyle: "medium", timeStyle: "short"});
}

// What the pages of the Photoshoot tab are made of: elements, labelled inputs, and buttons that cannot get stuck.

// An element. Properties that the element has are set as such, others as attributes; text is always escaped.
export function make(tag, properties = {}, ...children) {
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

// The parts of one page that have an id, which begins with the page's own.
export class Parts {
    constructor(prefix) {
        this.prefix = prefix;
    }

    id(name) {
        return this.prefix + name;
    }

    // An element with an id.
    make(tag, name, properties = {}, ...children) {
        return make(tag, {id: this.id(name), ...properties}, ...children);
    }

    // One numbered step of the page.
    step(name, number, title, ...children) {
        const mark = make("b", {"aria-hidden": "true"}, String(number));
        const head = this.make("h3", `${name}_head`, {tabIndex: -1}, mark, title);
        return this.make("section", name, {class: "photoshoot-page-step", "aria-labelledby": head.id}, head,
            ...children);
    }

    fold(name, title, ...children) {
        return this.make("details", name, {class: "photoshoot-page-fold"}, make("summary", {}, title),
            make("div", {}, ...children));
    }

    input(name, properties = {}) {
        return this.make("input", name, {type: "text", autocomplete: "off", spellcheck: false, ...properties});
    }

    // `choices` are [value, label] pairs.
    select(name, choices, properties = {}) {
        return this.make("select", name, properties, ...options(choices));
    }

    // A button that does one thing at a time: while it does it, further clicks are not heard; what goes wrong is said
    // in `status`, and afterwards it can be clicked again. It keeps the focus of the keyboard all the while.
    button(name, label, action, status = null, {primary = false, ...properties} = {}) {
        const look = `photoshoot-page-button${primary ? " photoshoot-page-primary" : ""}`;
        const button = this.make("button", name, {type: "button", class: look, ...properties}, label);
        button.onclick = async() => {
            if (button.getAttribute("aria-disabled") === "true") {
                return;
            }
            button.setAttribute("aria-disabled", "true");
            await attempt(action, status);
            button.removeAttribute("aria-disabled");
        };
        return button;
    }

    // Where sentences appear that the user waits for.
    status(name) {
        return this.make("p", name, {class: "photoshoot-page-status", role: "status", "aria-live": "polite"});
    }

    // A bar for a share of 0 to 1; null where nobody knows how long it takes.
    bar(name, label) {
        return this.make("div", name, {
            class: "photoshoot-page-bar", role: "progressbar", "aria-label": label,
            "aria-valuemin": 0, "aria-valuemax": 100, hidden: true,
        }, make("i"));
    }
}

export function options(choices) {
    return choices.map(([value, label]) => make("option", {value}, label));
}

// An input with its label, and its help below.
export function labelled(input, label, about = "") {
    const name = make("label", {htmlFor: input.id}, label);
    const small = about ? make("small", {id: `${input.id}_help`}, about) : null;
    if (small) {
        input.setAttribute("aria-describedby", small.id);
    }
    const ticked = input.type === "checkbox";
    return make("div", {class: `photoshoot-page-field${ticked ? " photoshoot-page-tick" : ""}`},
        ...(ticked ? [input, name] : [name, input]), small);
}

// Text that is there already is left alone, so that no screen reader says it again.
export function say(node, text, wrong = false) {
    if (!node) {
        return;
    }
    if (node.textContent !== text) {
        node.textContent = text;
    }
    node.classList.toggle("photoshoot-page-wrong", wrong && text !== "");
}

// Do it; what goes wrong is said in `status`.
export async function attempt(action, status) {
    say(status, "");
    try {
        await action();
    } catch (error) {
        say(status, error.message, true);
    }
}

export function note(text, wrong = false) {
    return make("p", {class: `photoshoot-page-note${wrong ? " photoshoot-page-wrong" : ""}`}, text);
}

export function fill(bar, share, text = "") {
    bar.classList.toggle("photoshoot-page-unknown", share === null);
    const percent = Math.round(1000 * Math.min(Math.max(share ?? 0, 0), 1)) / 10;
    bar.firstChild.style.width = share === null ? "" : `${percent}%`;
    if (share === null) {
        bar.removeAttribute("aria-valuenow");
    } else {
        bar.setAttribute("aria-valuenow", percent);
    }
    bar.setAttribute("aria-valuetext", text || `${percent} %`);
}

export function line(...children) {
    return make("div", {class: "photoshoot-page-row"}, ...children);
}

// The same with inputs among the buttons.
export function inputLine(...children) {
    return make("div", {class: "photoshoot-page-row photoshoot-page-row-end"}, ...children);
}

export function help(...children) {
    return make("p", {class: "photoshoot-page-help"}, ...children);
}

// Texts, or [text, class] pairs, as the items of a list.
export function items(texts) {
    return texts.map(text => Array.isArray(text) ? make("li", {class: text[1]}, text[0]) : make("li", {}, text));
}

const shown = new WeakMap();

// Give an element other children where `data`, which they show, is not what it was: so that a focus, a place in a list
// and a picture stay. `build` returns the children.
export function renew(node, data, build) {
    const text = JSON.stringify(data);
    if (shown.get(node) !== text) {
        shown.set(node, text);
        node.replaceChildren(...build());
    }
}

// Put a value into a set, or take it out.
export function toggle(set, value, on) {
    set[on ? "add" : "delete"](value);
}

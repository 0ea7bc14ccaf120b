// What the pages of the Photoshoot tab are made of: elements, labelled inputs, buttons that cannot get stuck, and
// figures in words.

// An element. Properties that the element has are set as such, others as attributes; text is always escaped.
function photoshootMake(tag, properties = {}, ...children) {
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
class PhotoshootParts {
    constructor(prefix) {
        this.prefix = prefix;
    }

    id(name) {
        return this.prefix + name;
    }

    // One numbered step of the page.
    step(name, number, title, ...children) {
        const id = this.id(name);
        const mark = number ? photoshootMake("b", {"aria-hidden": "true"}, String(number)) : null;
        const head = photoshootMake("h3", {id: `${id}_head`, tabIndex: -1}, mark, title);
        return photoshootMake("section", {id, class: "photoshoot-page-step", "aria-labelledby": head.id}, head,
            ...children);
    }

    fold(name, title, ...children) {
        return photoshootMake("details", {id: this.id(name), class: "photoshoot-page-fold"},
            photoshootMake("summary", {}, title), photoshootMake("div", {}, ...children));
    }

    input(name, properties = {}) {
        return photoshootMake("input", {
            id: this.id(name), type: "text", autocomplete: "off", spellcheck: false, ...properties,
        });
    }

    // `choices` are [value, label] pairs.
    select(name, choices, properties = {}) {
        const options = choices.map(([value, label]) => photoshootMake("option", {value}, label));
        return photoshootMake("select", {id: this.id(name), ...properties}, ...options);
    }

    // A button that does one thing at a time: while it does it, further clicks are not heard; what goes wrong is said
    // in `status`, and afterwards it can be clicked again. It keeps the focus of the keyboard all the while.
    button(name, label, action, status = null, properties = {}) {
        const button = photoshootMake("button", {
            id: this.id(name), type: "button", class: "photoshoot-page-button", ...properties,
        }, label);
        button.onclick = async() => {
            if (button.getAttribute("aria-disabled") === "true") {
                return;
            }
            button.setAttribute("aria-disabled", "true");
            photoshootSay(status, "");
            try {
                await action();
            } catch (error) {
                photoshootSay(status, error.message, true);
            } finally {
                button.removeAttribute("aria-disabled");
            }
        };
        return button;
    }

    // Where sentences appear that the user waits for.
    status(name) {
        return photoshootMake("p", {
            id: this.id(name), class: "photoshoot-page-status", role: "status", "aria-live": "polite",
        });
    }

    // A bar for a share of 0 to 1; null where nobody knows how long it takes.
    bar(name, label) {
        return photoshootMake("div", {
            id: this.id(name), class: "photoshoot-page-bar", role: "progressbar", "aria-label": label,
            "aria-valuemin": 0, "aria-valuemax": 100, hidden: true,
        }, photoshootMake("i"));
    }
}

// An input with its label, and its help below.
function photoshootField(input, label, help = "") {
    const name = photoshootMake("label", {htmlFor: input.id}, label);
    let about = null;
    if (help) {
        about = photoshootMake("small", {id: `${input.id}_help`}, help);
        input.setAttribute("aria-describedby", about.id);
    }
    const ticked = input.type === "checkbox";
    return photoshootMake("div", {class: `photoshoot-page-field${ticked ? " photoshoot-page-tick" : ""}`},
        ...(ticked ? [input, name] : [name, input]), about);
}

function photoshootSay(status, text, wrong = false) {
    if (!status) {
        return;
    }
    if (status.textContent !== text) {
        status.textContent = text;
    }
    status.classList.toggle("photoshoot-page-wrong", wrong && text !== "");
}

function photoshootNote(text, wrong = false) {
    return photoshootMake("p", {class: `photoshoot-page-note${wrong ? " photoshoot-page-wrong" : ""}`}, text);
}

function photoshootFill(bar, share, text = "") {
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

function photoshootRow(...children) {
    return photoshootMake("div", {class: "photoshoot-page-row"}, ...children);
}

// Takes effect once nothing more came for so many milliseconds.
function photoshootLater(action, pause) {
    let timer;
    return () => {
        clearTimeout(timer);
        timer = setTimeout(action, pause);
    };
}

function photoshootCount(number, one, many = `${one}s`) {
    return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function photoshootTime(seconds) {
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

function photoshootDate(seconds) {
    return new Date(seconds * 1000).toLocaleString([], {dateStyle: "medium", timeStyle: "short"});
}

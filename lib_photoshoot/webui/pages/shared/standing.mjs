// How a run stands: its state and what was said last, how far it is, and figures.

import {fill, line, make, renew, say} from "./elements.mjs";

// What the server says of a run that ended well.
const NO_MORE = "Finished.";

export class Standing {
    // `about` is what the bar is of.
    constructor(parts, about) {
        this.state = parts.make("b", "run_state", {role: "status", "aria-live": "polite"});
        this.name = parts.make("span", "run_name");
        this.message = parts.make("p", "run_message", {"aria-live": "polite"});
        this.bar = parts.bar("run_bar", about);
        this.figures = parts.make("dl", "run_figures", {class: "photoshoot-page-figures"});
        this.nodes = [line(this.state, this.name), this.message, this.bar, this.figures];
    }

    // `words` are the state's; a message that says no more than any do is not shown.
    show(words, name, message, wrong) {
        say(this.state, words);
        this.name.textContent = name;
        this.message.className = `photoshoot-page-message${wrong ? " photoshoot-page-failure" : ""}`;
        say(this.message, message);
        this.message.hidden = !message || message === NO_MORE;
    }

    // `pairs` are [label, text]; for `share` and `text` see fill().
    measure(share, text, pairs) {
        fill(this.bar, share, text);
        renew(this.figures, pairs, () => pairs.map(([label, value]) =>
            make("div", {}, make("dt", {}, label), make("dd", {}, value))));
    }
}

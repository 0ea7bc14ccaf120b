// All of ours that the WebUI's page loads at its start. The rest are modules (lib_photoshoot/webui/pages), which are
// loaded when their page is first seen or their button first pressed.

"use strict";

{
    const modules = {}; // by name: promises
    const failures = {}; // by name: how often it could not be loaded

    // The server answers with the address of its own version, so that an update is seen; a browser may remember that
    // an address failed, so another try has another one.
    async function load(name) {
        const again = failures[name] ? `?${failures[name]}` : "";
        modules[name] ??= import(new URL(`photoshoot/v1/web/${name}${again}`, document.baseURI));
        try {
            return await modules[name];
        } catch (error) {
            delete modules[name];
            failures[name] = (failures[name] ?? 0) + 1;
            throw error;
        }
    }

    // The text in the user's language; the host gives its page the texts of all language packs as one object.
    const translated = text => globalThis.localization?.[text] ?? text;

    // For the events that Python names: photoshoot.run("panel/actions.mjs", "download", ...).
    globalThis.photoshoot = {run: async(name, action, ...values) => (await load(name))[action](...values)};

    // An element names the module that fills it.
    async function open(root) {
        const page = await load(root.dataset.photoshootPage).catch(() => null);
        if (page) {
            page.open(root);
            return;
        }
        const again = Object.assign(document.createElement("button"), {
            type: "button", textContent: translated("Try again"), onclick: () => open(root),
        });
        root.replaceChildren(translated("This page cannot be loaded; check that the WebUI still runs."), " ", again);
    }

    function openWhenSeen() {
        const seen = new IntersectionObserver(entries => {
            for (const {target} of entries.filter(entry => entry.isIntersecting)) {
                seen.unobserve(target);
                open(target);
            }
        });
        gradioApp().querySelectorAll("[data-photoshoot-page]").forEach(root => seen.observe(root));
    }

    // gradio 3's accordions are plain <div>s: give ours what keyboards and screen readers need; gradio 4's heads are
    // buttons. The panel's own head holds the host's checkbox, which switches the filter on without opening the panel:
    // in a <div>, the arrow is the button.
    function nameAccordions(tab) {
        for (const head of gradioApp().querySelectorAll(`#photoshoot_${tab}_enabled .label-wrap`)) {
            const checkbox = head.querySelector("input");
            const plain = !head.matches("button");
            const button = plain && checkbox ? head.querySelector(":scope > .icon") : head;
            if (checkbox) {
                const name = head.querySelector("span").textContent.trim();
                checkbox.setAttribute("aria-label", name);
                button.setAttribute("aria-label", `${name}: ${translated("settings")}`);
            }
            const tell = () => button.setAttribute("aria-expanded", head.classList.contains("open"));
            if (plain) {
                button.tabIndex = 0;
                button.setAttribute("role", "button");
                button.addEventListener("keydown", event => {
                    if (event.key === "Enter" || event.key === " ") {
                        event.preventDefault();
                        head.click();
                    }
                });
            }
            new MutationObserver(tell).observe(head, {attributes: true, attributeFilter: ["class"]});
            tell();
        }
    }

    // Without a product there is nothing to preview. Element ids come from element_id() in
    // lib_photoshoot/webui/interface/widgets.py.
    function needProducts(tab) {
        const part = (name, inside = "") => gradioApp().querySelector(`#photoshoot_${tab}_${name}${inside}`);
        const empty = !part("products", " textarea")?.value.trim();
        for (const button of [part("preview"), part("preview_file")]) {
            if (button && button.disabled !== empty) {
                button.disabled = empty;
                button.title = empty ? translated("Name a product first") : "";
            }
        }
    }

    const inBothTabs = action => () => ["txt2img", "img2img"].forEach(action);
    onUiLoaded(openWhenSeen);
    if (Object.keys(globalThis.localization ?? {}).length) {
        onUiLoaded(() => globalThis.photoshoot.run("panel/texts.mjs", "follow"));
    }
    onUiLoaded(inBothTabs(nameAccordions));
    onAfterUiUpdate(inBothTabs(needProducts));
    document.addEventListener("input", inBothTabs(needProducts));
}

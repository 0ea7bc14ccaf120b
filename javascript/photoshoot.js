// The panel's small client side. Element ids come from element_id() in lib_photoshoot/webui/hosts/a1111/widgets.py.

const PHOTOSHOOT_TABS = ["txt2img", "img2img"];

function photoshootElement(tab, part, selector = "") {
    return gradioApp().querySelector(`#photoshoot_${tab}_${part} ${selector}`.trim());
}

// For the preview: the selected picture of the gallery, or the first that is no grid.
function photoshootPicture(gallery, generationInfo, ...values) {
    let first = 0;
    try {
        first = JSON.parse(generationInfo).index_of_first_image ?? 0;
    } catch {
        // No generation yet, or one whose information is shown elsewhere.
    }
    const pictures = gallery ?? [];
    const index = Math.max(selected_gallery_index(), first);
    const picture = pictures[index] ?? pictures[0];
    return [picture ? [picture] : [], "", ...values];
}

function photoshootConfirmDelete(name) {
    return [name && confirm(`Delete the preset "${name}"?`) ? name : ""];
}

// Offers the settings as a file; `packed` is JSON with its name and text.
function photoshootDownload(packed) {
    if (!packed) {
        return;
    }
    const {name, text} = JSON.parse(packed);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
}

// As if typed, so that the browser's undo brings the old prompt back.
function photoshootWritePrompt(tab, text) {
    const box = gradioApp().querySelector(`#${tab}_prompt textarea`);
    if (!text || !box) {
        return;
    }
    box.focus();
    box.select();
    if (!document.execCommand("insertText", false, text)) {
        box.value = text;
    }
    updateInput(box);
}

// Accordions of this gradio are plain <div>s: give ours what keyboards and screen readers need. The panel's own head
// holds the host's checkbox, which switches the filter on without opening the panel: there the arrow is the button.
function photoshootAccordions(tab) {
    const panel = gradioApp().querySelector(`#photoshoot_${tab}_enabled`);
    for (const head of panel?.querySelectorAll(".label-wrap") ?? []) {
        const checkbox = head.querySelector("input");
        const button = checkbox ? head.querySelector(":scope > .icon") : head;
        if (checkbox) {
            const name = head.querySelector("span").textContent.trim();
            checkbox.setAttribute("aria-label", name);
            button.setAttribute("aria-label", `${name}: settings`);
        }
        const tell = () => button.setAttribute("aria-expanded", head.classList.contains("open"));
        button.tabIndex = 0;
        button.setAttribute("role", "button");
        button.addEventListener("keydown", (event) => {
            if (event.key === "Enter" || event.key === " ") {
                event.preventDefault();
                head.click();
            }
        });
        new MutationObserver(tell).observe(head, {attributes: true, attributeFilter: ["class"]});
        tell();
    }
}

// Without a product there is nothing to preview.
function photoshootNeedsProducts(tab) {
    const empty = !photoshootElement(tab, "products", "textarea")?.value.trim();
    for (const part of ["preview", "preview_file"]) {
        const button = photoshootElement(tab, part);
        if (button && button.disabled !== empty) {
            button.disabled = empty;
            button.title = empty ? "Name a product first" : "";
        }
    }
}

onUiLoaded(() => PHOTOSHOOT_TABS.forEach(photoshootAccordions));
onAfterUiUpdate(() => PHOTOSHOOT_TABS.forEach(photoshootNeedsProducts));
document.addEventListener("input", () => PHOTOSHOOT_TABS.forEach(photoshootNeedsProducts));

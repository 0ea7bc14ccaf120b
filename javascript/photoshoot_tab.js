// The tab's small client side. Its HTML comes from lib_photoshoot/webui/folder/gallery.py and is replaced with each page, so
// one listener for the whole page hears all of it.

let photoshootChosenCard = 0;

function photoshootChosen() {
    return photoshootChosenCard;
}

function photoshootOpenInpaint() {
    const named = (selector, name) => Array.from(gradioApp().querySelectorAll(`${selector} > .tab-nav > button`))
        .find(button => button.textContent.trim() === name);
    named("#tabs", "img2img")?.click();
    named("#mode_img2img", "Inpaint upload")?.click();
    return [];
}

document.addEventListener("input", event => {
    const compare = event.target.closest?.(".photoshoot-tab-compare");
    compare?.style.setProperty("--at", `${event.target.value}%`);
});

document.addEventListener("click", event => {
    const card = event.target.closest?.("[data-photoshoot-send]");
    if (card) {
        photoshootChosenCard = Number(card.dataset.photoshootSend);
        gradioApp().querySelector("#photoshoot_tab_send")?.click();
    }
});

// Style sheets that come with a module instead of with the WebUI's page.

// Resolves once the sheets beside the module at `base` are in effect, or cannot be had: a plain page is better than
// none.
export function styled(base, ...names) {
    return Promise.all(names.map(name => sheet(new URL(name, base).href)));
}

function sheet(href) {
    const sheets = Array.from(document.querySelectorAll("link[rel=stylesheet]"));
    if (sheets.some(one => one.href === href)) {
        return null;
    }
    const link = Object.assign(document.createElement("link"), {rel: "stylesheet", href});
    const settled = new Promise(resolve => {
        link.onload = link.onerror = resolve;
    });
    // After the host's, and before the user's own.
    document.body.insertBefore(link, sheets.find(one => /\buser\.css\b/.test(one.href)) ?? null);
    return settled;
}

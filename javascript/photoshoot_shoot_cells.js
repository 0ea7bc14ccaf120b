// Cells that come from elsewhere: the clipboard of a spreadsheet, and files.

const PHOTOSHOOT_SHOOT_KINDS = {csv: "csv", tsv: "csv", txt: "csv", yaml: "yaml", yml: "yaml"};

// Copied cells as lists of texts, one for each row. Spreadsheets put cells that hold tabs or line breaks in quotes.
function photoshootShootGrid(text) {
    const cell = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/y;
    const whole = text.replace(/(\r\n|\n|\r)$/, "");
    const grid = [[]];
    for (let end = false; !end;) {
        const [, quoted, bare, separator] = cell.exec(whole);
        grid.at(-1).push(photoshootShootWords(quoted === undefined ? bare : quoted.replaceAll('""', '"')));
        end = separator === "";
        if (!end && separator !== "\t") {
            grid.push([]);
        }
    }
    return grid;
}

// The field names, where the first row holds nothing but such; else null.
function photoshootShootHeader(grid, names) {
    const header = grid[0].map(text => text.toLowerCase().replaceAll(" ", "_"));
    return grid.length > 1 && header.includes("name") && header.every(name => names.includes(name)) ? header : null;
}

// The text of a list's file, and "csv" or "yaml". Throws a sentence.
async function photoshootShootRead(file) {
    const kind = PHOTOSHOOT_SHOOT_KINDS[file.name.split(".").pop().toLowerCase()];
    if (!kind) {
        throw new Error(`${file.name} is neither CSV nor YAML; save the spreadsheet as CSV.`);
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (bytes[0] === 0xff && bytes[1] === 0xfe) {
        return {text: new TextDecoder("utf-16le").decode(bytes), kind};
    }
    try {
        return {text: new TextDecoder("utf-8", {fatal: true}).decode(bytes), kind};
    } catch {
        // What older spreadsheets on Windows write.
        return {text: new TextDecoder("windows-1252").decode(bytes), kind};
    }
}

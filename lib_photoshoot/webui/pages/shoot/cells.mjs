// Cells that come from elsewhere: the clipboard of a spreadsheet, and files.

import {t} from "../shared/words.mjs";

const KINDS = {csv: "csv", tsv: "csv", txt: "csv", yaml: "yaml", yml: "yaml"};

// A name as the server reads it.
export function tidied(text) {
    return (text ?? "").trim().replace(/\s+/g, " ");
}

// Copied cells as lists of texts, one for each row. Spreadsheets put cells that hold tabs or line breaks in quotes.
export function gridOf(text) {
    const cell = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/y;
    const whole = text.replace(/(\r\n|\n|\r)$/, "");
    const grid = [[]];
    for (let end = false; !end;) {
        const [, quoted, bare, separator] = cell.exec(whole);
        grid.at(-1).push(tidied(quoted === undefined ? bare : quoted.replaceAll('""', '"')));
        end = separator === "";
        if (!end && separator !== "\t") {
            grid.push([]);
        }
    }
    return grid;
}

// The field names, where the first row holds nothing but such; else null.
export function headerOf(grid, names) {
    const header = grid[0].map(text => text.toLowerCase().replaceAll(" ", "_"));
    return grid.length > 1 && header.includes("name") && header.every(name => names.includes(name)) ? header : null;
}

// The text of a list's file, and "csv" or "yaml". Throws a sentence.
export async function readList(file) {
    const kind = KINDS[file.name.split(".").pop().toLowerCase()];
    if (!kind) {
        throw new Error(t("{file} is neither CSV nor YAML; save the spreadsheet as CSV.", {file: file.name}));
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

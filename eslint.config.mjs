// The rules for the scripts of the WebUI's pages; .ci/run applies them.

const named = (...names) => Object.fromEntries(names.map(name => [name, "readonly"]));
const host = named("gradioApp", "onAfterUiUpdate", "onUiLoaded", "selected_gallery_index", "updateInput");
const browser = named("Blob", "IntersectionObserver", "MutationObserver", "Node", "NodeFilter", "ResizeObserver",
    "TextDecoder", "URL", "URLSearchParams", "addEventListener", "clearTimeout", "confirm", "document", "fetch",
    "localStorage", "location", "requestAnimationFrame", "setTimeout", "window");

export default [
    {ignores: [".venv*/", "lib_photoshoot/pages/"]}, // the picture page's parts share their names, as one script
    {
        languageOptions: {ecmaVersion: 2022, globals: {...host, ...browser}},
        linterOptions: {reportUnusedDisableDirectives: "error"},
        rules: Object.fromEntries([
            "constructor-super", "curly", "eqeqeq", "getter-return", "no-cond-assign", "no-const-assign",
            "no-dupe-class-members", "no-dupe-keys", "no-else-return", "no-import-assign", "no-redeclare",
            "no-self-assign", "no-shadow", "no-this-before-super", "no-undef", "no-unreachable",
            "no-unused-private-class-members", "no-unused-vars", "no-useless-return", "no-var", "object-shorthand",
            "prefer-const", "prefer-template",
        ].map(rule => [rule, "error"])),
    },
    {files: ["javascript/*.js"], languageOptions: {sourceType: "script"}},
    {files: ["tests/**/*.mjs"], languageOptions: {globals: named("File", "Response")}},
];

/*
 * evidence.js: one line exactly as it was received, and what vouches for it.
 */
import {element} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {count, moment} from "../lib/format.js";
import {classWords} from "../lib/words.js";

function indented(text) {
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return null;
    }
}

function fact(label, ...value) {
    return [element("dt", null, label), element("dd", null, ...value)];
}

function kindNote(line) {
    if (line.kind === "repeat") {
        return element("p", {class: "note"}, "The same bytes had been kept ",
            "before, in ", element("a", {href: `#/evidence/${line.repeats}`},
                `line ${line.repeats}`), "; they are shown again here.");
    }
    if (line.kind === "oversize") {
        return element("p", {class: "note"}, "The line was over 8 MB. Its ",
            `length (${count(line.length)} bytes), its hash and its first `,
            "64 KB are kept.");
    }
    if (line.shown_bytes < line.length) {
        return element("p", {class: "note"}, `The line has `,
            `${count(line.length)} bytes, of which the first are shown; `,
            element("code", null, `assay evidence show ${line.line}`),
            " prints it whole.");
    }
    return null;
}

function blockFacts(block) {
    if (!block) {
        return null;
    }
    return [
        fact("Block", `${block.number}, ${block.state}`),
        fact("SHA-256 of the block", element("code", {class: "long"},
            block.sha256)),
        fact("Chain up to it", element("code", {class: "long"},
            block.chain || "once the block is sealed")),
    ];
}

function texts(line) {
    if (line.text === null || line.text === undefined) {
        return [element("p", {class: "note"}, "These bytes are not UTF-8; " +
            "here they are in base64."),
        element("pre", {class: "line", tabindex: "0"}, line.base64)];
    }
    const readable = indented(line.text);
    return [
        element("pre", {class: "line", tabindex: "0"}, line.text),
        readable === null ? element("p", {class: "note"},
            "This line is not JSON.") : null,
        readable === null || line.text.includes("\n") ? null
            : element("details", {open: true},
                element("summary", null, "The same, indented for reading"),
                element("pre", {tabindex: "0"}, readable)),
    ];
}

export async function evidencePage({argument, signal}) {
    const line = await get(`/v1/evidence/lines/${argument}`, null, signal);
    return element("div", null,
        element("h1", null, `Evidence, line ${line.line}`),
        element("p", {class: "lead"}, "The exact bytes as they arrived; " +
            "invisible characters are written as ⟨U+202E⟩."),
        kindNote(line), texts(line),
        element("h2", null, "What vouches for it"),
        element("dl", {class: "facts"},
            fact("Feed", line.source, line.org ? `, ${line.org}` : ""),
            fact("Class", classWords(line.class)),
            fact("Arrived", moment(line.arrival)),
            fact("Event time", moment(line.event_time, "no readable time")),
            fact("Length", `${count(line.length)} bytes`),
            fact("SHA-256 of the line", element("code", {class: "long"},
                line.sha256)),
            blockFacts(line.block),
            fact("Check it", element("code", null,
                "assay evidence verify"))));
}

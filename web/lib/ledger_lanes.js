/*
 * ledger_lanes.js: planned runs over time, a lane for each orchestrator: what
 * was run and how it ended, what was skipped. Shape and colour say the same; a
 * list with the same rows stands elsewhere, so the marks are not in the way of
 * the keyboard.
 */
import {element} from "./dom.js";
import {clock, count, day, plural} from "./format.js";
import {runAddress} from "./run_list.js";
import {skipWords} from "./words.js";

const LANES_MAX = 24;

/* How a row of the ledger is shown: {kind, word, meaning}. */
export function decisionOf(row) {
    if (row.state === "started") {
        return {kind: "started", tone: "none", word: "under way",
            meaning: "the run has begun"};
    }
    if (row.state === "skipped") {
        return {kind: row.reason === "busy" ? "busy" : "skipped",
            tone: row.reason === "busy" ? "fair" : "none",
            word: `skipped, ${(row.reason ?? "").replaceAll("_", " ")}`,
            meaning: skipWords(row.reason)};
    }
    const judged = row.state === "ended" ? "the run has ended; whether it is " +
        "set aside is not decided yet" : "the run was carried out";
    const kinds = {ok: ["ok", "good", "ok"], failed: ["failed", "bad",
        "failed"], busy: ["busy", "fair", "busy"]};
    const [kind, tone, word] = kinds[row.outcome] ??
        ["doubt", "none", (row.outcome ?? "executed").replaceAll("_", " ")];
    return {kind, tone, word, meaning: row.set_aside
        ? `measured as ${row.measured}, and set aside by the plan's rule`
        : judged};
}

const LEGEND = [["ok", "run, delivered"], ["failed", "run, failed"],
    ["busy", "busy: no idle capacity was left"],
    ["skipped", "skipped for another reason"], ["doubt", "run, not judged"],
    ["started", "under way"]];

function tally(rows) {
    const counts = new Map();
    for (const row of rows) {
        const {kind} = decisionOf(row);
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return counts;
}

function timeText(ms) {
    return `${day(ms)} ${clock(ms, false)}`;
}

function markOf(row, place) {
    const {kind, word} = decisionOf(row);
    const at = Date.parse(row.due_at);
    const attributes = {class: `run-mark ${kind}`, tabindex: "-1",
        "aria-hidden": "true", style: {left: `${place(at)}%`},
        title: `${clock(at)} UTC: ${word}`};
    return row.run_id
        ? element("a", {...attributes, href: runAddress(row.run_id)})
        : element("span", attributes);
}

function laneWords(name, rows) {
    const parts = [...tally(rows)].map(([kind, number]) =>
        `${count(number)} ${kind}`);
    return `${name}: ${parts.join(", ")}`;
}

function lane(name, href, rows, place) {
    const label = typeof name === "string" ? name : name.textContent;
    return element("li", {"aria-label": laneWords(label, rows)},
        element("a", {class: "label", href}, name),
        element("span", {class: "lane"},
            rows.map((row) => markOf(row, place))));
}

function ends(first, last) {
    return element("p", {class: "ends", "aria-hidden": "true"},
        element("span", null, `${timeText(first)} UTC`),
        element("span", null, timeText(last)));
}

function legend(rows) {
    const counts = tally(rows);
    return element("p", {class: "legend"}, LEGEND
        .filter(([kind]) => counts.has(kind))
        .map(([kind, words]) => element("span", null,
            element("span", {class: `run-mark ${kind}`,
                "aria-hidden": "true"}),
            element("strong", null, count(counts.get(kind))), ` ${words}`)));
}

/*
 * ROWS of the ledger, in any order. NAMES tells the orchestrator of a URL:
 * {node, href}. Null without rows.
 */
export function ledgerLanes(rows, names) {
    if (rows.length === 0) {
        return null;
    }
    const times = rows.map((row) => Date.parse(row.due_at));
    const first = Math.min(...times);
    const last = Math.max(...times, first + 60000);
    const place = (at) => 1 + 98 * (at - first) / (last - first);
    const lanes = Map.groupBy(rows, (row) => row.orchestrator_url);
    const shown = [...lanes].sort(([a], [b]) => a < b ? -1 : 1)
        .slice(0, LANES_MAX);
    return element("figure", {class: "lanes"},
        element("ol", null, shown.map(([url, of]) => {
            const {node, href} = names(url);
            return lane(node, href, of, place);
        })),
        ends(first, last), legend(rows),
        lanes.size > shown.length ? element("p", {class: "note"},
            `The first ${LANES_MAX} of `,
            plural(lanes.size, "orchestrator", "orchestrators"), ".") : null);
}

/*
 * overview.js: what is in the store, for someone who has never seen one.
 */
import {element, exact, table} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {bytes, count, hash, moment, plural, short, span}
    from "../lib/format.js";
import {classWords, familyWords, reasonWords} from "../lib/words.js";
import {scoreTable} from "../lib/score_table.js";
import {boardLegend, measuredBoard, namesOf} from "../lib/measured.js";
import {ledgerLanes} from "../lib/ledger_lanes.js";
import {countsOf, planPanel, skipList} from "../lib/plan_panel.js";

const PURPOSE = "assay keeps what gateways of the Livepeer AI network " +
    "report, line by line and unchanged, and recomputes the published " +
    "hourly SLA from it. Every number here leads to the lines under it.";

const MEASURED = "What is published of each orchestrator, and what short " +
    "test streams of our own found in the same hours. Every number leads to " +
    "the runs and events under it.";

function step(title, ...children) {
    return element("li", null, element("strong", null, title), ...children);
}

function emptyStore(health) {
    return element("div", null,
        element("h1", null, "The store is empty"),
        element("p", {class: "lead"}, PURPOSE),
        element("p", null, "Nothing has been imported into ",
            element("code", null, health.store.directory), " yet. To begin:"),
        element("ol", {class: "steps"},
            step("Stop this server", element("p", null,
                "Press Ctrl-C where it runs. The store has one writer at a " +
                "time, and a running server is it.")),
            step("Import what a gateway wrote",
                element("pre", null, element("code", null,
                    `assay import --data ${health.store.directory} ` +
                    "EVENTS.json")),
                element("p", null, "One event a line, a JSON array or an " +
                    "exported log; plain, gzip or zstd.")),
            step("Start it again", element("pre", null, element("code", null,
                `assay serve --data ${health.store.directory}`)))));
}

function tile(label, value, note, title) {
    return element("div", {class: "tile"},
        element("dt", null, label),
        element("dd", {title}, value,
            note ? element("small", null, note) : null));
}

function tiles(store) {
    const ratio = store.evidence_bytes > 0
        ? store.raw_bytes / store.evidence_bytes : null;
    return element("dl", {class: "tiles"},
        tile("Lines kept", count(store.lines),
            store.first_event
                ? span(store.first_event, store.last_event)
                : "no event time known"),
        tile("Sessions", count(store.sessions),
            element("a", {href: "#/sessions"}, "see them")),
        tile("Score rows", count(store.sla_rows),
            element("a", {href: "#/sla"}, "see them")),
        tile("Evidence on disk", bytes(store.evidence_bytes),
            ratio === null ? null
                : `${bytes(store.raw_bytes)} as received, ` +
                    `${short(ratio, 1)} times smaller`,
            `${count(store.evidence_bytes)} bytes`));
}

function arrivals(counts) {
    const number = (value) => exact(count(value), value);
    return table("What arrived, by class, reason and organisation", [
        {head: "Class", cell: (row) => element("span",
            {class: `class ${row.class}`}, classWords(row.class))},
        {head: "Why", class: "words", cell: (row) => [
            reasonWords(row.reason || row.class),
            row.reason && row.reason !== row.class
                ? [" ", element("code", {class: "quiet"}, row.reason)]
                : null]},
        {head: "Organisation", cell: (row) => row.org || "not known"},
        {head: "Received", class: "number",
            cell: (row) => number(row.received)},
        {head: "Without repeats", class: "number",
            cell: (row) => number(row.unique)},
    ], counts);
}

function familyTotals(families) {
    const totals = new Map();
    for (const row of families) {
        const entry = totals.get(row.family) ?? {family: row.family,
            unique: 0, orgs: []};
        entry.unique += row.unique;
        entry.orgs.push(`${row.org || "no organisation"} ` +
            count(row.unique));
        totals.set(row.family, entry);
    }
    return [...totals.values()].sort((a, b) => b.unique - a.unique);
}

function familyBars(families) {
    const totals = familyTotals(families);
    const most = Math.max(...totals.map((row) => row.unique), 1);
    return element("ul", {class: "bars"}, totals.map((row) =>
        element("li", null,
            element("code", null, row.family),
            element("span", {class: "amount", title: row.orgs.join(", ")},
                count(row.unique)),
            element("span", {class: "track", "aria-hidden": "true"},
                element("span", {style: {
                    width: `${100 * row.unique / most}%`}})),
            element("span", {class: "quiet"}, familyWords(row.family)))));
}

function feeds(rows) {
    return table("Feeds of evidence and their hash chains", [
        {head: "Feed", cell: (row) =>
            [row.source, row.org ? `, ${row.org}` : ""]},
        {head: "Class", cell: (row) => classWords(row.class)},
        {head: "Lines", class: "number", cell: (row) => count(row.lines)},
        {head: "As received", class: "number",
            cell: (row) => exact(bytes(row.raw_bytes), row.raw_bytes)},
        {head: "On disk", class: "number",
            cell: (row) => exact(bytes(row.stored_bytes), row.stored_bytes)},
        {head: "Last arrival", cell: (row) => moment(row.last_arrival)},
        {head: "Head of the chain", cell: (row) => row.chain
            ? hash(row.chain)
            : element("span", {class: "quiet"}, "nothing sealed yet")},
        {head: "Open block", cell: (row) => row.open_sha256
            ? hash(row.open_sha256)
            : element("span", {class: "quiet"}, "none")},
    ], rows);
}

function latest(rows) {
    if (rows.length === 0) {
        return element("p", null, "No session has been scored yet: a score " +
            "needs at least one session with status events.");
    }
    return [scoreTable(rows), element("p", {class: "more"},
        element("a", {href: "#/sla"}, "All scores"))];
}

/* ---- own runs ---------------------------------------------------------- */

function board(rows) {
    return element("section", {class: "close"}, measuredBoard(rows),
        boardLegend(), element("p", {class: "more"},
            element("a", {href: "#/runs"}, "All runs"), " · ",
            element("a", {href: "/v1/measured?format=csv"}, "this as CSV")));
}

function plans(answers, signal) {
    const list = answers.plans.data;
    const ledger = answers.ledger.data;
    if (list.length === 0) {
        return null;
    }
    const revealed = list.find((plan) => plan.seed && plan !== list[0]);
    return element("section", null,
        element("h2", null, "What was planned, and what became of it"),
        element("p", {class: "note"}, "At instants that nobody could know ",
            "before and everybody can check afterwards, and only where ",
            "capacity was idle."),
        ledgerLanes(ledger, namesOf(answers.measured.data)), 
        skipList(countsOf(ledger)),
        element("h3", null, "The plan under way"),
        planPanel(list[0], signal),
        revealed ? [element("h3", null, "The last one that was revealed"),
            planPanel(revealed, signal)] : null,
        element("p", {class: "more"}, element("a", {href: "#/ledger"},
            "All plans and planned runs")));
}

function measuredPart(answers, signal) {
    const rows = answers.measured.data;
    if (answers.plans.data.length === 0 &&
        rows.every((row) => row.runs === 0)) {
        return null;
    }
    return [element("h1", null, "Measured, beside what is published"),
        element("p", {class: "lead"}, MEASURED), board(rows),
        plans(answers, signal)];
}

async function ask(signal) {
    const [health, scores, measured, planned, ledger] = await Promise.all([
        get("/v1/health", null, signal),
        get("/v1/streaming/sla", {limit: 5}, signal),
        get("/v1/measured", {limit: 100}, signal),
        get("/v1/plan", {limit: 5}, signal),
        get("/v1/ledger", {limit: 400}, signal)]);
    return {health, scores, measured, plans: planned, ledger};
}

export async function overviewPage({signal}) {
    const answers = await ask(signal);
    const {health, scores} = answers;
    if (health.store.lines === 0) {
        return emptyStore(health);
    }
    const own = measuredPart(answers, signal);
    const title = (tag) => [
        element(tag, null, "What this store holds"),
        element("p", {class: own ? "note" : "lead"}, PURPOSE)];
    return element("div", null, own,
        own ? element("section", null, title("h2"), tiles(health.store))
            : [title("h1"), tiles(health.store)],
        element("section", null,
            element("h2", null, "Latest scores"), latest(scores.data)),
        element("section", null,
            element("h2", null, "What arrived"),
            element("p", {class: "note"}, "Nothing is dropped in silence: " +
                "what is not taken in is counted under the reason for it."),
            arrivals(health.counts)),
        element("section", null,
            element("h2", null, "Accepted, by family"),
            element("p", {class: "note"}, "The kinds of report that the " +
                "publisher takes in, repeats left out."),
            familyBars(health.families)),
        element("section", null,
            element("h2", null, "Evidence"),
            element("p", {class: "note"}, "The exact lines stand in " +
                "compressed blocks. The SHA-256 of each sealed block goes " +
                "into its feed's chain; the block still open has a hash of " +
                "its own. Together they vouch for " +
                `${plural(health.store.lines, "line", "lines")}. Check it: `,
                element("code", null, "assay evidence verify"), "."),
            feeds(health.feeds)));
}

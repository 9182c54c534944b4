/*
 * scores.js: the SLA, newest hour first, and how it developed.
 */
import {element} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {dayBounds, filterForm, olderButton} from "../lib/filters.js";
import {addScoreRows, scoreTable} from "../lib/score_table.js";
import {scoreChart} from "../lib/score_chart.js";

const FIELDS = [
    {name: "org", label: "Organisation", placeholder: "any"},
    {name: "orchestrator", label: "Orchestrator", placeholder: "0x…"},
    {name: "model", label: "Model", placeholder: "any"},
    {name: "from", label: "From day", placeholder: "2026-01-31"},
    {name: "to", label: "To day", placeholder: "2026-01-31"},
];

function nothing(query) {
    const filtered = [...query.keys()].length > 0;
    return element("p", {class: "lead"}, filtered
        ? "No row matches these filters."
        : "No session has been scored yet. A score needs at least one " +
          "session with status events: assay import FILE.");
}

function formula() {
    return element("p", {class: "formula"},
        element("strong", null, "score"), " = 100 × coverage × (0.7 × ",
        "reliability + 0.3 × quality). Quality compares latency and frame ",
        "rate with all rows of the same model in the seven days before; with ",
        "under 48 such rows each part stays at a neutral 0.5. Open a row to ",
        "see the arithmetic and its sessions.");
}

export async function scoresPage({query, signal}) {
    const filters = dayBounds(Object.fromEntries(query));
    const ask = (cursor) => get("/v1/streaming/sla",
        {limit: 50, ...filters, cursor}, signal);
    const first = await ask(null);
    const frame = scoreTable(first.data);
    const rows = [...first.data];
    const chart = element("div", null, scoreChart(rows));
    return element("div", null,
        element("h1", null, "Scores"),
        formula(),
        filterForm("#/sla", FIELDS, query),
        rows.length === 0 ? nothing(query) : [chart, frame],
        olderButton(first.pagination, async (cursor) => {
            const next = await ask(cursor);
            rows.push(...next.data);
            addScoreRows(frame, next.data);
            chart.replaceChildren(scoreChart(rows) ?? "");
            return next.pagination;
        }));
}

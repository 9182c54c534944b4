/*
 * score_table.js: rows of the SLA with their components, hour by hour.
 *
 * The two lines of the heading are the formula: score = coverage × (0.7 ×
 * reliability + 0.3 × quality). A row opens onto its arithmetic and the
 * sessions under it. On a narrow screen each row becomes a card (style.css);
 * explicit roles keep it a table for assistive technology there, too.
 */
import {element, exact, absent} from "./dom.js";
import {get} from "./api.js";
import {address, clock, count, day, fixed, gpu} from "./format.js";
import {agrees, workedScore} from "./score.js";
import {sessionList} from "./session_list.js";
import {nullScoreWords} from "./words.js";

const PARTS = [
    {key: "health_signal_coverage_ratio", label: "Coverage", weight: "×",
        title: "health signals seen, of those expected"},
    {key: "startup_success_rate", label: "Startup", weight: "0.4",
        title: "share of requested sessions that became playable"},
    {key: "no_swap_rate", label: "No swap", weight: "0.2",
        title: "share of requested sessions that kept their orchestrator"},
    {key: "output_viability_rate", label: "Viability", weight: "0.4",
        title: "share of requested sessions with usable output"},
    {key: "reliability_score", label: "Reliability", weight: "0.7",
        title: "0.4 startup + 0.2 no swap + 0.4 viability", sum: true},
    {key: "ptff_score", label: "PTFF", weight: "0.36",
        title: "prompt to first frame against the seven days before"},
    {key: "e2e_score", label: "E2E", weight: "0.24",
        title: "end-to-end latency against the seven days before"},
    {key: "fps_score", label: "FPS", weight: "0.4",
        title: "output frames per second against the seven days before"},
    {key: "quality_score", label: "Quality", weight: "0.3",
        title: "0.36 PTFF + 0.24 E2E + 0.4 FPS", sum: true},
];
const COLUMNS = PARTS.length + 4;

function heading() {
    const cell = (text, attributes) => element("th",
        {role: "columnheader", scope: "col", ...attributes}, text);
    const group = (text, columns) => cell(text,
        {colspan: columns, scope: "colgroup", class: "group"});
    return element("thead", {role: "rowgroup"},
        element("tr", {role: "row"},
            cell("Orchestrator, model, GPU", {rowspan: 2, class: "key"}),
            cell("Score", {rowspan: 2, class: "number"}),
            cell("", {class: "group", "aria-hidden": "true"}),
            group("Reliability", 4), group("Quality", 4),
            cell(["Requested", element("small", null, "sessions")],
                {rowspan: 2, class: "number", title: "requested sessions " +
                    "with status events in this hour"}),
            cell(["Benchmark", element("small", null, "rows")],
                {rowspan: 2, class: "number", title: "rows of the seven " +
                    "days before: PTFF, E2E, FPS; under 48 a part stays at " +
                    "the neutral 0.5"})),
        element("tr", {role: "row"}, PARTS.map((part) => cell(
            [part.sum ? "together" : part.label,
                element("small", null, part.sum
                    ? `× ${part.weight}` : part.weight)],
            {class: part.sum ? "number sum" : "number",
                title: part.title, "aria-label": part.label}))));
}

function keyCell(row) {
    const who = row.orchestrator_address
        ? address(row.orchestrator_address)
        : element("span", {class: "unknown", title: "no orchestrator could " +
            "be attributed; open the row for the reason"},
            "not attributed");
    return element("span", null, who,
        row.gpu_id ? [" · ", gpu(row.gpu_id)] : null,
        element("span", {class: "under"}, row.org, " · ",
            row.model_id || row.pipeline_id || "no model"));
}

function scoreCell(row) {
    if (row.sla_score === null) {
        return absent(nullScoreWords(row.null_reason));
    }
    return [exact(row.sla_score.toFixed(1), row.sla_score,
        {class: "score"}),
    element("span", {class: "track", "aria-hidden": "true"},
        element("span", {style: {width: `${row.sla_score}%`}}))];
}

function partCell(row, part) {
    const reason = row.requested_sessions === 0
        ? nullScoreWords(row.null_reason) : "no value in this hour";
    return element("td", {role: "cell", "data-label": part.label,
        class: part.sum ? "number sum" : "number"},
    fixed(row[part.key], 3, reason));
}

function benchmarkCell(row) {
    const rows = [row.ptff_benchmark_row_count, row.e2e_benchmark_row_count,
        row.fps_benchmark_row_count];
    const same = rows.every((one) => one === rows[0]);
    return exact(same ? count(rows[0]) : rows.map(count).join(" "),
        `PTFF ${rows[0]}, E2E ${rows[1]}, FPS ${rows[2]}`);
}

function stepRow(one) {
    const good = agrees(one.value, one.stored);
    return element("tr", {class: one.name === "sla_score" ? "result" : null},
        element("th", {scope: "row"}, one.label),
        element("td", {class: "words", "data-label": "is"}, one.formula),
        element("td", {class: "words numbers", "data-label": "here"},
            one.numbers),
        element("td", {class: "number", "data-label": "makes"},
            Number.isNaN(one.value) ? absent("not a number")
                : exact(one.value.toFixed(one.name === "sla_score" ? 2 : 4),
                    one.value)),
        element("td", {"data-label": "stored"}, good
            ? element("span", {class: "agrees", title: `stored: ${one.stored}`},
                "= stored")
            : element("span", {class: "differs"}, `stored: ${one.stored}`)));
}

function arithmetic(row) {
    const steps = workedScore(row);
    if (steps.length === 0) {
        return element("p", null,
            `No score: ${nullScoreWords(row.null_reason)}.`);
    }
    return element("table", {class: "sums"},
        element("caption", null, "The score, step by step. Each step was ",
            "computed again by this browser and compared with the store."),
        element("thead", null, element("tr", null,
            ["Part", "Formula", "With this row's numbers", "Result", ""].map(
                (text) => element("th", {scope: "col"}, text)))),
        element("tbody", null, steps.map(stepRow)));
}

function blankNote(row) {
    if (row.orchestrator_address) {
        return null;
    }
    const reasons = (row.attribution_reasons ?? []);
    return element("p", {class: "note"}, "No orchestrator stands here ",
        "because the sessions could not be attributed to one",
        reasons.length > 0 ? [": ", reasons.map((code, at) => [
            at > 0 ? ", " : null, element("code", null, code)])] : null,
        ". The published rows leave it blank, too. Each session below says ",
        "why.");
}

async function fillSessions(place, row) {
    try {
        const answer = await get("/v1/sessions", {
            hour: row.window_start, org: row.org,
            orchestrator: row.orchestrator_address,
            pipeline: row.pipeline_id, model: row.model_id ?? "",
            gpu: row.gpu_id ?? "", limit: 50});
        place.replaceChildren(answer.data.length > 0
            ? sessionList(answer.data, true)
            : element("p", null, "No session is stored under this row."));
    } catch (error) {
        place.replaceChildren(element("p", {class: "differs"},
            error.message));
    }
}

function detail(row) {
    const sessions = element("div", null, "…");
    fillSessions(sessions, row);
    return element("div", {class: "detail"}, blankNote(row), arithmetic(row),
        element("h3", null, "Sessions under this row"), sessions);
}

function opener(row, name, below) {
    const button = element("button", {type: "button", class: "open",
        "aria-expanded": "false", "aria-controls": name});
    button.append(keyCell(row));
    button.addEventListener("click", () => {
        const opening = below.hidden;
        if (opening && below.firstChild.childNodes.length === 0) {
            below.firstChild.append(detail(row));
        }
        below.hidden = !opening;
        button.setAttribute("aria-expanded", String(opening));
    });
    return button;
}

let opened = 0;

function rowPair(row) {
    opened += 1;
    const name = `row-${opened}`;
    const below = element("tr", {class: "below", id: name, role: "row",
        hidden: true}, element("td", {colspan: COLUMNS, role: "cell"}));
    return [element("tr", {role: "row", class: "row"},
        element("th", {scope: "row", role: "rowheader", class: "key"},
            opener(row, name, below)),
        element("td", {role: "cell", "data-label": "Score",
            class: "number score-cell"}, scoreCell(row)),
        PARTS.map((part) => partCell(row, part)),
        element("td", {role: "cell", "data-label": "Requested",
            class: "number"}, count(row.requested_sessions)),
        element("td", {role: "cell", "data-label": "Benchmark rows",
            class: "number"}, benchmarkCell(row))), below];
}

function hourRow(row) {
    const start = Date.parse(row.window_start);
    return element("tr", {role: "row", class: "hour"},
        element("th", {role: "rowheader", scope: "rowgroup",
            colspan: COLUMNS},
        element("time", {datetime: row.window_start},
            `${day(start)}, ${clock(start, false)}–` +
            `${clock(start + 3600000, false)} UTC`),
        row.provisional ? element("span", {class: "flag",
            title: "this day is not over; later events may change the row"},
        "provisional") : null,
        row.evidence_expired ? element("span", {class: "flag",
            title: "evidence of this day has expired; the row stands as it is"},
        "frozen") : null));
}

/* Appends ROWS to a table made by scoreTable, hour headings as needed. */
export function addScoreRows(frame, rows) {
    const body = frame.querySelector("tbody");
    for (const row of rows) {
        if (frame.dataset.hour !== row.window_start) {
            body.append(hourRow(row));
            frame.dataset.hour = row.window_start;
        }
        body.append(...rowPair(row));
    }
}

export function scoreTable(rows) {
    const frame = element("div", {class: "frame scores"},
        element("table", {role: "table"},
            element("caption", {class: "unseen"}, "SLA scores by hour, " +
                "orchestrator, model and GPU, newest first"),
            heading(), element("tbody", {role: "rowgroup"})));
    addScoreRows(frame, rows);
    return frame;
}

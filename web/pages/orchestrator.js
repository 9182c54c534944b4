/*
 * orchestrator.js: one orchestrator: what was measured and what is published,
 * side by side, over time, run by run, hour by hour.
 */
import {element} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {hash, moment} from "../lib/format.js";
import {ledgerLanes} from "../lib/ledger_lanes.js";
import {FIGURES, boardLegend, difference, keyOf, measuredBoard, namesOf,
    runsOf} from "../lib/measured.js";
import {skipList} from "../lib/plan_panel.js";
import {runList} from "../lib/run_list.js";
import {scoreTable} from "../lib/score_table.js";
import {timeChart} from "../lib/time_chart.js";

const SHOWN = 500;

const HOURLY = {output_fps: "avg_output_fps",
    ptff: "avg_prompt_to_first_frame_ms", first_segment: "avg_e2e_latency_ms"};

function pointsOf(rows, time, member) {
    return rows.filter((row) => row[member] !== null)
        .map((row) => ({at: Date.parse(row[time]), value: row[member]}));
}

function charts(runs, hours) {
    return FIGURES.map((figure) => timeChart(figure,
        pointsOf(runs, "started_at", figure.own),
        pointsOf(hours, "window_start", HOURLY[figure.name])));
}

/* What a reader should see first: where the two are apart. */
function summary(rows) {
    const apart = rows.flatMap((row) => FIGURES.filter((figure) =>
        difference(figure, row) !== null).map((figure) => {
        const share = 100 * difference(figure, row);
        return `${figure.head} is published ${Math.abs(share).toFixed(0)} % ` +
            `${share > 0 ? "above" : "below"} what we measured`;
    }));
    if (rows.every((row) => row.runs === 0)) {
        return "Published, and not measured by us in this time.";
    }
    return apart.length > 0 ? `${apart.join("; ")}.`
        : "What is published lies within what we measured, or too little is " +
            "known yet to say.";
}

function nothing(argument) {
    return element("div", {class: "problem"},
        element("h1", null, "Not seen lately"),
        element("p", {class: "lead"}, "Neither runs nor published hours of ",
            element("code", null, argument), " lie within the last day."),
        element("p", null, element("a", {href: "#/runs?orchestrator=" +
            encodeURIComponent(argument)}, "All runs of it"), " · ",
        element("a", {href: "#/sla?orchestrator=" +
            encodeURIComponent(argument)}, "all scores of it")));
}

export async function orchestratorPage({argument, signal}) {
    const {data: rows} = await get("/v1/measured", {orchestrator: argument},
        signal);
    if (rows.length === 0) {
        return nothing(argument);
    }
    const key = keyOf(rows[0]);
    const own = {orchestrator: runsOf(rows[0]), limit: SHOWN};
    const [runs, hours, ledger, counts] = await Promise.all([
        get("/v1/runs", {...own, kind: "live"}, signal),
        get("/v1/streaming/sla", {orchestrator: key, limit: SHOWN}, signal),
        get("/v1/ledger", own, signal),
        get("/v1/ledger/counts", {orchestrator: runsOf(rows[0])}, signal)]);
    return element("div", null,
        element("p", {class: "kicker"}, "Orchestrator"),
        element("h1", {class: "name"}, key.length > 42 ? hash(key, 20) : key),
        element("p", {class: "lead"}, summary(rows)),
        element("section", {class: "close"}, measuredBoard(rows),
            boardLegend()),
        element("section", null, element("h2", null, "Over time"),
            charts(runs.data, hours.data)),
        ledger.data.length === 0 ? null : element("section", null,
            element("h2", null, "Planned runs"),
            ledgerLanes(ledger.data, namesOf(rows)),
            skipList(counts.data, {orchestrator: runsOf(rows[0])})),
        element("section", null, element("h2", null, "Runs, newest first"),
            runs.data.length === 0 ? element("p", null, "None.")
                : runList(runs.data.slice(0, 25)),
            element("p", {class: "more"}, element("a",
                {href: "#/runs?orchestrator=" +
                    encodeURIComponent(runsOf(rows[0]))}, "All runs"), rows[0].last_run
                ? [", the last one ", moment(rows[0].last_run), " UTC"]
                : null)),
        element("section", null,
            element("h2", null, "Published hours, newest first"),
            hours.data.length === 0 ? element("p", null, "None.")
                : scoreTable(hours.data.slice(0, 10)),
            element("p", {class: "more"}, element("a",
                {href: `#/sla?orchestrator=${encodeURIComponent(key)}`},
                "All hours"))));
}

/*
 * run_list.js: own measurements as a table; the time of a run opens it.
 */
import {element, table} from "./dom.js";
import {address, fixed, milliseconds, moment} from "./format.js";

const OUTCOMES = {
    ok: ["ok", "good", "everything was measured"],
    failed: ["failed", "bad", "the orchestrator did not deliver"],
    busy: ["busy", "fair", "it works, and had no room; no fault of anybody"],
    excused: ["excused", "none", "the reason is ours, not the orchestrator's"],
    vantage_suspect: ["vantage in doubt", "none",
        "the place that was measured from had trouble of its own"],
};

export function runAddress(id) {
    return `#/run/${encodeURIComponent(id)}`;
}

export function runOutcome(run) {
    const [word, tone, meaning] = OUTCOMES[run.outcome] ??
        [run.outcome, "none", run.outcome];
    return element("span", {class: `state ${tone}`, title: meaning}, word);
}

export function runOrchestrator(run) {
    const known = run.orchestrator_address || run.signing_address;
    return known ? address(known) : run.orchestrator_url;
}

const LIVE = "a reach run sends no stream";

function orReason(run) {
    return run.kind === "reach" ? LIVE : "not measured in this run";
}

export function runList(runs) {
    const number = (field, digits) => (run) =>
        fixed(run[field], digits, orReason(run));
    const time = (field) => (run) => milliseconds(run[field], orReason(run));
    return table("Runs", [
        {head: "Started (UTC)", cell: (run) => element("a",
            {href: runAddress(run.run_id)}, moment(run.started_at))},
        {head: "Orchestrator, model", cell: (run) => [runOrchestrator(run),
            element("span", {class: "under"}, run.model_id || "no model")]},
        {head: "Kind", cell: (run) => run.kind},
        {head: "Outcome", cell: (run) => [runOutcome(run),
            run.reason ? element("span", {class: "under"}, run.reason) : null]},
        {head: "PTFF", class: "number", title: "prompt to first frame",
            cell: time("ptff_ms")},
        {head: "FPS", class: "number", title: "output frames per second",
            cell: number("output_fps", 2)},
        {head: "Jitter", class: "number",
            title: "deviation of frames per second over their mean",
            cell: number("jitter_fps", 4)},
        {head: "E2E p95", class: "number",
            title: "latency of a frame, 95 of 100 are faster",
            cell: time("e2e_p95_ms")},
        {head: "Call", class: "number",
            title: "GetOrchestrator, sent to answered",
            cell: (run) => milliseconds(run.rpc_ms, "not measured")},
    ], runs);
}

/*
 * run.js: one own measurement: every figure with its definition, and the way
 * to its evidence.
 */
import {absent, element, table} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {moment, short} from "../lib/format.js";
import {runOrchestrator, runOutcome} from "../lib/run_list.js";

function evidence(label, line) {
    return line === null ? null : element("a",
        {href: `#/evidence/${line}`}, label);
}

function link(label, page, key) {
    return key ? element("a",
        {href: `#/${page}/${encodeURIComponent(key)}`}, label) : null;
}

function shown(run, metric) {
    const value = run[metric.name];
    if (value === null || value === undefined) {
        return absent(metric.null_when || "not measured in this run");
    }
    return typeof value === "number" ? short(value, 6) : String(value);
}

/* Figures of a run, as the registry of metrics orders and explains them. */
function figures(run, metrics) {
    const known = metrics.filter((metric) => metric.name in run);
    return table("Figures", [
        {head: "Figure", cell: (metric) => metric.name},
        {head: "Value", class: "number", cell: (metric) => shown(run, metric)},
        {head: "Unit", cell: (metric) => metric.unit ?? ""},
        {head: "What it is", cell: (metric) => element("span",
            {title: metric.definition}, metric.title)},
    ], known);
}

function ofRuns(registry) {
    return registry.metrics.filter((metric) => metric.sets.includes("run"));
}

export async function runPage({argument, signal}) {
    const [run, registry] = await Promise.all([
        get(`/v1/runs/${encodeURIComponent(argument)}`, {}, signal),
        get("/v1/metrics", {}, signal)]);
    const links = [evidence("its line of evidence", run.line),
        evidence("its raw samples", run.samples_line),
        link("its orchestrator", "orchestrator",
            run.orchestrator_address || run.orchestrator_url),
        link("its plan", "plan", run.plan_hash)].filter(Boolean);
    return element("div", null,
        element("h1", null, `A ${run.kind} run`),
        element("p", {class: "lead"}, moment(run.started_at), " UTC, ",
            runOrchestrator(run), " ", runOutcome(run)),
        run.reason ? element("p", null, `Reason: ${run.reason}.`) : null,
        element("p", null, links.map((one, at) =>
            [at ? " · " : "", one])),
        figures(run, ofRuns(registry)));
}

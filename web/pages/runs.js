/*
 * runs.js: what we measured ourselves, newest first.
 */
import {element} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {dayBounds, filterForm, olderRows} from "../lib/filters.js";
import {runList} from "../lib/run_list.js";

const FIELDS = [
    {name: "orchestrator", label: "Orchestrator", placeholder: "0x… or https://…"},
    {name: "model", label: "Model", placeholder: "any"},
    {name: "outcome", label: "Outcome", placeholder: "ok, failed, busy"},
    {name: "from", label: "From day", placeholder: "2026-01-31"},
    {name: "to", label: "To day", placeholder: "2026-01-31"},
];

const NOTHING = "No run is kept here that matches. Runs come from plans, and " +
    "from assay probe URL --kind live --data DIR.";

export async function runsPage({query, signal}) {
    const filters = dayBounds(Object.fromEntries(query));
    const ask = (cursor) => get("/v1/runs",
        {limit: 50, ...filters, cursor}, signal);
    const first = await ask(null);
    const list = runList(first.data);
    return element("div", null,
        element("h1", null, "Runs"),
        element("p", {class: "formula"}, "Each is one test of ours: a call, ",
            "or a short stream through an orchestrator. Busy is not failed, ",
            "and what was not measured is not zero. ",
            element("a", {href: "/v1/metrics"}, "All definitions"), "."),
        filterForm("#/runs", FIELDS, query),
        first.data.length === 0
            ? element("p", {class: "lead"}, NOTHING) : list,
        olderRows(first.pagination, ask, list, runList));
}

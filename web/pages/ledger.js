/*
 * ledger.js: the plans, and every planned run with what became of it.
 */
import {element} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {dayBounds, filterForm, olderRows} from "../lib/filters.js";
import {ledgerList} from "../lib/ledger_list.js";
import {namesOf} from "../lib/measured.js";
import {planList} from "../lib/plan_panel.js";

const FIELDS = [
    {name: "orchestrator", label: "Orchestrator",
        placeholder: "0x… or https://…"},
    {name: "state", label: "State", placeholder: "executed, skipped"},
    {name: "reason", label: "Reason", placeholder: "busy, over_budget, …"},
    {name: "plan", label: "Plan", placeholder: "its hash"},
    {name: "from", label: "From day", placeholder: "2026-01-31"},
    {name: "to", label: "To day", placeholder: "2026-01-31"},
];

const NOTHING = "Nothing was planned here yet. A server makes plans by itself " +
    "where its configuration says sched.enabled: true, and in assay demo.";

export async function ledgerPage({query, signal}) {
    const filters = dayBounds(Object.fromEntries(query));
    const ask = (cursor) => get("/v1/ledger",
        {limit: 50, ...filters, cursor}, signal);
    const [first, plans, measured] = await Promise.all([ask(null),
        get("/v1/plan", {limit: 10}, signal),
        get("/v1/measured", {limit: 1000}, signal)]);
    const names = namesOf([...measured.data, ...first.data]);
    const list = ledgerList(first.data, names);
    return element("div", null,
        element("h1", null, "Plans and what became of them"),
        element("p", {class: "formula"}, "Instants, lengths and prompts of ",
            "runs follow from a seed whose hash is written down before the ",
            "first of them and which is revealed after the last. Nothing ",
            "that was planned is left out: what was not run stands here with ",
            "its reason."),
        plans.data.length === 0
            ? element("p", {class: "lead"}, NOTHING)
            : element("section", {class: "close"},
                element("h2", null, "Plans"), planList(plans.data)),
        element("section", null,
            element("h2", null, "Planned runs"),
            filterForm("#/ledger", FIELDS, query),
            first.data.length === 0
                ? element("p", null, "No planned run matches.") : list,
            olderRows(first.pagination, ask, list,
                (rows) => ledgerList(rows, names))));
}

/*
 * plan.js: one plan: the promise, its check, and its runs over time.
 */
import {element} from "../lib/dom.js";
import {get, Problem} from "../lib/api.js";
import {count, moment, plural} from "../lib/format.js";
import {ledgerLanes} from "../lib/ledger_lanes.js";
import {ledgerList} from "../lib/ledger_list.js";
import {namesOf} from "../lib/measured.js";
import {planPanel, skipList} from "../lib/plan_panel.js";

const SHOWN = 1000;

async function fetchPlan(argument, signal) {
    const {data} = await get("/v1/plan", {plan: argument}, signal);
    if (data.length === 0) {
        throw new Problem(404, "No such plan",
            `There is no plan with the hash ${argument}.`);
    }
    return data[0];
}

export async function planPage({argument, signal}) {
    const [plan, ledger, counts, measured] = await Promise.all([
        fetchPlan(argument, signal),
        get("/v1/ledger", {plan: argument, limit: SHOWN}, signal),
        get("/v1/ledger/counts", {plan: argument}, signal),
        get("/v1/measured", {limit: SHOWN}, signal)]);
    const rows = ledger.data;
    const names = namesOf([...measured.data, ...rows]);
    return element("div", null,
        element("p", {class: "kicker"}, "Plan"),
        element("h1", null, moment(plan.starts_at), " UTC"),
        element("p", {class: "lead"}, `${count(plan.runs)} runs on `,
            plural(plan.orchestrators, "orchestrator", "orchestrators"),
            plan.targets === plan.orchestrators ? ""
                : ` (${count(plan.targets)} with their models and cards)`,
            " until ", moment(plan.ends_at), " UTC, from ",
            plan.vantage ?? "here", "."),
        planPanel(plan, signal),
        element("section", null,
            element("h2", null, "Its runs"), ledgerLanes(rows, names),
            ledger.pagination.has_more
                ? element("p", {class: "note"}, `The last ${count(SHOWN)}.`)
                : null,
            skipList(counts.data, {plan: plan.plan_hash})),
        element("section", null,
            element("h2", null, "One by one"),
            rows.length === 0
                ? element("p", null, "No run of it has come up yet.")
                : ledgerList(rows.slice(0, 100), names),
            element("p", {class: "more"}, element("a",
                {href: `#/ledger?plan=${plan.plan_hash}`}, "All of them"))));
}

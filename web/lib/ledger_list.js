/*
 * ledger_list.js: planned runs with what became of them, as a table.
 */
import {absent, element, table} from "./dom.js";
import {duration, moment} from "./format.js";
import {decisionOf} from "./ledger_lanes.js";
import {runAddress} from "./run_list.js";

function decision(row) {
    const {tone, word, meaning} = decisionOf(row);
    return element("span", {class: `state ${tone}`, title: meaning}, word);
}

const STOPPED = {
    busy: "others wanted the last slot",
    tight: "its figure was known well enough",
    ended: "this program was told to stop",
};

/* NAMES as for lanes: who listens at a URL. */
export function ledgerList(rows, names) {
    return table("Planned runs", [
        {head: "Due (UTC)", cell: (row) => row.run_id
            ? element("a", {href: runAddress(row.run_id)}, moment(row.due_at))
            : moment(row.due_at)},
        {head: "Orchestrator, model", cell: (row) => [
            names(row.orchestrator_url).node,
            element("span", {class: "under"}, row.model_id || "no model")]},
        {head: "What became of it", cell: decision},
        {head: "Idle, busy", class: "number", title: "slots, asked right " +
            "before", cell: (row) => row.idle === null
            ? absent("it did not say") : `${row.idle}, ${row.busy}`},
        {head: "Planned", class: "number",
            cell: (row) => duration(row.planned_ms)},
        {head: "Took", class: "number", cell: (row) => row.run_ms === null
            ? absent("it was not run") : [duration(row.run_ms),
                row.stopped_early ? element("span", {class: "under",
                    title: STOPPED[row.stopped_early]},
                "ended early") : null]},
        {head: "Prompt", cell: (row) => row.prompt_id ?? ""},
        {head: "Evidence", cell: (row) => element("a",
            {href: `#/evidence/${row.line}`}, `line ${row.line}`)},
    ], rows);
}

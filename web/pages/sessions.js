/*
 * sessions.js: all sessions, newest first.
 */
import {element} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {dayBounds, filterForm, olderRows} from "../lib/filters.js";
import {sessionList} from "../lib/session_list.js";

const FIELDS = [
    {name: "org", label: "Organisation", placeholder: "any"},
    {name: "orchestrator", label: "Orchestrator", placeholder: "0x…"},
    {name: "from", label: "From day", placeholder: "2026-01-31"},
    {name: "to", label: "To day", placeholder: "2026-01-31"},
];

export async function sessionsPage({query, signal}) {
    const filters = dayBounds(Object.fromEntries(query));
    const ask = (cursor) => get("/v1/sessions",
        {limit: 50, ...filters, cursor}, signal);
    const first = await ask(null);
    const list = sessionList(first.data);
    return element("div", null,
        element("h1", null, "Sessions"),
        element("p", {class: "formula"}, "Each is one stream that a gateway ",
            "was asked for, with everything that was reported about it. The ",
            "one heard of last stands first."),
        filterForm("#/sessions", FIELDS, query),
        first.data.length === 0
            ? element("p", {class: "lead"}, "No session matches.") : list,
        olderRows(first.pagination, ask, list, sessionList));
}

/*
 * session_list.js: sessions as a table; the session's name opens its page.
 */
import {element, table} from "./dom.js";
import {address, duration, milliseconds, moment, count} from "./format.js";
import {attributionWords, outcomeWords} from "./words.js";

export function sessionAddress(key) {
    return `#/session/${encodeURIComponent(key)}`;
}

/* stream / request, as far as they are known. */
export function sessionName(session) {
    const parts = [session.stream_id, session.request_id].filter(Boolean);
    return parts.length > 0 ? parts.join(" / ") : session.session_key;
}

export function outcomeTag(session) {
    const {word, tone, meaning} = outcomeWords(session);
    return element("span", {class: `state ${tone}`, title: meaning}, word);
}

export function orchestratorOf(session) {
    if (session.orchestrator_address) {
        return address(session.orchestrator_address);
    }
    return element("span", {class: "unknown",
        title: attributionWords(session.attribution_reason)},
    "not attributed");
}

function length(session) {
    if (!session.started_at || !session.last_seen) {
        return element("span", {class: "absent"}, "–");
    }
    return duration(Date.parse(session.last_seen) -
        Date.parse(session.started_at));
}

/* BRIEF leaves out what the row above the list says already. */
export function sessionList(sessions, brief = false) {
    const missing = "one of its two ends was not seen";
    const columns = [
        {head: "Session", cell: (row) => element("a",
            {href: sessionAddress(row.session_key)}, sessionName(row))},
        {head: "Started (UTC)", cell: (row) => row.started_at
            ? moment(row.started_at)
            : ["last seen ", moment(row.last_seen)]},
        {head: "Length", class: "number", cell: length},
        {head: brief ? "Orchestrator" : "Orchestrator, model",
            cell: (row) => [orchestratorOf(row), brief ? null
                : element("span", {class: "under"},
                    row.model_id || row.pipeline_id || "no model")]},
        {head: "Startup", cell: outcomeTag},
        {head: "Startup time", class: "number",
            cell: (row) => milliseconds(row.startup_latency_ms, missing)},
        {head: "PTFF", class: "number", title: "prompt to first frame",
            cell: (row) => milliseconds(row.ptff_ms, missing)},
        {head: "E2E", class: "number", title: "end-to-end latency",
            cell: (row) => milliseconds(row.e2e_latency_ms, missing)},
        {head: "Samples", class: "number",
            cell: (row) => count(row.status_samples)},
    ];
    return table("Sessions", columns, sessions);
}

/*
 * session.js: one session from request to end, and why it was attributed as
 * it was.
 */
import {element, table} from "../lib/dom.js";
import {get} from "../lib/api.js";
import {address, clock, count, duration, fixed, gpu, hash, milliseconds,
    moment, plural, short} from "../lib/format.js";
import {outcomeTag, orchestratorOf, sessionName} from "../lib/session_list.js";
import {startupFigure, wholeFigure} from "../lib/timeline.js";
import {excuseWords, sentenceCase, stateTone, traceWords, triggerWords}
    from "../lib/words.js";

const NOT_SEEN = "one of its two ends was not seen";

function summary(session) {
    const parts = [];
    if (session.started_at) {
        parts.push(`Requested ${clock(Date.parse(session.started_at))} UTC`);
    } else {
        parts.push("No request was seen");
    }
    if (session.startup_latency_ms !== null) {
        parts.push("first processed segment after " +
            duration(session.startup_latency_ms));
    }
    if (session.started_at && session.few_processed_at) {
        parts.push("playable after " + duration(
            Date.parse(session.few_processed_at) -
            Date.parse(session.started_at)));
    }
    if (session.started_at && session.last_seen) {
        parts.push("last seen after " + duration(
            Date.parse(session.last_seen) - Date.parse(session.started_at)));
    }
    return `${parts.join(", ")}.`;
}

function fact(label, ...value) {
    return [element("dt", null, label), element("dd", null, ...value)];
}

function facts(session) {
    return element("dl", {class: "facts wide-facts"},
        fact("Organisation", session.org),
        fact("Gateway", session.gateway || "not named"),
        fact("Orchestrator", orchestratorOf(session)),
        fact("Model", session.model_id || "not known",
            session.pipeline_id ? `, ${session.pipeline_id}` : ""),
        fact("GPU", session.gpu_id ? gpu(session.gpu_id) : "not known"),
        fact("Startup", outcomeTag(session), " ", element("span",
            {class: "quiet"}, excuseWords(session.excusal_reason))),
        fact("Health signals", `${session.health_signal_count} of ` +
            `${session.health_expected_signal_count}`),
        fact("Swaps", count(session.swap_count)));
}

function latency(label, value, definition) {
    return element("div", null,
        element("dt", null, label),
        element("dd", null, milliseconds(value, NOT_SEEN),
            element("small", null, value === null ? `${NOT_SEEN}: ` : null,
                definition)));
}

function latencies(session) {
    return element("dl", {class: "tiles"},
        latency("Startup", session.startup_latency_ms,
            "from the request to the first processed segment, both at the " +
            "gateway"),
        latency("Prompt to first frame", session.ptff_ms,
            "from the runner's start time to a few processed segments at " +
            "the gateway; two clocks"),
        latency("End to end", session.e2e_latency_ms,
            "from the first segment sent by the gateway to the first " +
            "processed one sent by the runner; two clocks"));
}

function attributionFacts(session) {
    const rows = [["status", session.attribution_status],
        ["reason", session.attribution_reason],
        ["method", session.attribution_method],
        ["confidence", session.attribution_confidence]];
    return element("dl", {class: "codes"}, rows
        .filter(([, value]) => value)
        .map(([label, value]) => element("div", null,
            element("dt", null, label),
            element("dd", null, element("code", null, value)))));
}

function attributionPanel(answer) {
    const {session, attribution} = answer;
    return element("section", {class: "panel"},
        element("h2", null, "Why it was attributed as it was"),
        attribution.sentences.map((text) => element("p", null, text)),
        attributionFacts(session));
}

function selections(rows) {
    if (rows.length === 0) {
        return element("p", null, "No event of this session names an ",
            "orchestrator.");
    }
    return table("Selections", [
        {head: "Time (UTC)", cell: (row) => moment(row.selection_ts)},
        {head: "Trigger", cell: (row) => triggerWords(row.selection_trigger)},
        {head: "Named by the event", cell: (row) => [
            row.observed_url || null,
            row.observed_url && row.observed_address ? " " : null,
            row.observed_address ? address(row.observed_address) : null]},
        {head: "Decision", cell: (row) => [row.attribution_status ?? "",
            row.attribution_reason
                ? [" ", element("code", {class: "quiet"},
                    row.attribution_reason)] : null]},
        {head: "Snapshot", cell: (row) => moment(row.attribution_snapshot_ts,
            "no snapshot was in reach")},
        {head: "Evidence", cell: (row) => row.line
            ? evidenceLink(row.line) : hash(row.selection_event_id ?? "", 6)},
    ], rows);
}

function hours(rows) {
    if (rows.length === 0) {
        return element("p", null, "No status event arrived, so this session ",
            "enters no score.");
    }
    const reason = "no sample in this hour";
    return table("Hours of this session", [
        {head: "Hour (UTC)", cell: (row) => moment(row.window_start)},
        {head: "Samples", class: "number",
            cell: (row) => count(row.status_samples)},
        {head: "With output", class: "number",
            cell: (row) => count(row.fps_positive_samples)},
        {head: "Running", class: "number",
            cell: (row) => count(row.running_samples)},
        {head: "Errors", class: "number",
            cell: (row) => count(row.error_samples)},
        {head: "Average FPS", class: "number", cell: (row) => fixed(
            row.status_samples > 0
                ? row.output_fps_sum / row.status_samples : null,
            2, reason)},
        {head: "In the score", cell: (row) => row.tail_artefact
            ? element("span", {title: "a few samples without output after " +
                "the stream had ended; the published rows leave it out"},
            "no: tail without output") : "yes"},
    ], rows);
}

function evidenceLink(line) {
    return element("a", {href: `#/evidence/${line}`}, `line ${line}`);
}

function eventWords(event) {
    const state = event.state
        ? element("span", {class: `state ${stateTone(event.state)}`},
            event.state) : null;
    const frames = event.fps !== null && event.fps !== undefined
        ? `${short(event.fps, 2)} fps` : null;
    const words = event.family === "stream_trace"
        ? traceWords(event.type) : sentenceCase(event.note || "");
    return [state, state && frames ? " " : null, frames,
        (state || frames) && words ? " · " : null, words];
}

function eventTable(events, begin) {
    return table("Events of this session", [
        {head: "After", class: "number", cell: (row) => element("span",
            {title: row.ts}, `${((Date.parse(row.ts) - begin) / 1000)
                .toFixed(3)} s`)},
        {head: "Report", cell: (row) => [element("code", null, row.family),
            row.type && row.type !== row.family
                ? element("span", {class: "under"}, row.type) : null]},
        {head: "What it says", class: "words", cell: eventWords},
        {head: "Orchestrator", cell: (row) => row.orchestrator_url
            ? element("code", {class: "quiet"}, row.orchestrator_url)
            : row.orchestrator_address ? address(row.orchestrator_address)
                : element("span", {class: "absent"}, "–")},
        {head: "Evidence", cell: (row) => evidenceLink(row.line)},
    ], events);
}

function eventSection(events, begin) {
    const few = 40;
    const place = element("div", null, eventTable(events.slice(0, few),
        begin));
    const rest = events.length > few ? element("p", {class: "more"},
        element("button", {type: "button", onclick: (event) => {
            place.replaceChildren(eventTable(events, begin));
            event.target.parentNode.remove();
        }}, `Show all ${count(events.length)}`)) : null;
    return [place, rest];
}

const EVENTS_SHOWN = 5000;

/* The session with its first events, page by page. */
async function fetchSession(key, signal) {
    const path = `/v1/sessions/${encodeURIComponent(key)}`;
    const answer = await get(path, null, signal);
    let cursor = answer.pagination.next_cursor;
    while (cursor && answer.events.length < EVENTS_SHOWN) {
        const next = await get(path, {cursor}, signal);
        answer.events.push(...next.events);
        cursor = next.pagination.next_cursor;
    }
    return answer;
}

export async function sessionPage({argument, signal}) {
    const answer = await fetchSession(argument, signal);
    const {session, events} = answer;
    const begin = Date.parse(session.started_at ?? events[0]?.ts ??
        session.last_seen);
    return element("div", null,
        element("p", {class: "kicker"}, "Session"),
        element("h1", null, sessionName(session)),
        element("p", {class: "lead"}, summary(session)),
        facts(session),
        startupFigure(session, events),
        latencies(session),
        wholeFigure(session, events),
        attributionPanel(answer),
        element("section", null,
            element("h2", null, "Selections"),
            element("p", {class: "note"}, "Every event that names another ",
                "orchestrator than the one before. The last one decides."),
            selections(answer.selections)),
        element("section", null,
            element("h2", null, "Hours"), hours(answer.hours)),
        element("section", null,
            element("h2", null, "Events"),
            element("p", {class: "note"},
                answer.event_count > events.length
                    ? `The first ${count(events.length)} of ` : "",
                `${plural(answer.event_count, "event", "events")} that this ` +
                "session rests on; times count from its request."),
            eventSection(events, begin)));
}

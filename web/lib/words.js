/*
 * words.js: what the codes mean, in plain words.
 *
 * Codes are the API's and are shown beside the words, never instead of them
 * where a stranger would be lost.
 */

const FAMILIES = {
    stream_trace: "steps of one stream, as its gateway saw them",
    ai_stream_status: "state and frame rate of a running stream, every ten " +
        "seconds or so",
    ai_stream_events: "errors and changes that a stream reported",
    stream_ingest_metrics: "quality of the incoming video; feeds no " +
        "published number",
    network_capabilities: "which orchestrator offers which model on which GPU",
    discovery_results: "orchestrators a gateway found, and how far they are",
    create_new_payment: "tickets sent to orchestrators",
    ai_batch_request: "single AI jobs",
    ai_llm_request: "requests to language models",
    job_gateway: "bring-your-own-container jobs at the gateway",
    job_payment: "payments of such jobs",
    job_orchestrator: "such jobs at the orchestrator",
    job_auth: "authorisations of such jobs",
    worker_lifecycle: "workers that come and go",
};

const REASONS = {
    accepted: "taken in, as the publisher does",
    unsupported_event_family: "a family that feeds no published number",
    ignored_stream_trace_non_core_app: "a trace of an application, not of " +
        "the network",
    ignored_stream_trace_scope_client_noise: "client noise that the " +
        "publisher leaves out, too",
    unsupported_stream_trace_type: "a trace of a kind that the publisher " +
        "leaves out, too",
    duplicate: "seen before, counted once",
    invalid_json: "not JSON",
    blank_id: "no id, so it could never be told apart",
    invalid_timestamp: "no readable time",
    blank_org: "no organisation; import it with --org NAME",
};

/* Why a planned run was not run. */
const SKIPS = {
    busy: "it had no idle slot when it was asked, right before",
    no_capacity: "it offers the model no longer",
    unreachable: "it did not answer when it was asked",
    over_budget: "its share of idle capacity was used up",
    global_budget: "the run time of the hour was used up",
    at_once: "as many runs as allowed were under way",
    wei: "the ceiling of the day would be passed",
    clock: "our clock jumped, or was not known well enough",
    vantage: "our own control targets failed",
    missed: "we were not running, or too late",
    store: "its start could not be written down",
    stopped: "we were told to stop",
    interrupted: "it had begun when this program was killed",
};

const CLASSES = {
    accepted: "accepted",
    ignored: "ignored",
    rejected: "rejected",
};

const OUTCOMES = {
    success: ["Started", "good",
        "requested, and output became playable"],
    failed: ["Failed", "bad",
        "requested, but no playable output"],
    excused: ["Failed, excused", "fair",
        "requested without playable output, for a reason that is not the " +
        "orchestrator's"],
    unexcused: ["Failed", "bad",
        "requested without playable output and without an excuse"],
    unknown: ["Not requested here", "none",
        "no request was seen for this session"],
};

const STATES = {
    ONLINE: "good",
    DEGRADED_INPUT: "fair",
    DEGRADED_INFERENCE: "fair",
    ERROR: "bad",
    LOADING: "none",
    OFFLINE: "none",
};

const TRACES = {
    gateway_receive_stream_request: "The gateway receives the request",
    gateway_ingest_stream_closed: "The incoming stream closes",
    gateway_send_first_ingest_segment: "The gateway sends the first segment",
    gateway_receive_first_processed_segment: "The first processed segment " +
        "arrives",
    gateway_receive_few_processed_segments: "A few processed segments have " +
        "arrived: playable",
    gateway_receive_first_data_segment: "The first data segment arrives",
    gateway_no_orchestrators_available: "No orchestrator is available",
    orchestrator_swap: "The gateway leaves this orchestrator for another",
    runner_receive_first_ingest_segment: "The runner receives the first " +
        "segment",
    runner_send_first_processed_segment: "The runner sends the first " +
        "processed segment",
};

const ATTRIBUTIONS = {
    matched: "found in a capability snapshot of the moment",
    matched_prior: "found in the capability snapshot just before",
    stale_candidate: "found, but in a snapshot more than ten minutes old",
    future_skew: "found in a snapshot up to 30 s later",
    ambiguous_candidates: "several orchestrators fit, so none was taken",
    matched_without_hardware: "found, but the snapshot names no GPU",
    missing_candidate: "no capability snapshot in reach lists it",
    missing_uri_snapshot_local_alias_present: "its URL is in no snapshot in " +
        "reach, only its signing address",
    missing_uri_snapshot_address_match_present: "its URL is in no snapshot " +
        "in reach, only its address",
    no_selection_no_orch_excused: "the gateway found no orchestrator at all",
};

const EXCUSES = {
    no_orch: "no orchestrator was available",
    excusable_error: "all of its errors are of those that excuse",
};

const TRIGGERS = {
    initial: "first named",
    swap: "swap",
    orch_change_fallback: "another was named",
};

const NULL_SCORES = {
    no_requested_sessions: "no session of this row was requested, so there " +
        "is nothing to take a share of",
};

function readable(code) {
    return code ? code.replaceAll("_", " ") : "";
}

export function familyWords(family) {
    return FAMILIES[family] ?? "";
}

export function reasonWords(reason) {
    return REASONS[reason] ?? readable(reason);
}

export function classWords(name) {
    return CLASSES[name] ?? name;
}

/* {word, tone, meaning}; tone names a colour class and is never alone. */
export function outcomeWords(session) {
    const code = session.startup_label || session.startup_outcome || "unknown";
    const [word, tone, meaning] = OUTCOMES[code] ?? [readable(code), "none",
        ""];
    return {word, tone, meaning};
}

export function stateTone(state) {
    return STATES[state] ?? "none";
}

export function traceWords(type) {
    return TRACES[type] ?? readable(type);
}

export function attributionWords(reason) {
    return ATTRIBUTIONS[reason] ?? readable(reason);
}

export function excuseWords(reason) {
    return EXCUSES[reason] ?? "";
}

export function triggerWords(trigger) {
    return TRIGGERS[trigger] ?? readable(trigger);
}

export function nullScoreWords(reason) {
    return NULL_SCORES[reason] ?? (readable(reason) || "the row has no score");
}

export function skipWords(reason) {
    return SKIPS[reason] ?? readable(reason);
}

export function sentenceCase(text) {
    return text ? text[0].toUpperCase() + text.slice(1) : text;
}

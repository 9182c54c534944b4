/*
 * session.c: all that is known of one session, from all its events (§2.2, §2.7
 * to §2.9). Its hours are in session_hours.c.
 *
 * A session's facts span its whole life in every pass. What a pass decides is
 * only which orchestrator, pipeline and model the session has: each hour keeps
 * the decision of the pass that owns it, the session keeps the last one
 * (§11.1).
 */
#include "rollup/session.h"
#include "rollup/hour_extras.h"

#include <string.h>

/* ---- facts ----------------------------------------------------------------
 */

static void note_first(int64_t *first, int64_t ts)
{
    if (*first == ABSENT_INT || ts < *first)
        *first = ts;
}

/* A minimum of epoch 0 counts as none, whatever came later (§11, 2.2). */
static void drop_epoch(int64_t *first)
{
    if (*first == 0)
        *first = ABSENT_INT;
}

static void note_trace(struct session_row *row,
                       const struct session_event *event)
{
    switch (event->trace) {
    case TRACE_RECEIVE_REQUEST:
        note_first(&row->started_at, event->ts);
        row->started_count++;
        break;
    case TRACE_RECEIVE_FIRST_PROCESSED:
        note_first(&row->first_processed_at, event->ts);
        break;
    case TRACE_RECEIVE_FEW_PROCESSED:
        note_first(&row->few_processed_at, event->ts);
        row->playable_count++;
        break;
    case TRACE_SEND_FIRST_INGEST:
        note_first(&row->first_ingest_at, event->ts);
        break;
    case TRACE_RUNNER_SEND_FIRST_PROCESSED:
        note_first(&row->runner_first_processed_at, event->ts);
        break;
    case TRACE_NO_ORCHESTRATORS:
        row->no_orch_count++;
        break;
    case TRACE_INGEST_CLOSED:
        row->completed_count++;
        break;
    case TRACE_SWAP:
        row->swap_count++;
        break;
    case TRACE_RECEIVE_FIRST_DATA:
    case TRACE_RUNNER_RECEIVE_FIRST_INGEST:
    case TRACE_UNKNOWN:
        break;
    }
    if (event->pipeline.length)
        row->trace_hint = event->pipeline;
}

bool is_running(enum stream_state state)
{
    return state == STATE_ONLINE || state == STATE_DEGRADED_INPUT ||
           state == STATE_DEGRADED_INFERENCE;
}

static void note_status(struct session_row *row,
                        const struct session_event *event)
{
    row->status_samples++;
    row->online_samples += event->state == STATE_ONLINE;
    row->running_samples += is_running(event->state);
    if (event->state == STATE_LOADING) {
        row->loading_samples++;
        note_first(&row->first_loading_at, event->ts);
    }
    if (event->output_fps > 0)
        note_first(&row->first_output_at, event->ts);
    row->fps_positive_samples += event->output_fps > 0;
    row->degraded_input_samples += event->state == STATE_DEGRADED_INPUT;
    row->degraded_inference_samples += event->state == STATE_DEGRADED_INFERENCE;
    row->error_samples += (event->flags & EVENT_LAST_ERROR) != 0;
    if (event->flags & EVENT_HAS_START)
        note_first(&row->status_start_time, event->start_time);
    if (event->pipeline.length)
        row->status_hint = event->pipeline;
}

static void note_stream_event(struct session_row *row,
                              const struct session_event *event)
{
    row->startup_error_count += (event->flags & EVENT_ERROR) != 0;
    row->excusable_error_count += (event->flags & EVENT_EXCUSABLE) != 0;
    if (event->pipeline.length)
        row->event_hint = event->pipeline;
}

bool is_session_event(const struct session_event *event)
{
    return event->family != FAMILY_STREAM_TRACE ||
           trace_is_canonical(event->trace);
}

/* Events come sorted by (ts, id), so the last non-blank value is the latest,
 * and of equal times the one with the greatest id. */
static void note_event(struct session_row *row,
                       const struct session_event *event,
                       struct text *trace_gateway)
{
    if (event->family == FAMILY_STREAM_TRACE)
        note_trace(row, event);
    else if (event->family == FAMILY_STREAM_STATUS)
        note_status(row, event);
    else
        note_stream_event(row, event);
    if (!is_session_event(event))
        return;
    row->last_seen = event->ts;
    row->stream_id = event->stream_id;
    row->request_id = event->request_id;
    if (!event->gateway.length)
        return;
    if (event->family == FAMILY_STREAM_STATUS)
        row->gateway = event->gateway;
    else if (event->family == FAMILY_STREAM_TRACE)
        *trace_gateway = event->gateway;
}

struct session_sum session_sum_none(struct text org, struct text session_key)
{
    struct text blank = text_of("");
    struct session_row row = {.session_key = session_key, .org = org};
    row.gateway = row.status_hint = row.trace_hint = row.event_hint = blank;
    row.orchestrator_address = row.orchestrator_uri = row.pipeline_id = blank;
    row.started_at = row.first_processed_at = row.few_processed_at = ABSENT_INT;
    row.first_ingest_at = row.runner_first_processed_at = ABSENT_INT;
    row.status_start_time = row.last_seen = ABSENT_INT;
    row.selection_ts = row.attribution_snapshot_ts = ABSENT_INT;
    row.assay_start = ABSENT_INT;
    row.first_loading_at = row.first_output_at = ABSENT_INT;
    row.card = card_unknown;
    return (struct session_sum){.facts = row, .trace_gateway = blank};
}

void facts_gather(struct session_row *row, struct text *trace_gateway,
                  const struct session_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        note_event(row, &events[i], trace_gateway);
}

static struct session_row facts_of(const struct session_sum *sum)
{
    struct session_row row = sum->facts;
    if (!row.gateway.length)
        row.gateway = sum->trace_gateway;
    drop_epoch(&row.started_at);
    drop_epoch(&row.first_processed_at);
    drop_epoch(&row.few_processed_at);
    drop_epoch(&row.first_ingest_at);
    drop_epoch(&row.runner_first_processed_at);
    row.error_seen = row.error_samples > 0;
    row.requested_seen = row.started_count > 0;
    row.playable_seen = row.playable_count > 0;
    row.completed = row.completed_count > 0;
    return row;
}

static int64_t latency(int64_t from, int64_t to)
{
    if (from == ABSENT_INT || to == ABSENT_INT || to < from)
        return ABSENT_INT;
    return to - from;
}

/*
 * Two switches (D9 and D22; metrics reference §2.6 and §2.3). PTFF is promised
 * "from stream request to the first playable output frame": its start is the
 * gateway's request, not the runner's start_time, and both ends are by one
 * clock. E2E is promised "from prompt submission to final output, as the user
 * has it": the published one ends when the runner sends, by its clock. The last
 * edge of start-up that the gateway reports is the few segments that make a
 * stream playable; so with both switches PTFF and E2E are one value for a
 * session whose samples report no latency of their own.
 */
static void gather_latencies(const struct lens *lens, struct session_row *row)
{
    int64_t to_playable = latency(row->started_at, row->few_processed_at);
    row->startup_latency_ms = latency(row->started_at, row->first_processed_at);
    row->e2e_latency_ms =
        lens_has(lens, LENS_E2E_DOCUMENTED)
            ? to_playable
            : latency(row->first_ingest_at, row->runner_first_processed_at);
    row->ptff_ms = lens_has(lens, LENS_PTFF_FROM_REQUEST)
                       ? to_playable
                       : latency(row->status_start_time, row->few_processed_at);
}

/* ---- decision (§2.7) --------------------------------------------------------
 */

/* The selection with the greatest time; of equal times the first. */
static const struct selection_row *latest_of(const struct session_pass *pass)
{
    const struct selection_row *latest = NULL;
    for (size_t i = 0; i < pass->selection_count; i++)
        if (!latest || pass->selections[i].selection_ts > latest->selection_ts)
            latest = &pass->selections[i];
    return latest;
}

static bool has_several_identities(const struct session_pass *pass)
{
    for (size_t i = 1; i < pass->selection_count; i++)
        if (!text_equal(pass->selections[i].orchestrator_identity,
                        pass->selections[0].orchestrator_identity))
            return true;
    return false;
}

/* Within a pass, a missing candidate of a session that saw several
 * orchestrators is ambiguous; carried to a later pass it is not (§11, 2.7). */
static struct selection_row override(const struct session_pass *pass,
                                     const struct selection_row *latest)
{
    struct selection_row decision = *latest;
    if (text_is(decision.attribution_reason, "missing_candidate") &&
        has_several_identities(pass)) {
        decision.attribution_status = text_of("ambiguous");
        decision.attribution_reason = text_of("ambiguous_candidates");
        decision.attribution_method = text_of("ambiguous");
    }
    return decision;
}

bool session_decision(const struct session_pass *passes, size_t pass_count,
                      struct selection_row *decision)
{
    for (size_t i = pass_count; i-- > 0;) {
        const struct selection_row *latest = latest_of(&passes[i]);
        if (!latest)
            continue;
        *decision =
            i + 1 == pass_count ? override(&passes[i], latest) : *latest;
        return true;
    }
    return false;
}

static struct text first_set(struct text a, struct text b)
{
    return a.length ? a : b;
}

struct hint session_hint(struct arena *arena, const struct session_row *facts,
                         const struct selection_row *decision)
{
    struct text pipeline = decision ? decision->pipeline_id : text_of("");
    struct text model = decision ? decision->model_id : text_of("");
    pipeline = first_set(pipeline, facts->status_hint);
    pipeline = first_set(pipeline, facts->trace_hint);
    pipeline = first_set(pipeline, facts->event_hint);
    return hint_normalise(arena, pipeline, model.data ? model : text_of(""));
}

static void take_decision(struct session_row *row,
                          const struct selection_row *decision)
{
    row->selection_event_id = decision->selection_event_id;
    row->selection_ts = decision->selection_ts;
    row->selection_trigger = decision->selection_trigger;
    row->attribution_status = decision->attribution_status;
    row->attribution_reason = decision->attribution_reason;
    row->attribution_method = decision->attribution_method;
    row->attribution_confidence = decision->attribution_confidence;
    row->attribution_snapshot_ts = decision->attribution_snapshot_ts;
    row->orchestrator_address = decision->orchestrator_address;
    row->orchestrator_uri = decision->orchestrator_uri;
    row->gpu_id = decision->gpu_id;
}

static void take_surface(struct arena *arena, struct session_row *row,
                         const struct selection_row *decision)
{
    struct hint hint = session_hint(arena, row, decision);
    row->pipeline_id = hint.pipeline;
    if (hint.model.length)
        row->model_id = hint.model;
}

/* ---- outcome (§2.8) ------------------------------------------------------ */

static const char *excusal_of(const struct session_row *row)
{
    if (!text_is(row->startup_outcome, "failed"))
        return "none";
    if (text_is(row->selection_outcome, "no_orch"))
        return "no_orch";
    if (row->startup_error_count > 0 &&
        row->startup_error_count == row->excusable_error_count)
        return "excusable_error";
    return "none";
}

static const char *label_of(const struct session_row *row)
{
    if (!text_is(row->startup_outcome, "failed"))
        return text_is(row->startup_outcome, "success") ? "success" : "unknown";
    return text_is(row->excusal_reason, "none") ? "unexcused" : "excused";
}

static const char *outcome_of(const struct session_row *row)
{
    if (!row->requested_seen)
        return "unknown";
    return row->playable_seen ? "success" : "failed";
}

/*
 * The switch loading_only_documented (D6; validation rules,
 * RULE-LIFECYCLE-007): "true when status samples exist and every observed state
 * is LOADING". The publisher tests that none was online or degraded, so that
 * sessions which only were OFFLINE or in ERROR count as loading.
 */
static bool is_loading_only(const struct lens *lens,
                            const struct session_row *row)
{
    if (!row->status_samples)
        return false;
    if (lens_has(lens, LENS_LOADING_ONLY_DOCUMENTED))
        return row->loading_samples == row->status_samples;
    return !row->running_samples && !row->online_samples;
}

/*
 * The switch health_first_processed (D7; RULE-LIFECYCLE-007): the three signals
 * expected of a requested session are a status sample, the first processed
 * segment, and the first playable one. The publisher counts "samples that are
 * not dead" instead of the second. A session that nobody requested has a
 * coverage of 1: none of none, and not, as published, signals on top that fill
 * up what others of the row lack.
 */
static void count_health(const struct lens *lens, struct session_row *row)
{
    bool sampled = row->status_samples > 0;
    row->health_expected_signal_count = row->requested_seen ? 3 : 0;
    if (!lens_has(lens, LENS_HEALTH_FIRST_PROCESSED))
        row->health_signal_count = sampled + row->playable_seen +
                                   (sampled && !(row->loading_only_session &&
                                                 row->zero_output_fps_session));
    else if (row->requested_seen)
        row->health_signal_count = sampled +
                                   (row->first_processed_at != ABSENT_INT) +
                                   row->playable_seen;
}

static void judge(const struct lens *lens, struct session_row *row,
                  bool selected)
{
    row->selection_outcome = text_of(selected             ? "selected"
                                     : row->no_orch_count ? "no_orch"
                                                          : "unknown");
    row->startup_outcome = text_of(outcome_of(row));
    row->excusal_reason = text_of(excusal_of(row));
    row->startup_label = text_of(label_of(row));
    row->loading_only_session = is_loading_only(lens, row);
    row->zero_output_fps_session =
        row->status_samples > 0 && !row->fps_positive_samples;
    count_health(lens, row);
    if (selected)
        return;
    row->attribution_status = text_of("unresolved");
    row->attribution_reason = text_of(text_is(row->excusal_reason, "no_orch")
                                          ? "no_selection_no_orch_excused"
                                          : "missing_candidate");
}

/*
 * For the switch inferred_swaps (D8; metrics reference §2.5): a swap without an
 * orchestrator_swap trace is inferred where the attributed orchestrator changed
 * from one to another. Blank ones, which nothing is known of, change nothing.
 */
static bool has_changed(const struct session_pass *passes, size_t pass_count)
{
    struct text before = {"", 0};
    for (size_t i = 0; i < pass_count; i++) {
        for (size_t k = 0; k < passes[i].selection_count; k++) {
            struct text address = passes[i].selections[k].orchestrator_address;
            if (!address.length)
                continue;
            if (before.length && !text_equal(before, address))
                return true;
            before = address;
        }
    }
    return false;
}

bool session_conclude(struct arena *arena, const struct lens *lens,
                      const struct session_sum *sum,
                      const struct session_pass *passes, size_t pass_count,
                      struct session_row *row, struct hour_row *hours)
{
    *row = facts_of(sum);
    if (row->last_seen == ABSENT_INT)
        return false;
    gather_latencies(lens, row);
    struct selection_row decision;
    bool selected = session_decision(passes, pass_count, &decision);
    if (selected)
        take_decision(row, &decision);
    take_surface(arena, row, selected ? &decision : NULL);
    judge(lens, row, selected);
    if (lens_is_assay(lens)) {
        row->cold = session_is_cold(row);
        row->card = selected ? decision.card : card_unknown;
    }
    row->inferred_swap = lens_has(lens, LENS_INFERRED_SWAPS) &&
                         !row->swap_count && has_changed(passes, pass_count);
    hours_place(arena, lens, row, passes, pass_count, hours, sum->hour_count);
    return true;
}

bool session_fold(struct arena *arena, const struct lens *lens, struct text org,
                  struct text session_key, const struct session_event *events,
                  size_t event_count, const struct session_pass *passes,
                  size_t pass_count, struct session_row *row,
                  struct hour_row **hours, size_t *hour_count)
{
    struct session_sum sum =
        session_sum_of(arena, lens, org, session_key, events, event_count);
    *hours = NULL;
    *hour_count = 0;
    if (!session_conclude(arena, lens, &sum, passes, pass_count, row,
                          sum.hours))
        return false;
    *hours = sum.hours;
    *hour_count = sum.hour_count;
    if (lens_has(lens, LENS_SWAP_CHARGED_TO_LEFT))
        *hours = hours_with_left(arena, row, &sum, passes, hour_count);
    return true;
}

/*
 * selection.c: which events of a session choose an orchestrator (§2.4).
 *
 * Two steps, as the publisher does it: its SQL keeps, in order of (ts,
 * priority, id), the first candidate, explicit swaps, and candidates whose
 * identity differs from the one before, blank identities included; then, in
 * order of (ts, priority, partition, offset, id), triggers are given to what
 * was kept, blank identities left out (§11 "Selection filter before
 * triggers"). The two orders differ only among equal times, and that is why
 * both are here.
 */
#include "rollup/rollup.h"

#include <stdlib.h>

struct candidate {
    const struct session_event *event;
    int priority;
    bool explicit_swap;
    struct text identity;
};

static bool is_candidate(const struct session_event *event)
{
    return event->family != FAMILY_STREAM_TRACE ||
           trace_is_canonical(event->trace);
}

static struct candidate candidate_of(const struct session_event *event)
{
    struct candidate candidate = {.event = event};
    candidate.identity = event->address.length ? event->address : event->url;
    if (event->family == FAMILY_STREAM_TRACE) {
        candidate.priority = 1;
        candidate.explicit_swap = event->trace == TRACE_SWAP;
    } else if (event->family == FAMILY_STREAM_STATUS) {
        candidate.priority = 2;
    } else {
        candidate.priority = 3;
        candidate.explicit_swap = (event->flags & EVENT_NAMES_SWAP) != 0;
    }
    return candidate;
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_time(const struct candidate *a, const struct candidate *b)
{
    int order = compare_int(a->event->ts, b->event->ts);
    return order ? order : compare_int(a->priority, b->priority);
}

static int compare_for_filter(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    int order = compare_time(a, b);
    return order ? order : text_compare(a->event->id, b->event->id);
}

static int compare_for_triggers(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    int order = compare_time(a, b);
    if (!order)
        order = compare_int(a->event->partition, b->event->partition);
    if (!order)
        order = compare_int(a->event->offset, b->event->offset);
    return order ? order : text_compare(a->event->id, b->event->id);
}

/* Keeps what may trigger, in place; returns how many. */
static size_t filter(struct candidate *candidates, size_t count)
{
    size_t kept = 0;
    struct text before = {"", 0};
    for (size_t i = 0; i < count; i++) {
        struct candidate candidate = candidates[i];
        if (!i || candidate.explicit_swap ||
            !text_equal(candidate.identity, before))
            candidates[kept++] = candidate;
        before = candidate.identity;
    }
    return kept;
}

static struct selection_row row_of(struct arena *arena, struct text org,
                                   struct text session_key,
                                   const struct candidate *candidate,
                                   const char *trigger)
{
    const struct session_event *event = candidate->event;
    struct text parts[] = {org, session_key, event->id};
    char *id = arena_alloc(arena, MD5_HEX_BYTES);
    hash_md5_joined(parts, 3, id);
    struct text blank = text_of("");
    struct hint hint = event->family == FAMILY_STREAM_TRACE
                           ? hint_normalise(arena, event->pipeline_id, blank)
                           : hint_normalise(arena, blank, event->pipeline);
    return (struct selection_row){
        .selection_event_id = text_of(id),
        .org = org,
        .session_key = session_key,
        .selection_ts = event->ts,
        .selection_trigger = text_of(trigger),
        .event_id = event->id,
        .orchestrator_identity = candidate->identity,
        .observed_address = event->address,
        .observed_url = event->url,
        .pipeline_hint = hint.pipeline,
        .model_hint = hint.model,
        .line = event->line,
    };
}

static const char *trigger_of(const struct candidate *candidate,
                              const struct candidate *before)
{
    if (!before)
        return "initial";
    if (candidate->explicit_swap)
        return "swap";
    if (!text_equal(candidate->identity, before->identity))
        return "orch_change_fallback";
    return NULL;
}

struct selection_row *selections_build(struct arena *arena, struct text org,
                                       struct text session_key, int64_t day,
                                       const struct session_event *events,
                                       size_t event_count, size_t *count)
{
    struct candidate *candidates =
        arena_array(arena, event_count, sizeof *candidates);
    size_t kept = 0;
    for (size_t i = 0; i < event_count; i++)
        if (is_candidate(&events[i]))
            candidates[kept++] = candidate_of(&events[i]);
    qsort(candidates, kept, sizeof *candidates, compare_for_filter);
    kept = filter(candidates, kept);
    qsort(candidates, kept, sizeof *candidates, compare_for_triggers);
    struct selection_row *rows = arena_array(arena, kept, sizeof *rows);
    const struct candidate *before = NULL;
    *count = 0;
    for (size_t i = 0; i < kept; i++) {
        if (!candidates[i].identity.length)
            continue;
        const char *trigger = trigger_of(&candidates[i], before);
        before = &candidates[i];
        if (!trigger)
            continue;
        rows[*count] = row_of(arena, org, session_key, before, trigger);
        rows[*count].day = day;
        rows[*count].position = (int64_t)*count;
        (*count)++;
    }
    return rows;
}

/*
 * selection.c: which events of a session choose an orchestrator (§2.4).
 *
 * Two steps, as the publisher does it: its SQL keeps, in order of (ts,
 * priority, id), the first candidate, explicit swaps, and candidates whose
 * identity differs from the one before, blank identities included; then, in
 * order of (ts, priority, partition, offset, id), triggers are given to what
 * was kept, blank identities left out (§11 "Selection filter before
 * triggers"). The two orders differ only among equal times, so one instant
 * after the other goes through both steps, and events may come run by run.
 *
 * A session that changes its orchestrator thousands of times a day was made up
 * to cost work; after PASS_SELECTIONS_MAX it chooses none any more.
 */
#include "rollup/selection.h"

#include <stdlib.h>

/* Of one event; its texts are those of the event. */
struct candidate {
    struct session_event event;
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
    struct candidate candidate = {.event = *event};
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
    int order = compare_int(a->event.ts, b->event.ts);
    return order ? order : compare_int(a->priority, b->priority);
}

static int compare_for_filter(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    int order = compare_time(a, b);
    return order ? order : text_compare(a->event.id, b->event.id);
}

static int compare_for_triggers(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    int order = compare_time(a, b);
    if (!order)
        order = compare_int(a->event.partition, b->event.partition);
    if (!order)
        order = compare_int(a->event.offset, b->event.offset);
    return order ? order : text_compare(a->event.id, b->event.id);
}

/* Keeps what may trigger, in place; returns how many. */
static size_t filter(struct selections *selections, size_t count)
{
    struct candidate *candidates = selections->instant;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct candidate candidate = candidates[i];
        if (!selections->any || candidate.explicit_swap ||
            !text_equal(candidate.identity, selections->identity))
            candidates[kept++] = candidate;
        selections->any = true;
        selections->identity = candidate.identity;
    }
    return kept;
}

static struct selection_row row_of(struct arena *arena, struct text org,
                                   struct text session_key,
                                   const struct candidate *candidate,
                                   const char *trigger)
{
    const struct session_event *event = &candidate->event;
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

static const char *trigger_of(const struct selections *selections,
                              const struct candidate *candidate)
{
    if (!selections->chosen.length)
        return "initial";
    if (candidate->explicit_swap)
        return "swap";
    if (!text_equal(candidate->identity, selections->chosen))
        return "orch_change_fallback";
    return NULL;
}

static void keep(struct arena *arena, struct text *text)
{
    if (text->data)
        text->data = arena_text(arena, text->data, text->length);
}

/* What is the event's; all else lives as long as the arena or the process. */
static void keep_row(struct arena *arena, struct selection_row *row)
{
    keep(arena, &row->event_id);
    keep(arena, &row->observed_address);
    keep(arena, &row->observed_url);
    keep(arena, &row->pipeline_hint);
    keep(arena, &row->model_hint);
    row->orchestrator_identity = row->observed_address.length
                                     ? row->observed_address
                                     : row->observed_url;
}

static void choose(struct selections *selections,
                   const struct candidate *candidate)
{
    const char *trigger = trigger_of(selections, candidate);
    selections->chosen = candidate->identity;
    if (!trigger || selections->count == PASS_SELECTIONS_MAX)
        return;
    struct arena *arena = selections->arena;
    struct selection_row row =
        row_of(arena, selections->org, selections->key, candidate, trigger);
    row.day = selections->day;
    row.position = (int64_t)selections->count;
    keep_row(arena, &row);
    selections->rows = arena_grow(arena, selections->rows, selections->count,
                                  sizeof *selections->rows);
    selections->rows[selections->count++] = row;
}

/* All candidates of one time are there. */
static void close_instant(struct selections *selections)
{
    struct candidate *candidates = selections->instant;
    size_t count = selections->instant_count;
    if (count > 1)
        qsort(candidates, count, sizeof *candidates, compare_for_filter);
    count = filter(selections, count);
    if (count > 1)
        qsort(candidates, count, sizeof *candidates, compare_for_triggers);
    for (size_t i = 0; i < count; i++)
        if (candidates[i].identity.length)
            choose(selections, &candidates[i]);
    selections->instant_count = 0;
}

static void add_candidate(struct selections *selections,
                          const struct candidate *candidate)
{
    size_t count = selections->instant_count;
    if (count == selections->instant_capacity) {
        size_t capacity = count ? 2 * count : 4;
        struct candidate *grown =
            arena_array(selections->arena, capacity, sizeof *grown);
        for (size_t i = 0; i < count; i++)
            grown[i] = selections->instant[i];
        selections->instant = grown;
        selections->instant_capacity = capacity;
    }
    selections->instant[count] = *candidate;
    selections->instant_count++;
}

/* What is carried on into the next run must outlive this one. */
static void keep_texts(struct selections *selections)
{
    struct arena *arena = selections->arena;
    for (size_t i = 0; i < selections->instant_count; i++) {
        struct candidate *candidate = &selections->instant[i];
        session_event_keep(arena, &candidate->event);
        keep(arena, &candidate->identity);
    }
    keep(arena, &selections->identity);
    keep(arena, &selections->chosen);
}

struct selections selections_begin(struct arena *arena, struct text org,
                                   struct text session_key, int64_t day)
{
    return (struct selections){
        .arena = arena, .org = org, .key = session_key, .day = day};
}

void selections_add(struct selections *selections,
                    const struct session_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_candidate(&events[i]))
            continue;
        if (selections->instant_count &&
            selections->instant[0].event.ts != events[i].ts)
            close_instant(selections);
        struct candidate candidate = candidate_of(&events[i]);
        add_candidate(selections, &candidate);
    }
    keep_texts(selections);
}

struct selection_row *selections_end(struct selections *selections,
                                     size_t *count)
{
    close_instant(selections);
    *count = selections->count;
    return selections->rows;
}

struct selections selections_copy(struct arena *arena,
                                  const struct selections *from)
{
    struct selections copy = *from;
    copy.arena = arena;
    copy.rows = NULL; /* arena_grow must not find the old array's room */
    copy.instant =
        arena_array(arena, from->instant_count, sizeof *copy.instant);
    copy.instant_capacity = from->instant_count;
    for (size_t i = 0; i < from->instant_count; i++)
        copy.instant[i] = from->instant[i];
    for (copy.count = 0; copy.count < from->count; copy.count++) {
        copy.rows = arena_grow(arena, copy.rows, copy.count, sizeof *copy.rows);
        copy.rows[copy.count] = from->rows[copy.count];
    }
    return copy;
}

struct selection_row *selections_build(struct arena *arena, struct text org,
                                       struct text session_key, int64_t day,
                                       const struct session_event *events,
                                       size_t event_count, size_t *count)
{
    struct selections selections =
        selections_begin(arena, org, session_key, day);
    selections_add(&selections, events, event_count);
    return selections_end(&selections, count);
}

/*
 * session_left.c: the switch swap_charged_to_left (published metrics §2.4,
 * §2.7, §7).
 *
 * A session has one orchestrator, its last one, so the publisher charges a swap
 * to whoever took the stream over. But the trace orchestrator_swap names the
 * orchestrator that was given up. Here the swap counts in a row of that one, in
 * the last of the session's hours that had begun by then (else the first: a
 * session counts only in hours with status events), and the session counts as
 * requested there as well ("all sessions attempted against this orchestrator",
 * metrics reference §2.4) with the flags of its life; samples, latencies and
 * health signals stay with the session's own row, which counts it without the
 * swap. An orchestrator that was left and is the session's last one again is
 * charged in the session's own row.
 *
 * Who was left: by the decision on the trace; where the trace names nobody, by
 * the decision before it; blank where that knows nobody. With inferred_swaps
 * also, for a session without a trace, whoever stood before each change.
 */
#include "rollup/hour_extras.h"
#include "rollup/session.h"

#include <math.h>

struct leaving {
    int64_t ts;
    const struct selection_row *decision; /* null: nobody is known */
};

struct leavings {
    struct leaving *list;
    size_t count;
};

/* The last selection of PASS that is no later than TS. */
static const struct selection_row *standing_at(const struct session_pass *pass,
                                               int64_t ts)
{
    const struct selection_row *standing = NULL;
    for (size_t i = 0; i < pass->selection_count; i++)
        if (pass->selections[i].selection_ts <= ts)
            standing = &pass->selections[i];
    return standing;
}

static const struct selection_row *left_by(const struct session_pass *pass,
                                           const struct swap_trace *swap)
{
    for (size_t i = 0; i < pass->selection_count; i++)
        if (text_equal(pass->selections[i].event_id, swap->event_id))
            return &pass->selections[i];
    return standing_at(pass, swap->ts);
}

static void add_traced(struct leavings *all, const struct session_pass *pass,
                       const struct session_sum *sum)
{
    for (size_t i = 0; i < sum->swap_trace_count; i++)
        all->list[all->count++] =
            (struct leaving){sum->swaps[i].ts, left_by(pass, &sum->swaps[i])};
}

static void add_inferred(struct leavings *all, const struct session_pass *pass)
{
    const struct selection_row *before = NULL;
    for (size_t i = 0; i < pass->selection_count; i++) {
        const struct selection_row *now = &pass->selections[i];
        if (!now->orchestrator_address.length)
            continue;
        if (before && !text_equal(before->orchestrator_address,
                                  now->orchestrator_address))
            all->list[all->count++] =
                (struct leaving){now->selection_ts, before};
        before = now;
    }
}

static struct text address_of(const struct leaving *leaving)
{
    return leaving->decision ? leaving->decision->orchestrator_address
                             : text_of("");
}

/* The last of HOURS that has begun at TS, else the first. */
static int64_t hour_of(const struct hour_row *hours, size_t count, int64_t ts)
{
    size_t at = 0;
    while (at + 1 < count && hours[at + 1].hour <= ts)
        at++;
    return hours[at].hour;
}

static struct hour_row part_of(struct arena *arena,
                               const struct session_row *session,
                               const struct leaving *leaving, int64_t hour)
{
    struct hint hint = session_hint(arena, session, leaving->decision);
    struct text nothing = exact_encoded(arena, &(struct exact_sum){0});
    return (struct hour_row){
        .org = session->org,
        .hour = hour,
        .session_key = session->session_key,
        .orchestrator_address = address_of(leaving),
        .pipeline_id = hint.pipeline,
        .model_id = hint.model.length ? hint.model : (struct text){NULL, 0},
        .fps_sum = nothing,
        .latency_sum = nothing,
        .part = HOUR_LEFT,
        .gpu_id = leaving->decision ? leaving->decision->gpu_id
                                    : (struct text){NULL, 0},
        .counts_session = true,
        .charges_swap = true,
        .fps_jitter = (double)NAN,
        .card = leaving->decision ? leaving->decision->card : card_unknown,
    };
}

static bool is_known(const struct hour_row *parts, size_t count,
                     const struct hour_row *part)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i].hour == part->hour &&
            text_equal(parts[i].orchestrator_address,
                       part->orchestrator_address))
            return true;
    return false;
}

static struct leavings leavings_of(struct arena *arena,
                                   const struct session_row *session,
                                   const struct session_sum *sum,
                                   const struct session_pass *pass)
{
    size_t most = sum->swap_trace_count + pass->selection_count;
    struct leavings all = {
        .list = arena_array(arena, most, sizeof(struct leaving))};
    if (session->swap_count)
        add_traced(&all, pass, sum);
    else if (session->inferred_swap)
        add_inferred(&all, pass);
    return all;
}

struct hour_row *hours_with_left(struct arena *arena,
                                 const struct session_row *session,
                                 const struct session_sum *sum,
                                 const struct session_pass *pass, size_t *count)
{
    size_t own_count = sum->hour_count;
    struct leavings all = {0};
    if (own_count)
        all = leavings_of(arena, session, sum, pass);
    struct hour_row *rows =
        arena_array(arena, own_count + all.count, sizeof *rows);
    struct hour_row *left = rows + own_count;
    size_t left_count = 0;
    bool own_left = false;
    for (size_t i = 0; i < all.count; i++) {
        if (text_equal(address_of(&all.list[i]),
                       session->orchestrator_address)) {
            own_left = true;
            continue;
        }
        left[left_count] =
            part_of(arena, session, &all.list[i],
                    hour_of(sum->hours, own_count, all.list[i].ts));
        if (!is_known(left, left_count, &left[left_count]))
            left_count++;
    }
    for (size_t i = 0; i < own_count; i++) {
        rows[i] = sum->hours[i];
        rows[i].charges_swap = own_left;
    }
    *count = own_count + left_count;
    return rows;
}

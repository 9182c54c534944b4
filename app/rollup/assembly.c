/*
 * assembly.c: see assembly.h.
 */
#include "rollup/assembly.h"

#include "base/clock.h"
#include "rollup/ingest_hours.h"
#include "rollup/settle_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* What stored bytes take in memory, or less. */
    EVENTS_GROW = 6,
    SNAPSHOTS_GROW = 12
};

static enum err too_large(const struct assembly *assembly)
{
    return err_set(ERR_LARGE,
                   "this would take more than %lld MB of memory; ask for fewer "
                   "days, by start and end",
                   (long long)(assembly->computation->bytes_max >> 20));
}

/* MORE bytes are to come. */
static enum err has_room(const struct assembly *assembly, int64_t more)
{
    size_t most = assembly->computation->bytes_max;
    size_t used = assembly->arena->used_bytes + assembly->scratch.used_bytes;
    return most && used + (uint64_t)more > most ? too_large(assembly)
                                                : ERR_NONE;
}

enum err assembly_check(const struct assembly *assembly)
{
    return has_room(assembly, 0);
}

enum err assembly_events(struct assembly *assembly, struct text key,
                         struct session_event **events, size_t *count)
{
    struct query *query =
        query_start(assembly->store, QUERY_SESSION_EVENT_BYTES);
    query_bind_text(query, 1, key);
    int64_t bytes = 0;
    bool found;
    enum err err = query_first_int(query, &bytes, &found);
    if (!err)
        err = has_room(assembly, bytes * EVENTS_GROW);
    if (!err)
        err = session_events(assembly->store, &assembly->scratch, key, events,
                             count);
    if (!err)
        known_events(&assembly->computation->known, *events, count);
    if (!err)
        events_dedup(&assembly->scratch, assembly->computation->lens, *events,
                     count);
    return err;
}

enum err assembly_snapshots(struct assembly *assembly, struct text org,
                            int64_t from_ms, int64_t until_ms,
                            struct capability_snapshot **snapshots,
                            size_t *count)
{
    struct query *query = query_start(assembly->store, QUERY_SNAPSHOT_BYTES);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2,
                   from_ms == INT64_MIN ? from_ms : clock_hour_start(from_ms));
    query_bind_int(query, 3, until_ms);
    int64_t bytes = 0;
    bool found;
    enum err err = query_first_int(query, &bytes, &found);
    if (!err)
        err = has_room(assembly, bytes * SNAPSHOTS_GROW);
    if (!err)
        err = snapshots_between(assembly->store, &assembly->scratch, org,
                                from_ms, until_ms, snapshots, count);
    if (!err)
        known_snapshots(&assembly->computation->known, *snapshots, count);
    return err;
}

/* ---- selections ---------------------------------------------------------- */

void assembly_keep_selections(struct assembly *assembly,
                              struct selection_row *rows, size_t count)
{
    struct computed *out = assembly->out;
    for (size_t i = 0; i < count; i++) {
        fields_copy(assembly->arena, selection_fields, &rows[i]);
        out->selections =
            arena_grow(assembly->arena, out->selections, out->selection_count,
                       sizeof *out->selections);
        out->selections[out->selection_count++] = rows[i];
    }
}

enum err assembly_decide(struct assembly *assembly, struct text org,
                         size_t first, int64_t from_ms, int64_t until_ms)
{
    struct computed *out = assembly->out;
    struct arena *scratch = &assembly->scratch;
    struct capability_snapshot *snapshots;
    size_t count;
    enum err err = assembly_snapshots(assembly, org, from_ms, until_ms,
                                      &snapshots, &count);
    if (!err) {
        struct capability_index *index = capability_index_build(
            scratch, assembly->computation->lens, org, snapshots, count,
            out->selections + first, out->selection_count - first);
        for (size_t i = first; i < out->selection_count; i++) {
            attribute(scratch, index, &out->selections[i]);
            fields_copy(assembly->arena, selection_fields, &out->selections[i]);
            fields_copy(assembly->arena, selection_card_fields,
                        &out->selections[i]);
        }
        capability_index_free(index);
    }
    arena_clear(scratch);
    return err;
}

/* ---- sessions ------------------------------------------------------------ */

/* Of the settled pass, other hours are incomplete. */
static bool is_wanted(const struct assembly *assembly, int64_t hour)
{
    const struct computation *computation = assembly->computation;
    return computation->pass == PASS_WHOLE ||
           (hour >= computation->from_day && hour < computation->until_day);
}

/* Before the session is kept: its number is the count so far. */
static void keep_gateways(struct assembly *assembly,
                          const struct gateway_hour_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(assembly, rows[i].hour))
            continue;
        size_t at = assembly->gateway_count++;
        assembly->gateways = arena_grow(assembly->arena, assembly->gateways, at,
                                        sizeof *assembly->gateways);
        assembly->gateway_sessions =
            arena_grow(assembly->arena, assembly->gateway_sessions, at,
                       sizeof *assembly->gateway_sessions);
        assembly->gateways[at] = rows[i];
        fields_copy(assembly->arena, gateway_hour_fields,
                    &assembly->gateways[at]);
        assembly->gateway_sessions[at] = assembly->out->session_count;
    }
}

static void keep_fold(struct assembly *assembly, struct session_row *row,
                      struct hour_row *hours, size_t hour_count)
{
    struct computed *out = assembly->out;
    fields_copy(assembly->arena, session_fields, row);
    out->sessions = arena_grow(assembly->arena, out->sessions,
                               out->session_count, sizeof *out->sessions);
    for (size_t i = 0; i < hour_count; i++) {
        if (!is_wanted(assembly, hours[i].hour))
            continue;
        fields_copy(assembly->arena, hour_fields, &hours[i]);
        assembly->hours =
            arena_grow(assembly->arena, assembly->hours, assembly->hour_count,
                       sizeof *assembly->hours);
        assembly->hour_sessions =
            arena_grow(assembly->arena, assembly->hour_sessions,
                       assembly->hour_count, sizeof *assembly->hour_sessions);
        assembly->hour_sessions[assembly->hour_count] = out->session_count;
        assembly->hours[assembly->hour_count++] = hours[i];
    }
    out->sessions[out->session_count++] = *row;
}

void assembly_fold(struct assembly *assembly, struct text org, struct text key,
                   const struct session_event *events, size_t event_count,
                   const struct session_pass *passes, size_t pass_count)
{
    const struct lens *lens = assembly->computation->lens;
    struct arena *scratch = &assembly->scratch;
    struct session_row row;
    struct hour_row *hours;
    size_t hour_count;
    size_t gateway_count;
    if (!session_fold(scratch, lens, org, key, events, event_count, passes,
                      pass_count, &row, &hours, &hour_count))
        return;
    struct gateway_hour_row *gateways = gateway_hours_build(
        scratch, lens, &row, events, event_count, &gateway_count);
    keep_gateways(assembly, gateways, gateway_count);
    keep_fold(assembly, &row, hours, hour_count);
}

/* ---- hours --------------------------------------------------------------- */

static int compare_sessions(const void *left, const void *right)
{
    const struct session_row *a = left;
    const struct session_row *b = right;
    return text_compare(a->session_key, b->session_key);
}

static int compare_selections(const void *left, const void *right)
{
    const struct selection_row *a = left;
    const struct selection_row *b = right;
    int order = text_compare(a->session_key, b->session_key);
    if (order)
        return order;
    if (a->selection_ts != b->selection_ts)
        return a->selection_ts < b->selection_ts ? -1 : 1;
    return text_compare(a->selection_event_id, b->selection_event_id);
}

static int compare_org_hours(const void *left, const void *right)
{
    const struct hour_row *a = ((const struct session_hour *)left)->hour;
    const struct hour_row *b = ((const struct session_hour *)right)->hour;
    if (a->hour != b->hour)
        return a->hour < b->hour ? -1 : 1;
    return text_compare(a->org, b->org);
}

/* Sorts PAIRS by hour and org. Sums do not tell what had come in by an earlier
 * time, so of that nothing is known. */
static enum err attach_ingest(struct assembly *assembly,
                              struct session_hour *pairs, size_t count)
{
    const struct computation *computation = assembly->computation;
    enum err err = ERR_NONE;
    if (!count || !lens_is_assay(computation->lens) ||
        computation->known.basis != KNOWN_ALL)
        return ERR_NONE;
    qsort(pairs, count, sizeof *pairs, compare_org_hours);
    for (size_t i = 0; !err && i < count;) {
        size_t first = i;
        while (i < count && !compare_org_hours(&pairs[first], &pairs[i]))
            i++;
        const struct hour_row *hour = pairs[first].hour;
        err = ingest_hours_attach(assembly->store, assembly->arena, hour->org,
                                  hour->hour, pairs + first, i - first);
        if (!err)
            err = assembly_check(assembly);
    }
    return err;
}

static enum err build_hours(struct assembly *assembly)
{
    struct computed *out = assembly->out;
    struct session_hour *pairs =
        arena_array(assembly->arena, assembly->hour_count, sizeof *pairs);
    for (size_t i = 0; i < assembly->hour_count; i++)
        pairs[i] = (struct session_hour){
            &assembly->hours[i], &out->sessions[assembly->hour_sessions[i]],
            NULL};
    enum err err = attach_ingest(assembly, pairs, assembly->hour_count);
    if (err)
        return err;
    out->sla = sla_build(assembly->arena, assembly->computation->lens, pairs,
                         assembly->hour_count, &out->sla_count);
    out->gpus = gpu_metrics_build(assembly->arena, assembly->computation->lens,
                                  pairs, assembly->hour_count, &out->gpu_count);
    return ERR_NONE;
}

static void build_demand(struct assembly *assembly)
{
    struct computed *out = assembly->out;
    size_t room = out->session_count + assembly->gateway_count;
    size_t count = 0;
    struct demand_part *parts =
        arena_array(assembly->arena, room, sizeof *parts);
    for (size_t i = 0; i < out->session_count; i++)
        if (is_wanted(assembly, demand_hour(&out->sessions[i])))
            parts[count++].session = &out->sessions[i];
    for (size_t i = 0; i < assembly->gateway_count; i++)
        parts[count++] =
            (struct demand_part){&out->sessions[assembly->gateway_sessions[i]],
                                 &assembly->gateways[i]};
    out->demand = demand_build(assembly->arena, assembly->computation->lens,
                               parts, count, &out->demand_count);
}

/* All days' benchmarks, then every row's score. Rows come sorted by time. */
static void score_all(struct assembly *assembly)
{
    struct computed *out = assembly->out;
    struct benchmark_list benchmarks = {0};
    for (size_t i = 0; i < out->sla_count;) {
        int64_t day = clock_day_start(out->sla[i].window_start);
        size_t first = i;
        while (i < out->sla_count &&
               clock_day_start(out->sla[i].window_start) == day)
            i++;
        sla_score(assembly->arena, assembly->computation->lens,
                  out->sla + first, i - first, benchmarks.rows,
                  benchmarks.count);
        size_t count;
        struct benchmark_row *rows =
            benchmarks_build(assembly->arena, assembly->computation->lens, day,
                             out->sla + first, i - first, &count);
        for (size_t j = 0; j < count; j++) {
            benchmarks.rows =
                arena_grow(assembly->arena, benchmarks.rows, benchmarks.count,
                           sizeof *benchmarks.rows);
            benchmarks.rows[benchmarks.count++] = rows[j];
        }
    }
}

enum err assembly_finish(struct assembly *assembly)
{
    struct computed *out = assembly->out;
    enum err err = build_hours(assembly);
    if (err)
        return err;
    build_demand(assembly);
    score_all(assembly);
    if (out->session_count)
        qsort(out->sessions, out->session_count, sizeof *out->sessions,
              compare_sessions);
    if (out->selection_count)
        qsort(out->selections, out->selection_count, sizeof *out->selections,
              compare_selections);
    return ERR_NONE;
}

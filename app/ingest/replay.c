/*
 * replay.c: all facts again from the evidence.
 *
 * The lines go through the same steps as when they came, only that they lie in
 * the evidence already. All of it, and the settling after it, is one
 * transaction of the caller: whoever reads meanwhile sees the former state, and
 * an interruption leaves it.
 *
 * Days that have lost evidence keep the facts they have, and their lines are
 * passed over; so do the counts, which can no longer be counted again.
 */
#include "ingest/ingest_int.h"

#include "base/clock.h"

enum { FLUSH_RECORDS = 100000, FLUSH_BYTES = 64 << 20 };

struct replay {
    struct ingest *ingest;
    struct text_index frozen; /* org and day of days that lost evidence */
    bool expired;             /* any evidence has been dropped */
    uint64_t lines;
    void (*progress)(void *context, uint64_t lines);
    void *context;
    struct arena arena; /* of the line that a repeat stands for */
};

/* The number of an org's day in FROZEN, added where ADD says so, else looked
 * up: TEXT_INDEX_ABSENT for none. Bytes, because an org may hold any. */
static ptrdiff_t frozen_day(struct text_index *frozen, struct text org,
                            int64_t ts, bool add)
{
    struct buf key = {0};
    buf_add_signed(&key, clock_day_start(ts));
    buf_add(&key, org.data, org.length);
    struct text bytes = {key.data, key.length};
    ptrdiff_t number = add ? (ptrdiff_t)text_index_add(frozen, bytes, NULL)
                           : text_index_find(frozen, bytes);
    buf_free(&key);
    return number;
}

static enum err read_frozen(struct replay *replay, struct store *store)
{
    struct query *query = query_start(store, QUERY_REPLAY_EXPIRED_DAYS);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row)
        (void)frozen_day(&replay->frozen, query_text(query, 0),
                         query_int(query, 1), true);
    if (err)
        return err;
    query = query_start(store, QUERY_REPLAY_ANY_EXPIRED);
    err = query_step(query, &row);
    if (err)
        return err;
    replay->expired = row && query_int(query, 0);
    return query_run(query);
}

/* Facts of days that lost evidence stay; they are no longer in packs then. */
static enum err unpack_frozen(struct store *store)
{
    return packs_unpack_each(store,
                             query_start(store, QUERY_PACKED_HOURS_EXPIRED));
}

static enum err clear(struct replay *replay, struct store *store)
{
    static const enum query_id always[] = {
        QUERY_REPLAY_CLEAR_SESSION_DAYS,
        QUERY_REPLAY_CLEAR_SNAPSHOT_HOURS,
        QUERY_REPLAY_CLEAR_SELECTIONS,
        QUERY_REPLAY_CLEAR_SESSIONS,
        QUERY_REPLAY_CLEAR_HOURS,
        QUERY_REPLAY_CLEAR_SLA,
        QUERY_REPLAY_CLEAR_BENCHMARKS,
        QUERY_REPLAY_CLEAR_DIRTY_HOURS,
        QUERY_REPLAY_CLEAR_DIRTY_DAYS,
        QUERY_REPLAY_CLEAR_DIRTY_SESSIONS,
        QUERY_REPLAY_CLEAR_GATEWAY_HOURS,
        QUERY_REPLAY_CLEAR_DEMAND,
        QUERY_REPLAY_CLEAR_GPU_HOURS,
        QUERY_REPLAY_CLEAR_SETTLED_HOURS,
        QUERY_REPLAY_CLEAR_REQUEST_HOURS,
        QUERY_REPLAY_CLEAR_INGEST_HOURS,
        QUERY_REPLAY_CLEAR_REQUEST_INDEX,
        QUERY_REPLAY_CLEAR_REQUEST_DEMAND,
        QUERY_REPLAY_CLEAR_DIRTY_REQUESTS,
        QUERY_REPLAY_CLEAR_WANTED,
        QUERY_REPLAY_CLEAR_CLOSINGS,
        QUERY_REPLAY_CLEAR_DIRTY_CLOSINGS,
        QUERY_REPLAY_CLEAR_DIRTY_ATTRIBUTIONS,
        QUERY_REPLAY_CLEAR_ASSAY_SLA,
        QUERY_REPLAY_CLEAR_ASSAY_BENCHMARKS,
        QUERY_REPLAY_CLEAR_ASSAY_DEMAND,
        QUERY_REPLAY_CLEAR_ASSAY_GPU_HOURS,
        QUERY_REPLAY_CLEAR_SKETCH_DAYS,
        QUERY_REPLAY_CLEAR_JOURNAL,
        QUERY_REPLAY_CLEAR_RUNS,
        QUERY_REPLAY_CLEAR_PLANS,
        QUERY_REPLAY_CLEAR_PLAN_TARGETS,
        QUERY_REPLAY_CLEAR_PLAN_REVEALS,
        QUERY_REPLAY_CLEAR_LEDGER,
        QUERY_PACKS_CLEAR,
        QUERY_PACK_PLACES_CLEAR,
        QUERY_PACK_HOURS_CLEAR,
        QUERY_PACK_DAYS_CLEAR,
        QUERY_PACK_NAMES_CLEAR};
    enum err err = unpack_frozen(store);
    for (size_t i = 0; !err && i < sizeof always / sizeof *always; i++)
        err = query_run(query_start(store, always[i]));
    static const enum query_id counted[] = {QUERY_REPLAY_CLEAR_SEEN,
                                            QUERY_REPLAY_CLEAR_COUNTS};
    for (size_t i = 0; !err && i < sizeof counted / sizeof *counted; i++) {
        struct query *query = query_start(store, counted[i]);
        query_bind_int(query, 1, replay->expired);
        err = query_run(query);
    }
    return err;
}

static enum err flush(struct replay *replay)
{
    if (replay->expired)
        batch_forget_counts(replay->ingest->batch);
    enum err err = ingest_flush(replay->ingest);
    batch_clear(replay->ingest->batch);
    replay->ingest->pending = 0;
    return err;
}

static bool wants_flush(struct replay *replay, size_t line_bytes)
{
    struct ingest *ingest = replay->ingest;
    ingest->gathered_bytes += line_bytes;
    return ingest_pending(ingest) >= FLUSH_RECORDS ||
           ingest->gathered_bytes >= FLUSH_BYTES || seen_is_large(ingest->seen);
}

/* A repeat stands for the line it repeats. */
static enum err resolve(struct replay *replay, struct evidence_line *line)
{
    if (line->kind != EVIDENCE_REPEAT)
        return ERR_NONE;
    arena_clear(&replay->arena);
    return evidence_read(replay->ingest->store, &replay->arena, line->repeats,
                         line);
}

static bool is_frozen(struct replay *replay, const struct evidence_line *line)
{
    if (!replay->expired)
        return false;
    if (line->class != EVIDENCE_ACCEPTED || line->event_ms == INT64_MIN)
        return true;
    return frozen_day(&replay->frozen, line->org, line->event_ms, false) >= 0;
}

static enum err take(struct replay *replay, const struct evidence_line *line)
{
    struct ingest_origin origin = {.source = line->source,
                                   .org = line->org,
                                   .org_wins = true, /* was decided then */
                                   .arrival_ms = line->arrival_ms};
    if (line->kind == EVIDENCE_OVERSIZE)
        return ingest_take_oversize(replay->ingest, &origin, line->bytes,
                                    line->length, line->sha256, line->line);
    return ingest_take_record(replay->ingest, &origin, line->bytes, line->line);
}

static enum err visit(void *context, const struct evidence_line *visited)
{
    struct replay *replay = context;
    struct evidence_line line = *visited;
    replay->lines++;
    if (replay->progress && replay->lines % 1000 == 0)
        replay->progress(replay->context, replay->lines);
    if (journal_owns(&line))
        return journal_replay(replay->ingest->store, &line);
    enum err err = resolve(replay, &line);
    if (err == ERR_ABSENT || (!err && is_frozen(replay, &line)))
        return ERR_NONE;
    if (!err)
        err = take(replay, &line);
    if (!err && wants_flush(replay, line.bytes.length))
        err = flush(replay);
    return err;
}

static enum err replay_all(struct replay *replay, struct store *store)
{
    enum err err = read_frozen(replay, store);
    if (!err)
        err = clear(replay, store);
    if (!err)
        err = evidence_walk(store, -1, visit, replay);
    if (!err)
        err = flush(replay);
    if (!err)
        err = seen_join(replay->ingest->seen);
    if (!err)
        err = query_run(query_start(store, QUERY_REPLAY_NOTE_SESSIONS));
    if (!err)
        err = query_run(query_start(store, QUERY_REPLAY_NOTE_DAYS));
    if (!err)
        err = query_run(query_start(store, QUERY_REPLAY_NOTE_CLOSINGS));
    if (!err)
        err = query_run(query_start(store, QUERY_REPLAY_NOTE_REQUESTS));
    return err;
}

enum err ingest_replay(struct store *store,
                       void (*progress)(void *context, uint64_t lines),
                       void *context)
{
    struct replay replay = {.progress = progress, .context = context};
    replay.ingest = ingest_new(store);
    replay.ingest->replaying = true;
    enum err err = replay_all(&replay, store);
    ingest_free(replay.ingest);
    text_index_free(&replay.frozen);
    arena_free(&replay.arena);
    return err;
}

/*
 * knowledge.c: see knowledge.h.
 *
 * A fact names the line that it came by. Lines are numbered by blocks, and
 * blocks in the order in which they were opened; so the lines that had come in
 * by a time are all of the blocks before the first that was opened after it,
 * but for the ends of those that were open just then. There is one such block a
 * feed, and it is read.
 */
#include "rollup/knowledge.h"

enum { LINE_INDEX_BITS = 16 };

const struct knowledge knowledge_all = {.basis = KNOWN_ALL};

static bool is_known(const struct knowledge *known, int64_t ts, int64_t line)
{
    if (known->basis != KNOWN_BY_ARRIVAL)
        return known->basis == KNOWN_ALL || ts <= known->until_ms;
    int64_t block = line >> LINE_INDEX_BITS;
    for (size_t i = 0; i < known->cut_count; i++)
        if (known->cuts[i].block == block)
            return line < known->cuts[i].end_line;
    return block < known->end_block;
}

/* The same of each kind of fact, which all have a time and a line. */
#define KEEP_KNOWN(known, list, count)                                         \
    do {                                                                       \
        size_t kept = 0;                                                       \
        for (size_t i = 0; i < *(count); i++)                                  \
            if (is_known(known, (list)[i].ts, (list)[i].line))                 \
                (list)[kept++] = (list)[i];                                    \
        *(count) = kept;                                                       \
    } while (0)

void known_events(const struct knowledge *known, struct session_event *events,
                  size_t *count)
{
    KEEP_KNOWN(known, events, count);
}

void known_snapshots(const struct knowledge *known,
                     struct capability_snapshot *snapshots, size_t *count)
{
    KEEP_KNOWN(known, snapshots, count);
}

void known_requests(const struct knowledge *known, struct request_event *events,
                    size_t *count)
{
    KEEP_KNOWN(known, events, count);
}

/* ---- by arrival ---------------------------------------------------------- */

struct cutting {
    const struct knowledge *known;
    struct knowledge_cut *cut;
};

static enum err visit(void *context, const struct evidence_line *line)
{
    struct cutting *cutting = context;
    if (line->arrival_ms <= cutting->known->until_ms)
        cutting->cut->end_line = line->line + 1;
    return ERR_NONE;
}

static enum err cut_block(struct store *store, const struct knowledge *known,
                          struct knowledge_cut *cut)
{
    struct cutting cutting = {known, cut};
    int64_t first = cut->block << LINE_INDEX_BITS;
    struct evidence_filter filter = {
        .after = first - 1, .to_line = first + (1 << LINE_INDEX_BITS) - 1};
    cut->end_line = first;
    return evidence_walk_where(store, &filter, visit, &cutting);
}

static enum err read_cuts(struct store *store, struct arena *arena,
                          struct knowledge *known)
{
    struct query *query = query_start(store, QUERY_KNOWLEDGE_CUTS);
    query_bind_int(query, 1, known->until_ms);
    query_bind_int(query, 2, known->end_block);
    bool row;
    bool expired = false;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        known->cuts = arena_grow(arena, known->cuts, known->cut_count,
                                 sizeof *known->cuts);
        known->cuts[known->cut_count++].block = query_int(query, 0);
        expired |= query_int(query, 1) != 0;
    }
    if (!err && expired)
        return err_set(ERR_GONE,
                       "the evidence that tells what had come in by then has "
                       "expired");
    for (size_t i = 0; !err && i < known->cut_count; i++)
        err = cut_block(store, known, &known->cuts[i]);
    return err;
}

static enum err by_arrival(struct store *store, struct arena *arena,
                           struct knowledge *known)
{
    struct query *query = query_start(store, QUERY_KNOWLEDGE_END);
    query_bind_int(query, 1, known->until_ms);
    bool found;
    known->end_block = INT64_MAX;
    enum err err = query_first_int(query, &known->end_block, &found);
    return err ? err : read_cuts(store, arena, known);
}

enum err knowledge_at(struct store *store, struct arena *arena,
                      int64_t until_ms, struct knowledge *known)
{
    struct query *query = query_start(store, QUERY_KNOWLEDGE_BOUNDS);
    bool row;
    enum err err = query_step(query, &row);
    *known = knowledge_all;
    known->until_ms = until_ms;
    if (err || !row || query_is_null(query, 0))
        return err ? err : query_run(query);
    int64_t first_arrival_ms = query_int(query, 0);
    int64_t last_arrival_ms = query_int(query, 1);
    int64_t last_event_ms = query_int(query, 2);
    err = query_run(query);
    if (err || until_ms >= last_arrival_ms)
        return err;
    if (until_ms < first_arrival_ms) {
        if (until_ms < last_event_ms)
            known->basis = KNOWN_BY_TIME;
        return ERR_NONE;
    }
    known->basis = KNOWN_BY_ARRIVAL;
    return by_arrival(store, arena, known);
}

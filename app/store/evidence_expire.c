/*
 * evidence_expire.c: retention.
 *
 * What expires is a sealed block's body. Its row stays, with the hash, so that
 * the feed's chain can still be followed from its start. A feed loses its
 * blocks in their order: by age, from each feed whose class has a limit, and
 * then by size, the oldest block of all first.
 *
 * Age counts from arrival, not from the event: an old log that is imported
 * today stays as long as what is received today. An open block whose last
 * line is past the limit is sealed first, or a quiet feed would never expire.
 *
 * The journal's own feed never expires: the queries leave it out.
 */
#include "store/store_int.h"

#include "base/clock.h"

struct expiry {
    struct store *store;
    const struct evidence_limits *limits;
    int64_t now_ms;
    uint64_t dropped;
};

/* Lines that arrived earlier are past the limit. */
static int64_t cutoff_ms(const struct expiry *expiry, enum evidence_class class)
{
    const struct evidence_limits *limits = expiry->limits;
    int64_t days = class == EVIDENCE_ACCEPTED  ? limits->accepted_days
                   : class == EVIDENCE_IGNORED ? limits->ignored_days
                                               : limits->rejected_days;
    int64_t most = INT64_MAX / MS_PER_DAY / 2;
    if (days <= 0)
        return INT64_MIN;
    return expiry->now_ms - (days > most ? most : days) * MS_PER_DAY;
}

static enum err seal_old(struct expiry *expiry)
{
    struct store *store = expiry->store;
    struct arena arena = {0};
    int64_t after = 0;
    bool found = true;
    enum err err = ERR_NONE;
    while (!err && found) {
        struct query *query = query_start(store, QUERY_EVIDENCE_OPEN_NEXT);
        query_bind_int(query, 1, after);
        err = query_step(query, &found);
        if (err || !found)
            break;
        struct feed_names names = {
            .source = query_copy(&arena, query, 2),
            .org = query_copy(&arena, query, 3),
            .class = (enum evidence_class)query_int(query, 4),
        };
        int64_t last_arrival_ms = query_int(query, 1);
        after = query_int(query, 0);
        sqlite3_reset(query->statement);
        if (last_arrival_ms < cutoff_ms(expiry, names.class))
            err = evidence_seal_names(store, &names);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

static int64_t start_of_day(int64_t day)
{
    /* The first day of all begins before the first millisecond of all. */
    int64_t ms;
    return __builtin_mul_overflow(day, (int64_t)MS_PER_DAY, &ms) ? INT64_MIN
                                                                 : ms;
}

enum err evidence_day_expired(struct store *store, struct text org, int64_t day,
                              bool *expired)
{
    struct query *query = query_start(store, QUERY_EVIDENCE_EXPIRED_DAY_HAS);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    enum err err = query_step(query, expired);
    return err || !*expired ? err : query_run(query);
}

static enum err remember_day(const struct expiry *expiry, struct text org,
                             int64_t day)
{
    bool lost;
    enum err err = evidence_day_expired(expiry->store, org, day, &lost);
    if (err || lost)
        return err;
    if (expiry->limits->before_loss)
        err = expiry->limits->before_loss(expiry->store, org, day);
    if (err)
        return err;
    struct query *query =
        query_start(expiry->store, QUERY_EVIDENCE_EXPIRED_DAY_ADD);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day);
    return query_run(query);
}

static enum err remember_days(const struct expiry *expiry, struct text org,
                              struct text encoded, int64_t number)
{
    struct day_set days = {0};
    enum err err = ERR_NONE;
    if (!day_set_decode(&days, encoded))
        err = err_set(ERR_CORRUPT, "%s: the days of block %lld are damaged",
                      expiry->store->path, (long long)number);
    for (size_t i = 0; i < days.count && !err; i++)
        err = remember_day(expiry, org, start_of_day(days.days[i]));
    day_set_free(&days);
    return err;
}

struct candidate {
    int64_t number;
    int64_t last_arrival_ms;
    int64_t stored_bytes;
    struct text days;
    struct text org;
    enum evidence_class class;
    int64_t feed;
};

static struct candidate candidate_of(struct arena *arena, struct query *query)
{
    struct candidate candidate = {
        .number = query_int(query, 0),
        .last_arrival_ms = query_int(query, 1),
        .stored_bytes = query_int(query, 2),
        .days = query_copy(arena, query, 3),
        .org = query_copy(arena, query, 4),
        .class = (enum evidence_class)query_int(query, 5),
        .feed = query_int(query, 6),
    };
    sqlite3_reset(query->statement);
    return candidate;
}

static enum err run_with_number(struct store *store, enum query_id id,
                                int64_t number)
{
    struct query *query = query_start(store, id);
    query_bind_int(query, 1, number);
    return query_run(query);
}

static enum err drop(struct expiry *expiry, const struct candidate *candidate)
{
    struct store *store = expiry->store;
    int64_t number = candidate->number;
    enum err err = ERR_NONE;
    if (candidate->class == EVIDENCE_ACCEPTED)
        err = remember_days(expiry, candidate->org, candidate->days, number);
    if (!err)
        err = run_with_number(store, QUERY_EVIDENCE_BODY_DROP, number);
    if (!err)
        err = run_with_number(store, QUERY_EVIDENCE_BLOCK_EXPIRE, number);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_EVIDENCE_FEED_EXPIRE);
    query_bind_int(query, 1, candidate->feed);
    query_bind_int(query, 2, number);
    query_bind_int(query, 3, candidate->stored_bytes);
    expiry->dropped++;
    return query_run(query);
}

/* Drops from one feed what arrived before CUTOFF. */
static enum err drop_old_of_feed(struct expiry *expiry, int64_t feed,
                                 int64_t cutoff)
{
    struct arena arena = {0};
    bool more = true;
    enum err err = ERR_NONE;
    while (more && !err) {
        struct query *query =
            query_start(expiry->store, QUERY_EVIDENCE_OLDEST_OF_FEED);
        query_bind_int(query, 1, feed);
        err = query_step(query, &more);
        if (err || !more)
            break;
        struct candidate candidate = candidate_of(&arena, query);
        more = candidate.last_arrival_ms < cutoff;
        if (more)
            err = drop(expiry, &candidate);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

static enum err drop_old(struct expiry *expiry)
{
    int64_t feed = 0;
    bool found = true;
    enum err err = ERR_NONE;
    while (!err) {
        struct query *query =
            query_start(expiry->store, QUERY_EVIDENCE_FEED_NEXT);
        query_bind_int(query, 1, feed);
        err = query_step(query, &found);
        if (err || !found)
            break;
        feed = query_int(query, 0);
        enum evidence_class class = (enum evidence_class)query_int(query, 10);
        sqlite3_reset(query->statement);
        int64_t cutoff = cutoff_ms(expiry, class);
        if (cutoff > INT64_MIN)
            err = drop_old_of_feed(expiry, feed, cutoff);
    }
    return err;
}

static enum err stored_bytes(struct store *store, int64_t *bytes)
{
    bool row;
    struct query *query = query_start(store, QUERY_EVIDENCE_TOTALS);
    enum err err = query_step(query, &row);
    if (err)
        return err;
    *bytes = query_int(query, 1);
    sqlite3_reset(query->statement);
    return ERR_NONE;
}

static enum err drop_large(struct expiry *expiry)
{
    struct arena arena = {0};
    int64_t bytes = 0;
    bool found = true;
    if (expiry->limits->max_bytes <= 0)
        return ERR_NONE;
    enum err err = stored_bytes(expiry->store, &bytes);
    while (!err && bytes > expiry->limits->max_bytes) {
        struct query *query = query_start(expiry->store, QUERY_EVIDENCE_OLDEST);
        err = query_step(query, &found);
        if (err || !found)
            break;
        struct candidate candidate = candidate_of(&arena, query);
        bytes -= candidate.stored_bytes;
        err = drop(expiry, &candidate);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

static enum err expire(struct expiry *expiry)
{
    enum err err = evidence_flush(expiry->store);
    if (!err)
        err = seal_old(expiry);
    if (!err)
        err = evidence_flush(expiry->store);
    /* The rows of feeds change behind their copies in memory. */
    evidence_forget(expiry->store);
    read_blocks_forget(expiry->store);
    if (!err)
        err = drop_old(expiry);
    if (!err)
        err = drop_large(expiry);
    return err;
}

enum err evidence_expire(struct store *store, int64_t now_ms,
                         const struct evidence_limits *limits,
                         uint64_t *blocks_dropped)
{
    struct expiry expiry = {.store = store, .limits = limits, .now_ms = now_ms};
    bool joined;
    enum err err = transaction_join(store, &joined);
    if (!err)
        err = transaction_leave(store, joined, expire(&expiry));
    *blocks_dropped = err ? 0 : expiry.dropped;
    return err;
}

/*
 * batch_ingest_metrics.c: reports on incoming packets, added up so that one
 * organisation's hour is written once a commit.
 *
 * A commit adds a chunk of sums to its hour, which settling joins by adding
 * (rollup/ingest_hours.c). One that takes something back never is the first
 * chunk, so that it is joined.
 */
#include "ingest/batch_ingest_metrics.h"

#include "base/clock.h"
#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ingest_sum {
    uint64_t session; /* hash_fast of its key */
    struct text org;
    int64_t hour;
    int64_t samples[INGEST_TRACKS];
    struct exact_sum jitter[INGEST_TRACKS];
    bool takes_back;
};

void ingest_metrics_batch_clear(struct ingest_metrics_batch *batch)
{
    text_index_free(&batch->keys);
    arena_clear(&batch->arena);
}

void ingest_metrics_batch_free(struct ingest_metrics_batch *batch)
{
    ingest_metrics_batch_clear(batch);
    arena_free(&batch->arena);
    free(batch->sums);
    *batch = (struct ingest_metrics_batch){0};
}

static struct text kept(struct arena *arena, struct text text)
{
    text.data = arena_text(arena, text.data, text.length);
    return text;
}

static struct ingest_sum *new_sum(struct ingest_metrics_batch *batch,
                                  size_t number)
{
    if (number >= batch->capacity) {
        batch->capacity = (number + 1) * 2;
        batch->sums =
            memory_resize(batch->sums, batch->capacity * sizeof *batch->sums);
    }
    struct ingest_sum *sum = &batch->sums[number];
    *sum = (struct ingest_sum){0};
    for (size_t i = 0; i < INGEST_TRACKS; i++)
        sum->jitter[i].arena = &batch->arena;
    return sum;
}

static struct ingest_sum *sum_of(struct ingest_metrics_batch *batch,
                                 struct arena *arena, struct text session_key,
                                 const struct event *event)
{
    bool added;
    int64_t hour = clock_hour_start(event->ts);
    size_t length = sizeof hour + session_key.length;
    char *bytes = arena_raw(arena, length);
    memcpy(bytes, &hour, sizeof hour);
    memcpy(bytes + sizeof hour, session_key.data, session_key.length);
    size_t number =
        text_index_add(&batch->keys, (struct text){bytes, length}, &added);
    if (!added)
        return &batch->sums[number];
    struct ingest_sum *sum = new_sum(batch, number);
    sum->session = hash_fast(session_key.data, session_key.length);
    sum->org = kept(&batch->arena, event->org);
    sum->hour = hour;
    return sum;
}

void ingest_metrics_batch_add(struct ingest_metrics_batch *batch,
                              struct arena *arena, const struct event *event,
                              bool removed)
{
    double jitter_ms[INGEST_TRACKS];
    struct text key = session_key(arena, event->org, event->data);
    if (!key.length)
        return;
    ingest_metrics_read(arena, event->data, jitter_ms);
    struct ingest_sum *sum = sum_of(batch, arena, key, event);
    sum->takes_back |= removed;
    for (size_t i = 0; i < INGEST_TRACKS; i++) {
        if (isnan(jitter_ms[i]))
            continue;
        sum->samples[i] += removed ? -1 : 1;
        exact_add(&sum->jitter[i], removed ? -jitter_ms[i] : jitter_ms[i]);
    }
}

/* ---- writing ------------------------------------------------------------- */

static int compare_sums(const void *left, const void *right)
{
    const struct ingest_sum *a = left;
    const struct ingest_sum *b = right;
    if (a->hour != b->hour)
        return a->hour < b->hour ? -1 : 1;
    int order = text_compare(a->org, b->org);
    return order ? order
                 : (a->session > b->session) - (a->session < b->session);
}

static struct ingest_hour fact_of(struct arena *arena,
                                  const struct ingest_sum *sum)
{
    struct ingest_hour fact = {.session = sum->session};
    for (size_t i = 0; i < INGEST_TRACKS; i++) {
        struct buf bytes = {0};
        exact_encode(&bytes, &sum->jitter[i]);
        fact.tracks[i].samples = sum->samples[i];
        fact.tracks[i].jitter_sum =
            kept(arena, (struct text){bytes.data, bytes.length});
        buf_free(&bytes);
    }
    return fact;
}

static enum err note_hour(struct store *store, struct text org, int64_t hour)
{
    struct query *query = query_start(store, QUERY_DIRTY_HOUR_ADD);
    query_bind_int(query, 1, hour);
    query_bind_text(query, 2, org);
    return query_run(query);
}

/* Reports without a jitter add nothing, and leave nothing in a joined hour. */
static bool is_nothing(const struct ingest_sum *sum)
{
    bool empty = !sum->takes_back;
    for (size_t i = 0; i < INGEST_TRACKS; i++)
        empty &= !sum->samples[i];
    return empty;
}

/* COUNT sums of one organisation and hour. */
static enum err write_hour(struct arena *arena, struct store *store,
                           const struct ingest_sum *sums, size_t count)
{
    struct ingest_hour *facts = arena_array(arena, count, sizeof *facts);
    size_t fact_count = 0;
    bool takes_back = false;
    for (size_t i = 0; i < count; i++) {
        if (is_nothing(&sums[i]))
            continue;
        facts[fact_count++] = fact_of(arena, &sums[i]);
        takes_back |= sums[i].takes_back;
    }
    if (!fact_count)
        return ERR_NONE;
    struct buf bytes = {0};
    ingest_hours_encode(&bytes, facts, fact_count);
    struct query *query = query_start(store, QUERY_INGEST_HOUR_ADD);
    query_bind_text(query, 1, sums->org);
    query_bind_int(query, 2, sums->hour);
    query_bind_blob(query, 3, bytes.data, bytes.length);
    query_bind_int(query, 4, takes_back);
    enum err err = query_run(query);
    buf_free(&bytes);
    return err ? err : note_hour(store, sums->org, sums->hour);
}

enum err ingest_metrics_batch_write(struct ingest_metrics_batch *batch,
                                    struct store *store)
{
    enum err err = ERR_NONE;
    struct ingest_sum *sums = batch->sums;
    size_t count = batch->keys.count;
    if (count)
        qsort(sums, count, sizeof *sums, compare_sums);
    for (size_t i = 0; !err && i < count;) {
        size_t first = i;
        while (i < count && sums[i].hour == sums[first].hour &&
               text_equal(sums[i].org, sums[first].org))
            i++;
        err = write_hour(&batch->arena, store, sums + first, i - first);
    }
    return err;
}

/*
 * answer_cache.c: rendered answers, kept while the data stay the same.
 *
 * An answer is found only for the very moment of the store that it was made
 * from, whichever worker made it. Keeping a counter in the store instead would
 * make every reader trust that every writer counts.
 *
 * What is asked for once is not kept: questions are often of one time, and
 * keeping an answer costs as much as making a short one. The second time it is.
 * The oldest used ones go when the limit is reached. One lock for all: it is
 * held for a copy of some kilobytes.
 */
#include "api/serving.h"

#include "base/clock.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096, ANSWER_BYTES_MAX = 2 << 20 };

struct kept {
    struct kept *chain; /* the next in the same slot */
    struct kept *newer;
    struct kept *older;
    struct store_moment moment;
    size_t bytes;
    struct text key;
    struct text body;
    struct reply reply; /* its texts lie behind this struct */
};

struct answer_cache {
    pthread_mutex_t lock;
    size_t bytes;
    size_t bytes_max;
    struct kept *newest;
    struct kept *oldest;
    struct kept *slots[SLOTS];
    uint64_t asked[SLOTS]; /* hashes of keys that were asked for */
};

struct answer_cache *answer_cache_new(size_t bytes_max)
{
    struct answer_cache *cache = memory_zeroed(1, sizeof *cache);
    pthread_mutex_init(&cache->lock, NULL);
    cache->bytes_max = bytes_max;
    return cache;
}

/* ---- the table ----------------------------------------------------------- */

static struct kept **slot_of(struct answer_cache *cache, struct text key)
{
    return &cache->slots[hash_fast(key.data, key.length) % SLOTS];
}

/* Whether KEY was asked for before, and lately; now it was. */
static bool ask_again(struct answer_cache *cache, struct text key)
{
    uint64_t hash = hash_fast(key.data, key.length);
    uint64_t before = __atomic_exchange_n(&cache->asked[hash % SLOTS], hash,
                                          __ATOMIC_RELAXED);
    return before == hash;
}

static struct kept *look_up(struct answer_cache *cache, struct text key)
{
    struct kept *one = *slot_of(cache, key);
    while (one && !text_equal(one->key, key))
        one = one->chain;
    return one;
}

static void unlink_age(struct answer_cache *cache, struct kept *one)
{
    *(one->newer ? &one->newer->older : &cache->newest) = one->older;
    *(one->older ? &one->older->newer : &cache->oldest) = one->newer;
}

static void link_newest(struct answer_cache *cache, struct kept *one)
{
    one->newer = NULL;
    one->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = one;
    cache->newest = one;
}

static void drop(struct answer_cache *cache, struct kept *one)
{
    struct kept **at = slot_of(cache, one->key);
    while (*at != one)
        at = &(*at)->chain;
    *at = one->chain;
    unlink_age(cache, one);
    cache->bytes -= one->bytes;
    free(one);
}

void answer_cache_free(struct answer_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        drop(cache, cache->oldest);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* ---- keys ---------------------------------------------------------------- */

enum keeping answer_keeping(const struct route *route,
                            const struct request *request)
{
    if (route->answer == answer_scores || route->answer == answer_demand ||
        route->answer == answer_gpu_metrics ||
        route->answer == answer_percentiles ||
        route->answer == answer_batch_summary ||
        route->answer == answer_byoc_summary ||
        route->answer == answer_llm_summary ||
        route->answer == answer_batch_jobs ||
        route->answer == answer_byoc_jobs ||
        route->answer == answer_byoc_workers ||
        route->answer == answer_byoc_auth || route->answer == answer_sessions ||
        route->answer == answer_session || route->answer == answer_openapi)
        return KEEP_HOUR;
    if (route->answer == answer_stream_models ||
        route->answer == answer_stream_orchestrators ||
        route->answer == answer_request_models ||
        route->answer == answer_request_orchestrators ||
        route->answer == answer_dashboard_kpi ||
        route->answer == answer_dashboard_pipelines ||
        route->answer == answer_dashboard_orchestrators ||
        route->answer == answer_gpu_capacity ||
        route->answer == answer_pipeline_catalog ||
        route->answer == answer_pricing || route->answer == answer_job_feed ||
        route->answer == answer_discover)
        return parameter_text(request, "as_of").data ? KEEP_HOUR : KEEP_SECOND;
    return KEEP_NOT;
}

struct text answer_key(const struct request *request, enum keeping keeping,
                       int64_t now_ms)
{
    int64_t unit = keeping == KEEP_HOUR ? MS_PER_HOUR : MS_PER_SECOND;
    char *key = arena_printf(
        request->arena, "%lld %d%d %.*s?%s", (long long)(now_ms / unit),
        accepts_gzip(request->accept_encoding), prefers_csv(request->accept),
        (int)request->path.length, request->path.data, request->raw_query);
    return text_of(key);
}

/* ---- keeping and finding ------------------------------------------------- */

static char *put(char *at, const void *bytes, size_t length)
{
    if (length)
        memcpy(at, bytes, length);
    at[length] = '\0';
    return at + length + 1;
}

/* KEY, body and texts of REPLY in one piece of memory. */
static struct kept *copy_of(struct text key, const struct reply *reply)
{
    const char *link = reply->link ? reply->link : "";
    const char *cursor = reply->cursor ? reply->cursor : "";
    size_t bytes = sizeof(struct kept) + key.length + reply->body->length +
                   strlen(reply->etag) + strlen(link) + strlen(cursor) + 5;
    struct kept *one = memory_alloc(bytes);
    char *at = (char *)(one + 1);
    *one = (struct kept){.bytes = bytes, .reply = *reply};
    one->key = (struct text){at, key.length};
    at = put(at, key.data, key.length);
    one->body = (struct text){at, reply->body->length};
    at = put(at, reply->body->data, reply->body->length);
    one->reply.etag = at;
    at = put(at, reply->etag, strlen(reply->etag));
    one->reply.link = reply->link ? at : NULL;
    at = put(at, link, strlen(link));
    one->reply.cursor = reply->cursor ? at : NULL;
    put(at, cursor, strlen(cursor));
    one->reply.body = NULL;
    return one;
}

void answer_cache_keep(struct answer_cache *cache, struct text key,
                       const struct store_moment *moment,
                       const struct reply *reply)
{
    if (reply->status != 200 || !reply->etag || reply->borrowed.data ||
        reply->body->length > ANSWER_BYTES_MAX || !ask_again(cache, key))
        return;
    struct kept *one = copy_of(key, reply);
    one->moment = *moment;
    pthread_mutex_lock(&cache->lock);
    struct kept *before = look_up(cache, key);
    if (before)
        drop(cache, before);
    struct kept **slot = slot_of(cache, one->key);
    one->chain = *slot;
    *slot = one;
    link_newest(cache, one);
    cache->bytes += one->bytes;
    while (cache->bytes > cache->bytes_max)
        drop(cache, cache->oldest);
    pthread_mutex_unlock(&cache->lock);
}

/* Null for null. */
static const char *copy(struct arena *arena, const char *text)
{
    return text ? arena_text(arena, text, strlen(text)) : NULL;
}

static void restore(struct arena *arena, const struct kept *one,
                    struct reply *reply)
{
    const struct reply *from = &one->reply;
    reply->status = from->status;
    reply->content_type = from->content_type;
    reply->cache_control = from->cache_control;
    reply->gzip = from->gzip;
    reply->is_list = from->is_list;
    reply->varies = from->varies;
    reply->varies_by_accept = from->varies_by_accept;
    reply->etag = copy(arena, from->etag);
    reply->link = copy(arena, from->link);
    reply->cursor = copy(arena, from->cursor);
    buf_clear(reply->body);
    buf_add(reply->body, one->body.data, one->body.length);
}

bool answer_cache_find(struct answer_cache *cache, struct arena *arena,
                       struct text key, const struct store_moment *moment,
                       struct reply *reply)
{
    pthread_mutex_lock(&cache->lock);
    struct kept *one = look_up(cache, key);
    bool found = one && memcmp(&one->moment, moment, sizeof *moment) == 0;
    if (found) {
        unlink_age(cache, one);
        link_newest(cache, one);
        restore(arena, one, reply);
    } else if (one) {
        drop(cache, one);
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

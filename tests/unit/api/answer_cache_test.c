/*
 * What the cache of answers finds again, and what it gives up.
 */
#include "api/serving.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct buf body;

static struct reply answer(const char *text)
{
    struct reply reply = {.status = 200,
                          .content_type = "application/json",
                          .etag = "\"tag\"",
                          .body = &body};
    buf_clear(&body);
    buf_add_string(&body, text);
    return reply;
}

static void keep(struct answer_cache *cache, const char *key,
                 uint64_t generation, const char *text)
{
    struct reply reply = answer(text);
    answer_cache_keep(cache, text_of(key), generation, &reply);
}

/* The answer under KEY, "" for none. */
static const char *find(struct answer_cache *cache, const char *key,
                        uint64_t generation)
{
    struct reply reply = answer("");
    reply.for_everybody = true;
    if (!answer_cache_find(cache, &arena, text_of(key), generation, &reply))
        return "";
    CHECK_EQ_INT(reply.status, 200);
    CHECK_EQ_TEXT(reply.etag, "\"tag\"");
    CHECK_EQ_TEXT(reply.content_type, "application/json");
    CHECK(reply.for_everybody); /* the gate's word stays */
    return buf_string(&body);
}

TEST(an_answer_is_found_in_its_generation)
{
    struct answer_cache *cache = answer_cache_new(1 << 20);
    uint64_t first = answer_cache_generation(cache);
    keep(cache, "a", first, "one");
    keep(cache, "b", first, "two");
    CHECK_EQ_TEXT(find(cache, "a", first), "one");
    CHECK_EQ_TEXT(find(cache, "b", first), "two");
    CHECK_EQ_TEXT(find(cache, "c", first), "");
    keep(cache, "a", first, "three");
    CHECK_EQ_TEXT(find(cache, "a", first), "three");
    uint64_t second = answer_cache_advance(cache);
    CHECK(second != first);
    CHECK_EQ_TEXT(find(cache, "a", second), "");
    CHECK_EQ_TEXT(find(cache, "a", first), "");
    answer_cache_free(cache);
}

TEST(only_good_answers_are_kept)
{
    struct answer_cache *cache = answer_cache_new(1 << 20);
    struct reply reply = answer("x");
    reply.status = 503;
    answer_cache_keep(cache, text_of("a"), 0, &reply);
    CHECK_EQ_TEXT(find(cache, "a", 0), "");
    reply = answer("x");
    reply.etag = NULL;
    answer_cache_keep(cache, text_of("a"), 0, &reply);
    CHECK_EQ_TEXT(find(cache, "a", 0), "");
    answer_cache_free(cache);
}

TEST(the_least_used_answers_go_first)
{
    struct answer_cache *cache = answer_cache_new(20000);
    char key[24];
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key %d", i);
        keep(cache, key, 0, "a body of some length");
        CHECK_EQ_TEXT(find(cache, "key 0", 0), "a body of some length");
    }
    CHECK_EQ_TEXT(find(cache, "key 1", 0), "");
    CHECK_EQ_TEXT(find(cache, "key 199", 0), "a body of some length");
    answer_cache_free(cache);
}

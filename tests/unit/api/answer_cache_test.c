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

static struct store_moment moment(uint8_t number)
{
    return (struct store_moment){{number}};
}

static void keep(struct answer_cache *cache, const char *key, uint8_t number,
                 const char *text)
{
    struct reply reply = answer(text);
    struct store_moment at = moment(number);
    for (int i = 0; i < 2; i++) /* what is asked for once is not kept */
        answer_cache_keep(cache, text_of(key), &at, &reply);
}

/* The answer under KEY, "" for none. */
static const char *find(struct answer_cache *cache, const char *key,
                        uint8_t number)
{
    struct store_moment at = moment(number);
    struct reply reply = answer("");
    reply.for_everybody = true;
    if (!answer_cache_find(cache, &arena, text_of(key), &at, &reply))
        return "";
    CHECK_EQ_INT(reply.status, 200);
    CHECK_EQ_TEXT(reply.etag, "\"tag\"");
    CHECK_EQ_TEXT(reply.content_type, "application/json");
    CHECK(reply.for_everybody); /* the gate's word stays */
    return buf_string(&body);
}

TEST(an_answer_is_found_for_its_moment)
{
    struct answer_cache *cache = answer_cache_new(1 << 20);
    keep(cache, "a", 1, "one");
    keep(cache, "b", 1, "two");
    CHECK_EQ_TEXT(find(cache, "a", 1), "one");
    CHECK_EQ_TEXT(find(cache, "b", 1), "two");
    CHECK_EQ_TEXT(find(cache, "c", 1), "");
    keep(cache, "a", 1, "three");
    CHECK_EQ_TEXT(find(cache, "a", 1), "three");
    CHECK_EQ_TEXT(find(cache, "a", 2), "");
    CHECK_EQ_TEXT(find(cache, "a", 1), ""); /* it gave way */
    answer_cache_free(cache);
}

TEST(what_is_asked_for_once_is_not_kept)
{
    struct answer_cache *cache = answer_cache_new(1 << 20);
    struct store_moment at = moment(1);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_TEXT(find(cache, "a", 1), "");
        struct reply reply = answer("x");
        answer_cache_keep(cache, text_of("a"), &at, &reply);
    }
    CHECK_EQ_TEXT(find(cache, "a", 1), "x");
    at = moment(2); /* it is known from then on */
    struct reply reply = answer("y");
    answer_cache_keep(cache, text_of("a"), &at, &reply);
    CHECK_EQ_TEXT(find(cache, "a", 2), "y");
    answer_cache_free(cache);
}

TEST(what_goes_with_an_answer_is_kept_too)
{
    struct answer_cache *cache = answer_cache_new(1 << 20);
    struct store_moment at = moment(1);
    struct reply reply = answer("x");
    reply.link = "<next>";
    reply.cursor = "cursor";
    reply.is_list = true;
    answer_cache_keep(cache, text_of("a"), &at, &reply);
    answer_cache_keep(cache, text_of("a"), &at, &reply);
    reply = answer("");
    CHECK(answer_cache_find(cache, &arena, text_of("a"), &at, &reply));
    CHECK_EQ_TEXT(reply.link, "<next>");
    CHECK_EQ_TEXT(reply.cursor, "cursor");
    CHECK(reply.is_list);
    answer_cache_free(cache);
}

TEST(only_good_answers_are_kept)
{
    struct answer_cache *cache = answer_cache_new(1 << 20);
    struct store_moment at = moment(0);
    struct reply reply = answer("x");
    keep(cache, "b", 0, "x"); /* good ones are */
    CHECK_EQ_TEXT(find(cache, "b", 0), "x");
    reply.status = 503;
    answer_cache_keep(cache, text_of("a"), &at, &reply);
    answer_cache_keep(cache, text_of("a"), &at, &reply);
    CHECK_EQ_TEXT(find(cache, "a", 0), "");
    reply = answer("x");
    reply.etag = NULL;
    answer_cache_keep(cache, text_of("a"), &at, &reply);
    answer_cache_keep(cache, text_of("a"), &at, &reply);
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

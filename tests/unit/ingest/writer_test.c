/*
 * The writer's thread: batches of many senders, keys, calls, and what happens
 * when settling is asked for in between.
 */
#include "base/hash.h"
#include "ingest/ingest.h"

#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { SENDERS = 8, BATCHES = 20, LINE_BYTES = 256 };

static int settled;

static enum err count_settling(void *context, struct store *store, bool *more)
{
    (void)context;
    (void)store;
    *more = ++settled % 3 != 0;
    return ERR_NONE;
}

static struct writer *start(struct store **store)
{
    const struct writer_settings settings = {.settle = count_settling};
    struct writer *writer;
    REQUIRE_OK(store_open(store, test_path("store"), STORE_WRITE));
    REQUIRE_OK(writer_start(&writer, *store, &settings));
    return writer;
}

static struct text write_event(char line[LINE_BYTES], int number)
{
    int length = snprintf(line, LINE_BYTES,
                          "{\"id\":\"e%d\",\"type\":\"ai_stream_status\","
                          "\"timestamp\":\"17679000%05d\",\"gateway\":\"g\","
                          "\"data\":{\"stream_id\":\"s\"}}",
                          number, number);
    return (struct text){line, (size_t)length};
}

/* Sends one event as a batch; KEY may be null. */
static enum err send(struct writer *writer, struct record_batch *batch,
                     int number, const char *key, const char *body)
{
    char line[LINE_BYTES];
    struct text event = write_event(line, number);
    *batch = (struct record_batch){
        .origin = {.source = text_of("http"), .org = text_of("acme")},
        .body = event,
        .decoded_bytes = event.length};
    if (key) {
        batch->key.given = true;
        hash_sha256(key, strlen(key), batch->key.key);
        hash_sha256(body, strlen(body), batch->key.body);
    }
    return writer_take(writer, batch);
}

struct sender {
    struct writer *writer;
    int first;
    int failures;
};

static void *send_many(void *argument)
{
    struct sender *sender = argument;
    for (int i = 0; i < BATCHES; i++) {
        struct record_batch batch;
        enum err err =
            send(sender->writer, &batch, sender->first + i, NULL, NULL);
        sender->failures += err || batch.tally_count != 1 ||
                            batch.tallies[0].received != 1 ||
                            batch.tallies[0].duplicates != 0;
    }
    return NULL;
}

static enum err count_lines(void *context, struct store *store)
{
    bool row;
    struct query *query = query_start(store, QUERY_EVIDENCE_FEEDS);
    enum err err = query_step(query, &row);
    *(int64_t *)context = !err && row ? query_int(query, 5) : -1;
    return err ? err : query_run(query);
}

TEST(many_senders_are_answered_each)
{
    struct store *store;
    struct writer *writer = start(&store);
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    int64_t lines = 0;
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){writer, i * BATCHES, 0};
        REQUIRE(!pthread_create(&threads[i], NULL, send_many, &senders[i]));
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQ_INT(senders[i].failures, 0);
    }
    CHECK_OK(writer_call(writer, count_lines, &lines));
    CHECK_EQ_INT(lines, SENDERS * BATCHES);
    writer_stop(writer);
    CHECK(settled > 0);
    store_close(store);
}

TEST(a_key_is_answered_from_memory)
{
    struct store *store;
    struct writer *writer = start(&store);
    struct record_batch batch;
    CHECK_OK(send(writer, &batch, 1, "key", "body"));
    CHECK(!batch.repeated);
    CHECK_OK(send(writer, &batch, 1, "key", "body"));
    CHECK(batch.repeated);
    CHECK_EQ_INT(batch.tally_count, 1);
    CHECK_EQ_INT(batch.tallies[0].received, 1);
    CHECK_EQ_INT(batch.tallies[0].duplicates, 0);
    CHECK_EQ_TEXT(batch.tallies[0].reason, "");
    CHECK_ERR(send(writer, &batch, 2, "key", "other"), ERR_INPUT);
    CHECK_OK(send(writer, &batch, 1, "second", "body"));
    CHECK_EQ_INT(batch.tallies[0].duplicates, 1);
    writer_stop(writer);
    store_close(store);
}

static enum err fail(void *context, struct store *store)
{
    (void)context;
    (void)store;
    return err_set(ERR_ABSENT, "not here");
}

TEST(a_call_answers_with_its_own_sentence)
{
    struct store *store;
    struct writer *writer = start(&store);
    CHECK_ERR(writer_call(writer, fail, NULL), ERR_ABSENT);
    CHECK_EQ_TEXT(err_message(), "not here");
    writer_stop(writer);
    store_close(store);
}

TEST(memory_is_shared_out_and_given_back)
{
    enum { PIECE = 1 << 20, MOST = 4096 };
    struct store *store;
    struct writer *writer = start(&store);
    size_t had = 0;
    while (had < MOST && writer_reserve(writer, PIECE))
        had++;
    CHECK(had >= 8 && had <= 16);
    CHECK(!writer_reserve(writer, SIZE_MAX));
    writer_release(writer, PIECE);
    CHECK(writer_reserve(writer, PIECE));
    CHECK(!writer_reserve(writer, PIECE));
    writer_release(writer, had * PIECE);
    writer_stop(writer);
    store_close(store);
}

/* Beside batches, and in the order of the calls. */
TEST(entries_of_the_journal_go_through_the_writer)
{
    struct store *store;
    struct record_batch batch;
    struct journal_verdict verdict;
    bool found;
    struct writer *writer = start(&store);
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        const struct journal_entry entry = {.type = text_of("assay_note"),
                                            .id = text_of(id),
                                            .timestamp_ms = i,
                                            .vantage = text_of("")};
        REQUIRE_OK(writer_append(writer, &entry, 1));
        REQUIRE_OK(send(writer, &batch, i, NULL, NULL));
    }
    writer_stop(writer);
    struct query *query = query_start(store, QUERY_JOURNAL_HEAD);
    REQUIRE_OK(query_step(query, &found));
    REQUIRE(found);
    CHECK_EQ_INT(query_int(query, 0), 5);
    REQUIRE_OK(query_run(query));
    REQUIRE_OK(journal_verify(store, &verdict, NULL, NULL));
    CHECK_EQ_INT(verdict.entries, 5);
    CHECK_EQ_INT(verdict.defects, 0);
    store_close(store);
}

/* ---- work that nobody waits for ------------------------------------------ */

enum { POSTS = 40 };

struct post {
    int *order; /* next number */
    int ran;
    int told;
    enum err err;
};

static enum err run_post(void *context, struct store *store)
{
    struct post *post = context;
    (void)store;
    post->ran = ++*post->order;
    return post->ran % 2 ? ERR_NONE : err_set(ERR_FINDING, "an even one");
}

static void hear_post(void *context, enum err err, const char *sentence)
{
    struct post *post = context;
    post->err = err;
    post->told += err != ERR_FINDING || !strcmp(sentence, "an even one");
}

TEST(posted_work_is_done_in_order_and_told)
{
    struct store *store;
    struct post posts[POSTS];
    int order = 0;
    struct writer *writer = start(&store);
    for (int i = 0; i < POSTS; i++) {
        posts[i] = (struct post){.order = &order};
        writer_post(writer, run_post, &posts[i], hear_post);
    }
    writer_stop(writer); /* answers what waits */
    for (int i = 0; i < POSTS; i++) {
        CHECK_EQ_INT(posts[i].ran, i + 1);
        CHECK_EQ_INT(posts[i].told, 1);
        CHECK_EQ_INT(posts[i].err, i % 2 ? ERR_FINDING : ERR_NONE);
    }
    store_close(store);
}

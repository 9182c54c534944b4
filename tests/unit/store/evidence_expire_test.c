#include "store/store_int.h"

#include "base/clock.h"
#include "harness.h"

#include <string.h>

static const int64_t now_ms = 1000LL * MS_PER_DAY;

static struct store *opened(enum store_mode mode)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), mode));
    return store;
}

/* A sealed block of three lines that arrived DAYS ago; the days of its events
 * are FIRST_DAY and the next. Returns its first line. */
static int64_t add_block(struct store *store, const char *org,
                         enum evidence_class class, int days, int64_t first_day)
{
    int64_t first = 0;
    REQUIRE_OK(store_begin(store));
    for (int i = 0; i < 3; i++) {
        struct evidence_line line = {
            .source = text_of("http"),
            .org = text_of(org),
            .class = class,
            .arrival_ms = now_ms - days * (int64_t)MS_PER_DAY,
            .event_ms = (first_day + (i & 1)) * MS_PER_DAY + 5,
            .bytes = text_of("line"),
            .length = 4};
        REQUIRE_OK(evidence_append(store, &line));
        if (!first)
            first = line.line;
    }
    REQUIRE_OK(evidence_seal(store, true));
    REQUIRE_OK(store_commit(store));
    return first;
}

static enum err read_line(struct store *store, int64_t line)
{
    struct arena arena = {0};
    struct evidence_line found;
    enum err err = evidence_read(store, &arena, line, &found);
    arena_free(&arena);
    return err;
}

static void ignore(void *context, const char *defect)
{
    (void)context;
    CHECK_EQ_TEXT(defect, NULL);
}

static void check_verifies(struct store *store, uint64_t expired)
{
    struct evidence_verdict verdict;
    REQUIRE_OK(evidence_verify(store, &verdict, ignore, NULL, NULL));
    CHECK_EQ_INT(verdict.defects, 0);
    CHECK_EQ_INT(verdict.blocks_expired, expired);
}

static void check_days(struct store *store, const char *wanted)
{
    struct buf days = {0};
    bool row;
    struct query *query = query_start(store, QUERY_EVIDENCE_EXPIRED_DAYS);
    REQUIRE_OK(query_step(query, &row));
    while (row) {
        struct text org = query_text(query, 0);
        buf_printf(&days, "%.*s %lld;", (int)org.length, org.data,
                   (long long)query_int(query, 1) / MS_PER_DAY);
        CHECK_EQ_INT(query_int(query, 1) % MS_PER_DAY, 0);
        REQUIRE_OK(query_step(query, &row));
    }
    CHECK_EQ_TEXT(buf_string(&days), wanted);
    buf_free(&days);
}

TEST(age_takes_each_class_at_its_own_limit)
{
    uint64_t dropped;
    struct store *store = opened(STORE_WRITE);
    int64_t old = add_block(store, "a", EVIDENCE_ACCEPTED, 91, 10);
    int64_t young = add_block(store, "a", EVIDENCE_ACCEPTED, 89, 11);
    int64_t ignored = add_block(store, "a", EVIDENCE_IGNORED, 8, 12);
    int64_t rejected = add_block(store, "a", EVIDENCE_REJECTED, 800, 13);
    struct evidence_limits limits = {.accepted_days = 90, .ignored_days = 7};
    REQUIRE_OK(read_line(store, old));
    REQUIRE_OK(evidence_expire(store, now_ms, &limits, &dropped));
    CHECK_EQ_INT(dropped, 2);
    CHECK_ERR(read_line(store, old), ERR_ABSENT);
    CHECK(strstr(err_message(), "has expired") != NULL);
    CHECK_ERR(read_line(store, ignored + 1), ERR_ABSENT);
    CHECK_OK(read_line(store, young));
    CHECK_OK(read_line(store, rejected));
    check_days(store, "a 10;a 11;");
    check_verifies(store, 2);
    REQUIRE_OK(evidence_expire(store, now_ms, &limits, &dropped));
    CHECK_EQ_INT(dropped, 0);
    /* The chain goes on behind the gap. */
    add_block(store, "a", EVIDENCE_ACCEPTED, 0, 20);
    check_verifies(store, 2);
    store_close(store);
}

static enum err count_line(void *context, const struct evidence_line *line)
{
    int *count = context;
    CHECK(text_is(line->bytes, "line"));
    ++*count;
    return ERR_NONE;
}

TEST(size_takes_the_oldest_blocks_first)
{
    uint64_t dropped;
    int count = 0;
    struct store *store = opened(STORE_WRITE);
    for (int i = 0; i < 10; i++)
        add_block(store, i & 1 ? "b" : "a", EVIDENCE_ACCEPTED, 0, i);
    bool row;
    struct query *query = query_start(store, QUERY_EVIDENCE_TOTALS);
    REQUIRE_OK(query_step(query, &row));
    int64_t bytes = query_int(query, 1);
    REQUIRE_OK(query_run(query));
    struct evidence_limits limits = {.max_bytes = bytes * 29 / 40};
    REQUIRE_OK(evidence_expire(store, now_ms, &limits, &dropped));
    CHECK_EQ_INT(dropped, 3);
    check_days(store, "a 0;a 1;a 2;a 3;b 1;b 2;");
    REQUIRE_OK(evidence_walk(store, 0, count_line, &count));
    CHECK_EQ_INT(count, 21);
    check_verifies(store, 3);
    store_close(store);
}

TEST(an_open_block_past_the_limit_is_sealed_and_dropped)
{
    uint64_t dropped;
    struct evidence_limits limits = {.accepted_days = 1};
    struct evidence_line line = {.source = text_of("http"),
                                 .org = text_of("quiet"),
                                 .arrival_ms = now_ms - 2LL * MS_PER_DAY,
                                 .event_ms = INT64_MIN,
                                 .bytes = text_of("x"),
                                 .length = 1};
    struct store *store = opened(STORE_WRITE);
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(evidence_append(store, &line));
    line.org = text_of("busy");
    REQUIRE_OK(evidence_append(store, &line));
    line.arrival_ms = now_ms;
    REQUIRE_OK(evidence_append(store, &line));
    REQUIRE_OK(evidence_expire(store, now_ms, &limits, &dropped));
    CHECK_EQ_INT(dropped, 1);
    REQUIRE_OK(evidence_append(store, &line));
    REQUIRE_OK(store_commit(store));
    check_verifies(store, 1);
    check_days(store, "");
    store_close(store);
}

TEST(expiry_that_is_rolled_back_has_not_happened)
{
    uint64_t dropped;
    struct evidence_limits limits = {.accepted_days = 1};
    struct store *store = opened(STORE_WRITE);
    int64_t old = add_block(store, "a", EVIDENCE_ACCEPTED, 3, 1);
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(evidence_expire(store, now_ms, &limits, &dropped));
    CHECK_EQ_INT(dropped, 1);
    store_rollback(store);
    CHECK_OK(read_line(store, old));
    check_verifies(store, 0);
    store_close(store);
}

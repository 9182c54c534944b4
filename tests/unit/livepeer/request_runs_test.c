/*
 * request_runs_test.c: sets of lines with events of requests, and their stored
 * form.
 */
#include "../harness.h"

#include "livepeer/livepeer.h"

#include <string.h>

static struct arena arena;

static const int64_t hour = INT64_C(1767225600000);

static int64_t line_of(int64_t block, int64_t index)
{
    return block << REQUEST_RUN_LINE_BITS | index;
}

static struct request_mark mark_of(int64_t block, int64_t index, int64_t after,
                                   const char *recipient)
{
    const struct request_event event = {.kind = REQUEST_PAYMENT,
                                        .line = line_of(block, index),
                                        .ts = hour + after,
                                        .address = text_of(recipient),
                                        .request_id =
                                            text_of(index % 2 ? "request" : ""),
                                        .session_id = text_of("session")};
    return request_mark_of(&event);
}

static struct request_runs runs_of_two_blocks(void)
{
    struct request_mark marks[] = {
        mark_of(7, 65535, 3599999, "0xb"), mark_of(3, 9, 200, "0xa"),
        mark_of(3, 2, 100, "0xa"), mark_of(7, 0, 3000000, "0xa")};
    return request_runs_of(&arena, marks, 4, NULL, 0);
}

static struct text stored(const struct request_runs *runs)
{
    struct buf bytes = {0};
    request_runs_encode(&bytes, hour, runs);
    struct text text = {arena_text(&arena, bytes.data, bytes.length),
                        bytes.length};
    buf_free(&bytes);
    return text;
}

static bool decodes(struct text bytes, struct request_runs *runs)
{
    return request_runs_decode(&arena, bytes, hour, runs);
}

TEST(lines_of_requests_are_kept_by_block)
{
    struct request_runs runs = runs_of_two_blocks();
    struct request_runs read;
    REQUIRE(decodes(stored(&runs), &read));
    REQUIRE(read.count == 2);
    CHECK_EQ_INT(read.list[0].block, 3);
    CHECK_EQ_INT(read.list[0].line_count, 2);
    CHECK_EQ_INT(read.list[0].lines[0], line_of(3, 2));
    CHECK_EQ_INT(read.list[0].lines[1], line_of(3, 9));
    CHECK_EQ_INT(read.list[0].first_ts, hour + 100);
    CHECK_EQ_INT(read.list[0].last_ts, hour + 200);
    CHECK_EQ_INT(read.list[0].name_count, 3); /* once, and of line 9 alone */
    CHECK_EQ_INT(read.list[1].lines[1], line_of(7, 65535));
    CHECK_EQ_INT(read.list[1].last_ts, hour + 3599999);
    CHECK_EQ_INT(read.list[1].name_count, 4);
    arena_free(&arena);
}

TEST(lines_of_requests_are_a_set_in_whichever_order_they_come)
{
    struct request_runs all = runs_of_two_blocks();
    struct request_mark marks[] = {
        mark_of(3, 9, 200, "0xa"), mark_of(7, 0, 3000000, "0xa"),
        mark_of(3, 2, 100, "0xa"), mark_of(7, 65535, 3599999, "0xb")};
    struct request_runs joined = {0};
    for (size_t i = 0; i < 4; i++) {
        struct request_runs one =
            request_runs_of(&arena, &marks[i], 1, NULL, 0);
        joined = request_runs_join(&arena, &one, &joined);
        joined = request_runs_join(&arena, &joined, &one);
    }
    CHECK(text_equal(stored(&joined), stored(&all)));
    arena_free(&arena);
}

TEST(lines_of_requests_that_are_taken_back_are_gone)
{
    struct request_runs all = runs_of_two_blocks();
    int64_t lines[] = {line_of(7, 65535), line_of(3, 9), line_of(3, 2),
                       line_of(5, 5)};
    struct request_runs less = request_runs_of(&arena, NULL, 0, lines, 4);
    struct request_runs read;
    REQUIRE(decodes(stored(&less), &read));
    CHECK_EQ_INT(read.removed_count, 4);
    CHECK_EQ_INT(read.removed[3], line_of(7, 65535));
    struct request_runs left = request_runs_join(&arena, &all, &read);
    REQUIRE(left.count == 1);
    CHECK_EQ_INT(left.removed_count, 0);
    CHECK_EQ_INT(left.list[0].line_count, 1);
    CHECK_EQ_INT(left.list[0].lines[0], line_of(7, 0));
    CHECK(left.list[0].lost_some);
    CHECK_EQ_INT(all.list[1].line_count, 2); /* as it was */
    arena_free(&arena);
}

static bool may_hold(const struct request_run *run, int64_t from, int64_t until,
                     const char *name)
{
    uint16_t names[] = {request_name(text_of(name ? name : ""))};
    return request_run_may_hold(run, hour + from, hour + until, names,
                                name != NULL);
}

TEST(lines_of_requests_are_asked_for_by_time_and_name)
{
    struct request_runs runs = runs_of_two_blocks();
    const struct request_run *run = &runs.list[0]; /* 100 to 200, 0xa */
    CHECK(may_hold(run, 0, 101, NULL) && may_hold(run, 200, 900, NULL));
    CHECK(!may_hold(run, 0, 100, NULL) && !may_hold(run, 201, 900, NULL));
    CHECK(may_hold(run, 0, 900, "0xa") && may_hold(run, 0, 900, "session"));
    CHECK(may_hold(run, 0, 900, "request"));
    CHECK(!may_hold(run, 0, 900, "0xb"));
    arena_free(&arena);
}

TEST(stored_lines_of_requests_that_are_cut_or_longer_are_refused)
{
    struct request_runs runs = runs_of_two_blocks();
    struct text bytes = stored(&runs);
    for (size_t length = 0; length < bytes.length; length++)
        CHECK(!decodes((struct text){bytes.data, length}, &runs));
    char *longer = arena_text(&arena, bytes.data, bytes.length + 1);
    longer[bytes.length] = 0;
    CHECK(!decodes((struct text){longer, bytes.length + 1}, &runs));
    arena_free(&arena);
}

TEST(stored_lines_of_requests_beyond_bounds_are_refused)
{
    static const struct {
        const char *bytes;
        size_t length;
        bool sound;
    } cases[] = {
        {"\1\1\0\0\1\2\0\0", 8, true},
        {"\1\1\0\0\0\0\0", 7, false}, /* a run of no lines */
        {"\1\1\0\0\1\377\377\3\0\0", 10, true},
        {"\1\1\0\0\1\200\200\4\0\0", 10, false},     /* of the next block */
        {"\1\1\377\334\333\1\0\1\2\0\0", 11, true},  /* the hour's last ms */
        {"\1\1\377\334\333\1\1\1\2\0\0", 11, false}, /* and one more */
        {"\1\1\200\335\333\1\0\1\2\0\0", 11, false},
        {"\1\1\0\0\1\2\1\377\377\3\0", 11, true}, /* the last name */
        {"\1\1\0\0\1\2\2\377\377\3\0\0", 12, false},
        {"\377\377\377\377\17", 5, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request_runs runs;
        CHECK_EQ_INT(
            decodes((struct text){cases[i].bytes, cases[i].length}, &runs),
            cases[i].sound);
    }
    arena_free(&arena);
}

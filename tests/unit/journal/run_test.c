/*
 * A run as a line of evidence and back; and the closed lists.
 */
#include "journal/journal.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

static struct run live_run(void)
{
    struct run run = run_empty();
    run.run_id = text_of("00000000-0000-4000-8000-000000000001");
    run.kind = text_of(RUN_KIND_LIVE);
    run.orchestrator_url = text_of("https://127.0.0.1:8935");
    run.model_id = text_of("noop");
    run.vantage = text_of("here");
    run.started_at = INT64_C(1767910000123);
    run.ptff_ms = 812.3456789;
    run.output_fps = 23.976023976;
    run.jitter_fps = 0.0012345678;
    run.restarts = 0;
    run.bytes_out = INT64_C(123456789012);
    run.cold = 1;
    run.cost_wei = INT64_MAX;
    run_conclude(&run, REASON_NONE);
    return run;
}

static const char *line_of(struct run *run, const struct run_samples *samples,
                           struct journal_head *head)
{
    struct buf out = {0};
    struct journal_entry entry = run_entry(&arena, run, samples);
    journal_line(&out, &entry, head);
    const char *line = arena_text(&arena, out.data, out.length);
    buf_free(&out);
    return line;
}

TEST(a_run_is_written_in_integers)
{
    struct run run = live_run();
    struct journal_head head = {0};
    CHECK_EQ_TEXT(
        line_of(&run, NULL, &head),
        "{\"id\":\"00000000-0000-4000-8000-000000000001\","
        "\"type\":\"assay_run\",\"timestamp\":\"1767910000123\","
        "\"gateway\":\"here\",\"data\":{\"seq\":1,\"previous\":\""
        "0000000000000000000000000000000000000000000000000000000000000000\","
        "\"run_id\":\"00000000-0000-4000-8000-000000000001\","
        "\"kind\":\"live\",\"orchestrator_url\":\"https://127.0.0.1:8935\","
        "\"model_id\":\"noop\",\"vantage\":\"here\","
        "\"started_at_ms\":1767910000123,\"outcome\":\"ok\","
        "\"ptff_us\":812346,\"output_fps_ppm\":23976024,"
        "\"jitter_fps_ppm\":1235,\"restarts\":0,\"bytes_out\":123456789012,"
        "\"cold\":1,\"cost_wei\":\"9223372036854775807\"}}");
    CHECK_EQ_INT(head.seq, 1);
    arena_free(&arena);
}

TEST(a_run_reads_back_as_it_was_left)
{
    struct run run = live_run();
    struct run read;
    struct journal_head head = {0};
    struct journal_line line;
    const char *bytes = line_of(&run, NULL, &head);
    CHECK_EQ_DOUBLE(run.ptff_ms, 812.346);
    CHECK_EQ_DOUBLE(run.output_fps, 23.976024);
    REQUIRE_OK(journal_read(&arena, text_of(bytes), &line));
    REQUIRE_OK(run_read(&arena, &line, &read));
    CHECK(fields_equal(run_fields, &run, &read));
    CHECK(isnan(read.e2e_p50_ms));
    CHECK(!read.gpu_id.data && !read.reason.data);
    CHECK_EQ_INT(read.idle, ABSENT_INT);
    arena_free(&arena);
}

TEST(samples_are_tied_to_their_run)
{
    static const int64_t arrivals[] = {1000, 1042, INT64_MAX, INT64_MIN, -5};
    const struct sample_series series[] = {{"frame_arrival_us", arrivals, 5},
                                           {"none", NULL, 0}};
    const struct received_bytes received[] = {
        {"event", 17, {"\x00\xff\"", 3}},
        {"flood",
         18,
         {memory_zeroed(1, RUN_RECEIVED_BYTES_MAX), RUN_RECEIVED_BYTES_MAX}},
        {"last", 19, {"z", 1}}};
    const struct run_samples samples = {series, 2, received, 3};
    struct run run = live_run();
    struct journal_entry entry = run_entry(&arena, &run, &samples);
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    hash_sha256(entry.attachment.data, entry.attachment.length, hash);
    hash_hex(hash, sizeof hash, hex);
    CHECK_EQ_TEXT(string(run.samples_sha256), hex);
    CHECK(strstr(string(entry.attachment),
                 "\"series\":{\"frame_arrival_us\":[1000,42,"));
    struct journal_line line;
    struct run_samples read;
    REQUIRE_OK(journal_read(&arena, entry.attachment, &line));
    CHECK_EQ_INT(line.seq, 0);
    REQUIRE_OK(run_samples_read(&arena, &line, &read));
    REQUIRE(read.series_count == 2 && read.received_count == 3);
    CHECK_EQ_TEXT(read.series[0].name, "frame_arrival_us");
    CHECK_EQ_INT(read.series[0].count, 5);
    CHECK_EQ_MEMORY(read.series[0].values, arrivals, sizeof arrivals);
    CHECK_EQ_INT(read.series[1].count, 0);
    CHECK_EQ_INT(read.received[0].at_us, 17);
    CHECK_EQ_INT(read.received[0].bytes.length, 3);
    CHECK_EQ_MEMORY(read.received[0].bytes.data, "\x00\xff\"", 3);
    CHECK_EQ_INT(read.received[1].bytes.length, 0);
    CHECK(strstr(string(entry.attachment), "\"length\":1048576,\"sha256\":"));
    CHECK_EQ_TEXT(string(read.received[2].bytes), "z");
    free((void *)(uintptr_t)received[1].bytes.data);
    arena_free(&arena);
}

TEST(texts_of_others_are_cut_and_made_text)
{
    struct run run = live_run();
    char *longer = memory_zeroed(1, 2 * RUN_TEXT_MAX_BYTES);
    memset(longer, 'x', 2 * RUN_TEXT_MAX_BYTES);
    run.reported_state = (struct text){longer, 2 * RUN_TEXT_MAX_BYTES};
    run.version = text_of("0.\xff.1");
    struct journal_head head = {0};
    struct journal_line line;
    struct run read;
    const char *bytes = line_of(&run, NULL, &head);
    REQUIRE_OK(journal_read(&arena, text_of(bytes), &line));
    REQUIRE_OK(run_read(&arena, &line, &read));
    CHECK_EQ_INT(read.reported_state.length, RUN_TEXT_MAX_BYTES);
    CHECK_EQ_TEXT(string(read.version), "0.\xef\xbf\xbd.1");
    CHECK(fields_equal(run_fields, &run, &read));
    free(longer);
    arena_free(&arena);
}

TEST(figures_beyond_reason_become_null)
{
    static const struct {
        double figure;
        double kept;
    } rows[] = {{1e300, NAN},
                {(double)INFINITY, NAN},
                {-1e300, NAN},
                {0.0004, 0},
                {0.0005, 0.001},
                {-1.5, -1.5},
                {999999999999.999, 999999999999.999},
                {1e12, NAN}};
    EACH_ROW (row, rows) {
        struct run run = live_run();
        run.ptff_ms = row->figure;
        run_round(&run);
        CHECK_EQ_DOUBLE(run.ptff_ms, (double)row->kept);
    }
}

TEST(a_line_that_is_no_run_is_refused)
{
#define HEAD                                                                   \
    "{\"id\":\"i\",\"type\":\"assay_run\",\"timestamp\":\"1\",\"gateway\":"    \
    "\"\",\"data\":{"
#define GOOD "\"run_id\":\"i\",\"started_at_ms\":1,"
    static const struct {
        const char *line;
        const char *message; /* null where it is read */
    } rows[] = {
        {HEAD GOOD "\"outcome\":\"ok\"}}", NULL},
        {HEAD GOOD "\"outcome\":\"busy\","
                   "\"reason\":\"insufficient_capacity\"}}",
         NULL},
        {HEAD GOOD "\"outcome\":\"ok\",\"reason\":null}}", NULL},
        {HEAD GOOD "\"outcome\":\"busy\",\"reason\":\"no_output\"}}",
         "its outcome and reason do not fit"},
        {HEAD GOOD "\"outcome\":\"failed\"}}",
         "its outcome and reason do not fit"},
        {HEAD GOOD "\"outcome\":\"fine\"}}",
         "its outcome and reason do not fit"},
        {HEAD GOOD "\"outcome\":\"failed\",\"reason\":\"\"}}",
         "its outcome and reason do not fit"},
        {HEAD GOOD "\"x\":1}}", "its outcome and reason do not fit"},
        {HEAD "\"run_id\":\"j\",\"started_at_ms\":1,\"outcome\":\"ok\"}}",
         "run_id or start are not the line's own"},
        {HEAD "\"run_id\":\"i\",\"outcome\":\"ok\"}}",
         "run_id or start are not the line's own"},
        {HEAD GOOD "\"outcome\":\"ok\",\"ptff_us\":1.5}}",
         "its ptff_us has a wrong type"},
        {HEAD GOOD "\"outcome\":\"ok\",\"ptff_us\":\"1\"}}",
         "its ptff_us has a wrong type"},
        {HEAD GOOD "\"outcome\":\"ok\",\"cost_wei\":1}}",
         "its cost_wei has a wrong type"},
        {HEAD GOOD "\"outcome\":\"ok\",\"cost_wei\":\"\"}}",
         "its cost_wei has a wrong type"},
        {HEAD GOOD "\"outcome\":\"ok\",\"cost_wei\":\"-1\"}}",
         "its cost_wei has a wrong type"},
        {HEAD GOOD "\"outcome\":\"ok\",\"cost_wei\":\"9223372036854775808\"}}",
         "its cost_wei has a wrong type"},
        {HEAD GOOD "\"outcome\":\"ok\",\"kind\":1}}",
         "its kind has a wrong type"},
        {HEAD GOOD "\"outcome\":\"ok\",\"seq\":0}}",
         "its seq or previous is damaged"},
        {HEAD GOOD "\"outcome\":\"ok\",\"seq\":1,\"previous\":\"00\"}}",
         "its seq or previous is damaged"},
        {"{\"id\":\"i\",\"type\":\"x\",\"timestamp\":\"1\",\"data\":{}}",
         "it is no run"},
        {"{\"id\":\"i\",\"type\":\"assay_run\",\"timestamp\":1,\"data\":{}}",
         "its timestamp is no time in milliseconds"},
        {"{\"id\":\"i\",\"timestamp\":\"1\"}", "it lacks an id or data"},
        {"{\"timestamp\":\"1\",\"data\":{}}", "it lacks an id or data"},
        {"[]", "it is no JSON object"},
        {"{", "it is no JSON object"},
    };
#undef GOOD
#undef HEAD
    EACH_ROW (row, rows) {
        struct journal_line line;
        struct run run;
        enum err err = journal_read(&arena, text_of(row->line), &line);
        if (!err)
            err = run_read(&arena, &line, &run);
        CHECK_EQ_INT(err, row->message ? ERR_INPUT : ERR_NONE);
        if (row->message)
            CHECK_EQ_TEXT(err_message(), row->message);
    }
    arena_free(&arena);
}

TEST(every_reason_has_one_name_and_one_outcome)
{
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct reason_entry *entry = reason_entry((enum reason)i);
        enum reason found;
        REQUIRE(entry->name && entry->meaning);
        CHECK((entry->outcome == OUTCOME_OK) == (i == REASON_NONE));
        if (i != REASON_NONE) {
            CHECK(reason_named(text_of(entry->name), &found));
            CHECK_EQ_INT(found, i);
        }
        struct run run = live_run();
        run_conclude(&run, (enum reason)i);
        CHECK_EQ_TEXT(string(run.outcome), outcome_name(entry->outcome));
        CHECK(!run.reason.data == (i == REASON_NONE));
    }
    enum reason reason;
    enum outcome outcome;
    CHECK(!reason_named(text_of(""), &reason));
    CHECK(!reason_named(text_of("insufficient"), &reason));
    CHECK(!outcome_named(text_of(""), &outcome));
    arena_free(&arena);
}

TEST(a_run_id_is_a_random_uuid)
{
    uint8_t random[16];
    char id[37];
    memset(random, 0xff, sizeof random);
    run_id_text(random, id);
    CHECK_EQ_TEXT(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    memset(random, 0, sizeof random);
    run_id_text(random, id);
    CHECK_EQ_TEXT(id, "00000000-0000-4000-8000-000000000000");
}

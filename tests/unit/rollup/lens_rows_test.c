#include "rollup/lens_rows.h"

#include "base/clock.h"
#include "harness.h"
#include "rollup/row_diff.h"

#include <math.h>
#include <string.h>

static struct arena arena;

struct sample_row {
    struct text name;
    int64_t count;
    double ratio;
};

static const struct field sample_list[] = {FIELD(TEXT, sample_row, name),
                                           FIELD(INT, sample_row, count),
                                           FIELD(DOUBLE, sample_row, ratio)};
static const struct fields sample_fields = FIELDS(sample_list, 0);

static struct sample_row sample(const char *name, int64_t count, double ratio)
{
    return (struct sample_row){name ? text_of(name) : (struct text){NULL, 0},
                               count, ratio};
}

TEST(a_difference_gives_the_other_row)
{
    const struct {
        struct sample_row base, row;
        size_t bytes;
    } rows[] = {
        {sample("a", 1, 0.5), sample("a", 1, 0.5), 0},
        {sample("a", 1, 0.5), sample("a", 2, 0.5), 2},
        {sample("a", 1, 0.5), sample("bc", 1, 0.5), 4},
        {sample("a", 1, 0.5), sample("a", 1, 0.25), 9},
        {sample("a", 1, 0.5), sample(NULL, ABSENT_INT, (double)NAN), 3},
        {sample(NULL, ABSENT_INT, (double)NAN), sample("", -7, -0.0), 13},
    };
    EACH_ROW (row, rows) {
        struct buf bytes = {0};
        row_diff_encode(&bytes, sample_fields, &row->base, &row->row);
        CHECK_EQ_INT(bytes.length, row->bytes);
        struct sample_row got = row->base;
        CHECK(row_diff_decode((struct text){(char *)bytes.data, bytes.length},
                              sample_fields, &got));
        CHECK(fields_equal(sample_fields, &got, &row->row));
        buf_free(&bytes);
    }
}

TEST(damaged_differences_are_refused)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
        {"\x06", 1}, /* no field of that number */
        {"\x02", 1}, /* a number that is not there */
        {"\x00\x05"
         "ab",
         4},             /* a text that is too short */
        {"\x04\x00", 2}, /* half a double */
        {"\x80", 1},
    };
    EACH_ROW (row, rows) {
        struct sample_row got = sample("a", 1, 0.5);
        CHECK(!row_diff_decode((struct text){row->bytes, row->length},
                               sample_fields, &got));
    }
}

/* ---- sessions ------------------------------------------------------------ */

enum { HOURS = 2 };
#define HOUR INT64_C(1767906000000)

static struct folded folded_session(void)
{
    struct folded folded = {.exists = true};
    fields_clear(session_fields, &folded.row);
    folded.row.session_key = text_of("o|s|r");
    folded.row.org = text_of("o");
    folded.row.started_at = HOUR + 5;
    folded.row.last_seen = HOUR + MS_PER_HOUR + 5;
    folded.row.ptff_ms = 3000;
    folded.row.inferred_swap = 0;
    folded.row.card.gpu_memory_bytes_total = ABSENT_INT;
    folded.hours.rows = arena_array(&arena, HOURS, sizeof(struct hour_row));
    folded.gateways.rows =
        arena_array(&arena, HOURS, sizeof(struct gateway_hour_row));
    folded.hours.count = folded.gateways.count = HOURS;
    for (size_t i = 0; i < HOURS; i++) {
        struct hour_row *hour = &folded.hours.rows[i];
        hour->org = folded.row.org;
        hour->session_key = folded.row.session_key;
        hour->hour = HOUR + (int64_t)i * MS_PER_HOUR;
        hour->orchestrator_address = hour->pipeline_id = text_of("");
        hour->fps_sum = hour->latency_sum = text_of("sum");
        hour->status_samples = 4;
        hour->counts_session = 1;
        hour->fps_jitter = (double)NAN;
        hour->card.gpu_memory_bytes_total = ABSENT_INT;
        struct gateway_hour_row *gateway = &folded.gateways.rows[i];
        gateway->org = folded.row.org;
        gateway->session_key = folded.row.session_key;
        gateway->hour = hour->hour;
        gateway->gateway = text_of("g");
        gateway->status_samples = gateway->fps_positive_samples = 4;
        gateway->fps_sum = text_of("sum");
    }
    return folded;
}

TEST(a_lens_that_has_the_same_rows_costs_nothing)
{
    struct folded published = folded_session();
    struct folded other = folded_session();
    lens_rows_keep(&arena, &published, &other);
    CHECK(!published.row.assay.data);
    CHECK_EQ_INT(published.row.assay_start, ABSENT_INT);
    for (size_t i = 0; i < HOURS; i++) {
        CHECK(!published.hours.rows[i].assay.data);
        CHECK(!published.gateways.rows[i].assay.data);
        struct hour_list parts;
        REQUIRE(lens_hour_parts(&arena, &published.hours.rows[i], &parts));
        CHECK_EQ_INT(parts.count, 1);
        CHECK(fields_equal(hour_lens_fields, &parts.rows[0],
                           &other.hours.rows[i]));
    }
    arena_free(&arena);
}

TEST(rows_of_a_lens_come_back_as_they_were)
{
    struct folded published = folded_session();
    struct folded other = folded_session();
    other.row.ptff_ms = 6000;
    other.row.started_at += MS_PER_HOUR;
    other.row.inferred_swap = 1;
    /* Hour 0 has a part that was left beside its own, hour 1 has none. */
    other.hours.rows[1] = other.hours.rows[0];
    other.hours.rows[1].part = HOUR_LEFT;
    other.hours.rows[1].orchestrator_address = text_of("0x1");
    other.hours.rows[1].gpu_id = text_of("GPU");
    other.hours.rows[1].charges_swap = 1;
    other.hours.rows[0].fps_sum = text_of("another");
    other.gateways.count = 1;
    other.gateways.rows[0].fps_positive_samples = 3;
    lens_rows_keep(&arena, &published, &other);

    struct session_row session;
    struct gateway_hour_row gateway;
    struct hour_list parts;
    bool exists;
    REQUIRE(lens_session(&published.row, &session, &exists) && exists);
    CHECK(fields_equal(session_lens_fields, &session, &other.row));
    CHECK_EQ_INT(published.row.assay_start, HOUR + MS_PER_HOUR);
    REQUIRE(lens_hour_parts(&arena, &published.hours.rows[0], &parts));
    REQUIRE(parts.count == 2);
    for (size_t i = 0; i < 2; i++)
        CHECK(fields_equal(hour_lens_fields, &parts.rows[i],
                           &other.hours.rows[i]));
    REQUIRE(lens_hour_parts(&arena, &published.hours.rows[1], &parts));
    CHECK_EQ_INT(parts.count, 0);
    REQUIRE(lens_gateway_hour(&published.gateways.rows[0], &gateway, &exists));
    CHECK(exists && gateway.fps_positive_samples == 3);
    REQUIRE(lens_gateway_hour(&published.gateways.rows[1], &gateway, &exists));
    CHECK(!exists);
    arena_free(&arena);
}

TEST(a_session_that_the_lens_does_not_know_is_told_from_a_damaged_one)
{
    struct folded published = folded_session();
    struct folded other = {0};
    struct session_row session;
    bool exists;
    lens_rows_keep(&arena, &published, &other);
    REQUIRE(session_of_assay(&published.row, &session, &exists) == ERR_NONE);
    CHECK(!exists);
    published.row.assay = text_of("\x02");
    CHECK_EQ_INT(session_of_assay(&published.row, &session, &exists),
                 ERR_CORRUPT);
    published.row.assay = text_of("");
    CHECK_EQ_INT(session_of_assay(&published.row, &session, &exists),
                 ERR_CORRUPT);
    arena_free(&arena);
}

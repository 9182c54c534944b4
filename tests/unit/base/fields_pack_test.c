#include "base/fields_pack.h"

#include "harness.h"

#include <float.h>
#include <math.h>

struct sample_row {
    struct text key;
    struct text name;
    int64_t count;
    double ratio;
    double sum;
    int64_t window_start;
    int64_t position;
};

static const struct field sample_list[] = {
    FIELD(TEXT, sample_row, key),     FIELD(TEXT, sample_row, name),
    FIELD(INT, sample_row, count),    FIELD(DOUBLE, sample_row, ratio),
    FIELD(DOUBLE, sample_row, sum),   FIELD(WINDOW, sample_row, window_start),
    FIELD(INT, sample_row, position),
};
static const struct fields sample_fields =
    PACKED_FIELDS(sample_list, 1, 1, 1, NULL);

static struct sample_row sample(const char *name, int64_t count, double ratio,
                                double sum)
{
    return (struct sample_row){.key = text_of("key"),
                               .name = name ? text_of(name)
                                            : (struct text){NULL, 0},
                               .count = count,
                               .ratio = ratio,
                               .sum = sum,
                               .position = 9};
}

TEST(the_fields_between_the_columns_are_packed)
{
    CHECK_EQ_INT(sample_fields.count, 7);
    CHECK_EQ_INT(sample_fields.exported, 6);
    CHECK_EQ_INT(sample_fields.packed_from, 1);
    CHECK_EQ_INT(sample_fields.packed, 5);
}

TEST(packed_fields_are_read_back_to_the_bit)
{
    const struct {
        struct sample_row row;
        size_t bytes; /* two of forms, then the values */
    } rows[] = {
        {sample(NULL, ABSENT_INT, (double)NAN, (double)NAN), 2},
        {sample("", 0, 0, 1), 2 + 1 + 0 + 1 + 1},
        {sample("ab", 1, -1, 8199), 2 + 3 + 0 + 1 + 3},
        {sample("", -2, 0.5, 0.1), 2 + 1 + 1 + 4 + 8},
        {sample("", INT64_MAX, -0.0, DBL_MAX), 2 + 1 + 10 + 4 + 8},
        {sample("", INT64_MIN + 1, (double)INFINITY, DBL_MIN),
         2 + 1 + 10 + 4 + 8},
        {sample("", 63, 9007199254740992.0, 9007199254740994.0),
         2 + 1 + 1 + 8 + 8},
    };
    EACH_ROW (row, rows) {
        struct buf bytes = {0};
        fields_pack(&bytes, sample_fields, &row->row);
        CHECK_EQ_INT(bytes.length, row->bytes);
        struct sample_row got = {.key = text_of("key"), .position = 9};
        CHECK(fields_unpack((struct text){bytes.data, bytes.length},
                            sample_fields, &got));
        CHECK(fields_equal(sample_fields, &got, &row->row));
        buf_free(&bytes);
    }
}

TEST(damaged_packs_are_refused_and_leave_no_figure)
{
    struct sample_row row = sample("ab", 77, 0.1, 0.5);
    struct buf bytes = {0};
    fields_pack(&bytes, sample_fields, &row);
    for (size_t length = 0; length < bytes.length; length++) {
        struct sample_row got = {.position = 9};
        CHECK(!fields_unpack((struct text){bytes.data, length}, sample_fields,
                             &got));
        CHECK(isnan(got.sum));
        CHECK_EQ_INT(got.position, 9);
    }
    buf_add_byte(&bytes, 0);
    struct sample_row got = {0};
    CHECK(!fields_unpack((struct text){bytes.data, bytes.length}, sample_fields,
                         &got));
    buf_free(&bytes);
}

/* ---- what follows from the others ---------------------------------------- */

struct mean_row {
    int64_t position;
    double sum;
    int64_t count;
    double mean;
};

static const struct field mean_list[] = {
    FIELD(INT, mean_row, position), FIELD(DOUBLE, mean_row, sum),
    FIELD(INT, mean_row, count), DERIVED_FIELD(DOUBLE, mean_row, mean)};

static void divide(void *pointer)
{
    struct mean_row *row = pointer;
    row->mean = row->sum / (double)row->count;
}

static const struct fields mean_fields =
    PACKED_FIELDS(mean_list, 0, 1, 0, divide);

TEST(derived_fields_take_no_room_and_are_made_again)
{
    struct mean_row row = {.sum = 0.3, .count = 3, .mean = 0.3 / 3};
    struct buf bytes = {0};
    fields_pack(&bytes, mean_fields, &row);
    CHECK_EQ_INT(bytes.length, 1 + 8 + 1);
    struct mean_row got = {.mean = 7};
    CHECK(fields_unpack((struct text){bytes.data, bytes.length}, mean_fields,
                        &got));
    CHECK(fields_equal(mean_fields, &got, &row));
    buf_free(&bytes);
}

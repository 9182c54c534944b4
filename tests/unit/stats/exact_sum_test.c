#include "stats/stats.h"

#include "harness.h"

#include <float.h>
#include <math.h>
#include <string.h>

static struct arena arena;

static struct exact_sum sum_of(const double *values, size_t count)
{
    struct exact_sum sum = {.arena = &arena};
    for (size_t i = 0; i < count; i++)
        exact_add(&sum, values[i]);
    return sum;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Of any sign and of magnitudes between 2^-200 and 2^200. */
static double random_double(uint64_t *state)
{
    double mantissa = (double)(int64_t)next_random(state);
    return ldexp(mantissa, (int)(next_random(state) % 400) - 263);
}

static void shuffle(double *values, size_t count, uint64_t *state)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = (size_t)(next_random(state) % (i + 1));
        double kept = values[i];
        values[i] = values[other];
        values[other] = kept;
    }
}

TEST(sums_are_rounded_once)
{
    static const struct {
        double values[6];
        size_t count;
        double sum;
    } rows[] = {
        {{0}, 0, 0},
        {{0.0, -0.0}, 2, 0},
        {{1, -1}, 2, 0},
        {{0.1, 0.2, 0.3, -0.6}, 4, 2.7755575615628914e-17},
        {{0.1, 0.1, 0.1}, 3, 0.30000000000000004},
        {{1e100, 1, -1e100}, 3, 1},
        {{1e308, -1e308, 1e-308}, 3, 1e-308},
        {{DBL_MAX, 1}, 2, DBL_MAX},
        {{DBL_MAX, DBL_MAX, -DBL_MAX}, 3, DBL_MAX},
        {{DBL_MAX, DBL_MAX, -DBL_MAX, -DBL_MAX, 1}, 5, 1},
        {{DBL_MAX, 0x1p970}, 2, INFINITY},
        {{DBL_MAX, 0x1p969}, 2, DBL_MAX},
        {{-DBL_MAX, -DBL_MAX}, 2, -INFINITY},
        {{4.9e-324, 4.9e-324}, 2, 9.8e-324},
        /* Half a unit: to the even neighbour, whichever side it lies on. */
        {{1, 0x1p-53}, 2, 1},
        {{1 + 0x1p-52, 0x1p-53}, 2, 1 + 0x1p-51},
        {{-1, -0x1p-53}, 2, -1},
        {{9007199254740992, 1}, 2, 9007199254740992},
        {{9007199254740994, 1}, 2, 9007199254740996},
        {{9007199254740992, -0.5}, 2, 9007199254740992},
        {{9007199254740992, -1.5}, 2, 9007199254740990},
        /* A trifle more or less than half decides. */
        {{1, 0x1p-53, 0x1p-200}, 3, 1 + 0x1p-52},
        {{1, 0x1p-53, -0x1p-200}, 3, 1},
        {{1 + 0x1p-52, 0x1p-53, -0x1p-200}, 3, 1 + 0x1p-52},
        {{1 + 0x1p-52, 0x1p-53, 0x1p-1000}, 3, 1 + 0x1p-51},
        {{-1, -0x1p-53, -0x1p-300}, 3, -1 - 0x1p-52},
        {{0x1p-53, 1, 0x1p-120, -0x1p-120}, 4, 1},
    };
    EACH_ROW (row, rows) {
        struct exact_sum sum = sum_of(row->values, row->count);
        CHECK_EQ_DOUBLE(exact_round(&sum), row->sum);
    }
    arena_free(&arena);
}

static void check_same_bytes(const struct exact_sum *a,
                             const struct exact_sum *b)
{
    struct buf left = {0};
    struct buf right = {0};
    exact_encode(&left, a);
    exact_encode(&right, b);
    REQUIRE(left.length == right.length);
    CHECK_EQ_MEMORY(left.data, right.data, left.length);
    buf_free(&left);
    buf_free(&right);
}

TEST(order_changes_neither_the_value_nor_a_byte)
{
    enum { VALUES = 3000, SHUFFLES = 60 };
    static double values[VALUES];
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < VALUES; i++)
        values[i] = i % 7 ? random_double(&state) : -values[i ? i - 1 : 0];
    struct exact_sum first = sum_of(values, VALUES);
    for (int round = 0; round < SHUFFLES; round++) {
        shuffle(values, VALUES, &state);
        struct exact_sum again = sum_of(values, VALUES);
        CHECK_EQ_DOUBLE(exact_round(&again), exact_round(&first));
        check_same_bytes(&again, &first);
    }
    arena_free(&arena);
}

TEST(sums_of_parts_equal_the_sum_of_all)
{
    enum { VALUES = 1000 };
    static double values[VALUES];
    uint64_t state = 1234567u;
    for (size_t i = 0; i < VALUES; i++)
        values[i] = random_double(&state);
    struct exact_sum all = sum_of(values, VALUES);
    for (size_t cut = 0; cut <= VALUES; cut += 111) {
        struct exact_sum left = sum_of(values, cut);
        struct exact_sum right = sum_of(values + cut, VALUES - cut);
        exact_add_sum(&right, &left);
        CHECK_EQ_DOUBLE(exact_round(&right), exact_round(&all));
        check_same_bytes(&right, &all);
    }
    arena_free(&arena);
}

TEST(decimal_fractions_add_up_to_what_paper_says)
{
    struct exact_sum sum = {.arena = &arena};
    for (int i = 0; i < 1000000; i++)
        exact_add(&sum, 0.001);
    CHECK_EQ_DOUBLE(exact_round(&sum), 1000);
    struct buf bytes = {0};
    exact_encode(&bytes, &sum);
    CHECK(bytes.length <= 64);
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(a_sum_is_stored_and_read_back)
{
    static const struct {
        double values[4];
        size_t count;
        size_t bytes;
    } rows[] = {{{0}, 0, 0},
                {{1, -1}, 2, 0},
                {{1, 2, 3}, 3, 8},
                {{1, 0x1p-53}, 2, 16},
                {{1e200, 1, 1e-300}, 3, 24}};
    EACH_ROW (row, rows) {
        struct exact_sum sum = sum_of(row->values, row->count);
        struct exact_sum back = {.arena = &arena};
        struct buf bytes = {0};
        exact_encode(&bytes, &sum);
        CHECK_EQ_INT(bytes.length, row->bytes);
        CHECK(exact_decode(&back, (struct text){bytes.data, bytes.length}));
        CHECK_EQ_DOUBLE(exact_round(&back), exact_round(&sum));
        check_same_bytes(&back, &sum);
        if (bytes.length)
            CHECK(!exact_decode(&back,
                                (struct text){bytes.data, bytes.length - 1}));
        buf_free(&bytes);
    }
    arena_free(&arena);
}

TEST(encoding_begins_with_the_rounded_value)
{
    double values[] = {1, 0x1p-53, 0x1p-120};
    struct exact_sum sum = sum_of(values, 3);
    struct buf bytes = {0};
    exact_encode(&bytes, &sum);
    struct reader in = reader_over(bytes.data, bytes.length);
    CHECK_EQ_DOUBLE(read_double(&in), 1 + 0x1p-52);
    CHECK_EQ_DOUBLE(read_double(&in), -0x1p-53);
    CHECK_EQ_DOUBLE(read_double(&in), 0x1p-120);
    CHECK_EQ_INT(bytes.length, 24);
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(bytes_that_hold_no_number_do_no_harm)
{
    double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1};
    for (size_t count = 1; count <= 4; count++) {
        struct exact_sum sum = {.arena = &arena};
        struct buf bytes = {0};
        CHECK(exact_decode(&sum, (struct text){(const char *)odd, 8 * count}));
        exact_encode(&bytes, &sum);
        CHECK(bytes.length <= 64);
        buf_free(&bytes);
    }
    arena_free(&arena);
}

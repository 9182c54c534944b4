/*
 * draw_test.c: chance that repeats itself, and the shapes it takes.
 */
#include "harness.h"
#include "sim/draw.h"

#include <math.h>

TEST(a_stream_is_named_by_all_that_it_is_about)
{
    static const struct {
        uint64_t seed;
        const char *purpose;
        uint64_t a;
        uint64_t b;
    } rows[] = {{1, "job", 0, 0}, {2, "job", 0, 0}, {1, "jab", 0, 0},
                {1, "job", 1, 0}, {1, "job", 0, 1}, {1, "jo", 'b', 0},
                {0, "", 0, 0}};
    enum { ROWS = sizeof rows / sizeof *rows };
    uint64_t first[ROWS];
    EACH_ROW (row, rows) {
        struct draw one = draw_from(row->seed, row->purpose, row->a, row->b);
        struct draw two = draw_from(row->seed, row->purpose, row->a, row->b);
        first[row - rows] = draw_bits(&one);
        CHECK_EQ_INT(first[row - rows], draw_bits(&two));
        for (ptrdiff_t i = 0; i < row - rows; i++)
            CHECK(first[i] != first[row - rows]);
    }
}

TEST(distributions_have_their_mean_and_deviation)
{
    static const struct {
        struct distribution distribution;
        double mean;
        double deviation;
        double least;
        double most;
    } rows[] = {
        {{SHAPE_CONSTANT, 24, 5}, 24, 0, 24, 24},
        {{SHAPE_UNIFORM, 100, 10}, 100, 10, 82.6, 117.4},
        {{SHAPE_NORMAL, 100, 10}, 100, 10, 60, 140},
        {{SHAPE_EXPONENTIAL, 50, 0}, 50, 50, 0, 1000},
        {{SHAPE_NORMAL, 1, 100}, 40, 58.5, 0, 401},
    };
    enum { DRAWS = 20000 };
    EACH_ROW (row, rows) {
        struct draw draw = draw_from(7, "test", 0, 0);
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < DRAWS; i++) {
            double value = draw_from_distribution(&draw, &row->distribution);
            CHECK(value >= row->least && value <= row->most);
            sum += value;
            squares += value * value;
        }
        double mean = sum / DRAWS;
        double deviation = sqrt(fmax(0, squares / DRAWS - mean * mean));
        CHECK(fabs(mean - row->mean) <= 0.02 * row->mean + 0.5);
        CHECK(fabs(deviation - row->deviation) <= 0.03 * row->deviation + 0.01);
    }
}

TEST(chances_come_as_often_as_they_say)
{
    static const double rows[] = {0, 0.2, 0.5, 1};
    EACH_ROW (row, rows) {
        struct draw draw = draw_from(3, "chance", 0, 0);
        int hits = 0;
        for (int i = 0; i < 10000; i++)
            hits += draw_chance(&draw, *row);
        CHECK(fabs(hits - *row * 10000) <= 150);
        CHECK(draw_below(&draw, 3) < 3);
    }
}

/*
 * Doubles of rows are spelled as everywhere else.
 */
#include "api/api_int.h"

#include "harness.h"

#include <math.h>

TEST(a_double_of_a_row_reads_as_any_other)
{
    static const double rows[] = {0.0,
                                  -0.0,
                                  1,
                                  -1,
                                  85,
                                  10,
                                  1e14,
                                  -1e14,
                                  999999999999999.0,
                                  1e15,
                                  1e16,
                                  -1e15,
                                  0.5,
                                  -2.25,
                                  1e300,
                                  5e-324,
                                  271.9991760846937,
                                  123456789,
                                  1e22,
                                  -7.0,
                                  3600000.0,
                                  1.0 / 3};
    EACH_ROW (row, rows) {
        struct buf one = {0};
        struct buf two = {0};
        struct json_writer first = {.out = &one};
        struct json_writer second = {.out = &two};
        json_row_double(&first, *row);
        json_double(&second, *row);
        CHECK_EQ_TEXT(buf_string(&one), buf_string(&two));
        buf_free(&one);
        buf_free(&two);
    }
    struct buf none = {0};
    struct json_writer writer = {.out = &none};
    json_row_double(&writer, (double)NAN);
    json_row_double(&writer, (double)INFINITY);
    CHECK_EQ_TEXT(buf_string(&none), "null,null");
    buf_free(&none);
}

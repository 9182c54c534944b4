/*
 * harness.h: the unit tests' own small framework.
 *
 *     TEST(halves_are_rounded_to_even)
 *     {
 *         static const struct { double in; int64_t out; } rows[] = {...};
 *         EACH_ROW (row, rows) {
 *             CHECK_EQ_INT(round_even(row->in), row->out);
 *         }
 *     }
 *
 * A test registers itself. Each one runs in a process of its own, so that a
 * crash, a leak or an endless loop is that test's failure and no other's, and
 * tests cannot lean on one another. A failed check is told with file, line and
 * row, and the test goes on; REQUIRE ends the test where going on is useless.
 *
 * Every macro evaluates its arguments once.
 */
#ifndef ASSAY_TESTS_HARNESS_H
#define ASSAY_TESTS_HARNESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test {
    const char *name;
    const char *file;
    void (*body)(void);
    struct test *next;
};

#define TEST(test_name)                                                        \
    static void test_name(void);                                               \
    static void register_##test_name(void) __attribute__((constructor));       \
    static void register_##test_name(void)                                     \
    {                                                                          \
        static struct test test = {#test_name, __FILE__, test_name, NULL};     \
        test_register(&test);                                                  \
    }                                                                          \
    static void test_name(void)

/* Points ROW at each element of the array TABLE in turn. */
#define EACH_ROW(row, table)                                                   \
    for (const __typeof__((table)[0]) *row = (table); test_at_row(             \
             (size_t)(row - (table)), sizeof(table) / sizeof((table)[0]));     \
         row++)

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define REQUIRE(condition)                                                     \
    test_require((condition), __FILE__, __LINE__, #condition)
/* Of any integer type up to 64 bits. */
#define CHECK_EQ_INT(got, wanted)                                              \
    test_equal_int((intmax_t)(got), (intmax_t)(wanted), __FILE__, __LINE__,    \
                   #got)
/* To the last bit; a NaN equals a NaN, -0.0 does not equal 0.0. */
#define CHECK_EQ_DOUBLE(got, wanted)                                           \
    test_equal_double((got), (wanted), __FILE__, __LINE__, #got)
/* Zero-terminated; null equals only null. */
#define CHECK_EQ_TEXT(got, wanted)                                             \
    test_equal_text((got), (wanted), __FILE__, __LINE__, #got)
#define CHECK_EQ_MEMORY(got, wanted, bytes)                                    \
    test_equal_memory((got), (wanted), (bytes), __FILE__, __LINE__, #got)
/* Of an enum err; says the sentence that came with it. */
#define CHECK_OK(expression) CHECK_ERR(expression, ERR_NONE)
#define CHECK_ERR(expression, wanted)                                          \
    test_equal_err((expression), (wanted), __FILE__, __LINE__, #expression)
#define REQUIRE_OK(expression)                                                 \
    test_require(test_equal_err((expression), ERR_NONE, __FILE__, __LINE__,    \
                                #expression),                                  \
                 NULL, 0, NULL)

/* An empty folder of this test's own, removed after it. */
const char *test_folder(void);
/* A path in that folder; valid until the eighth call after this one. */
const char *test_path(const char *name);

/* What the macros call. */
void test_register(struct test *test);
bool test_at_row(size_t at, size_t count);
void test_require(bool condition, const char *file, int line, const char *text);
bool test_check(bool condition, const char *file, int line, const char *text);
bool test_equal_int(intmax_t got, intmax_t wanted, const char *file, int line,
                    const char *text);
bool test_equal_double(double got, double wanted, const char *file, int line,
                       const char *text);
bool test_equal_text(const char *got, const char *wanted, const char *file,
                     int line, const char *text);
bool test_equal_memory(const void *got, const void *wanted, size_t bytes,
                       const char *file, int line, const char *text);
bool test_equal_err(enum err got, enum err wanted, const char *file, int line,
                    const char *text);

#endif

#include "stats/stats.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static struct arena arena;
static const char *const names[] = {"a", "b", "nothing", "long_name_2"};
static const double values[] = {2, 3, NAN, 5};

static double value_of(const char *text)
{
    struct formula formula;
    REQUIRE(!formula_compile(&arena, text_of(text), names, 4, &formula));
    double value = formula_value(&formula, values);
    arena_clear(&arena);
    return value;
}

TEST(arithmetic_binds_as_usual)
{
    static const struct {
        const char *text;
        double wanted;
    } cases[] = {
        {"1", 1},
        {" 1 + 2 * 3 ", 7},
        {"(1 + 2) * 3", 9},
        {"8 / 4 / 2", 1},
        {"1 - 2 - 3", -4},
        {"-a * -b", 6},
        {"--a", 2},
        {"a - -b", 5},
        {"2 < 3", 1},
        {"a + b >= long_name_2", 1},
        {"a == 2", 1},
        {"a != 2", 0},
        {"a > b", 0},
        {"a <= 2", 1},
        {".5 * 4", 2},
        {"min(a, b) + max(a, b)", 5},
        {"clamp(7) + clamp(-7) + clamp(0.25)", 1.25},
        {"if(a > b, 10, 20)", 20},
        {"if(a < b, 10, 20)", 10},
        {"exp(0) + ln(1) + sqrt(4) + abs(-3) + pow(2, 3)", 14},
        {"round(2.345678, 3)", 2.346},
        {"round(-0.0005, 3)", -0.001},
        {"wilson_low(0, 10)", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_EQ_DOUBLE(value_of(cases[i].text), cases[i].wanted);
}

TEST(null_goes_through_everything_but_what_asks_for_it)
{
    CHECK(isnan(value_of("nothing")));
    CHECK(isnan(value_of("nothing * 0")));
    CHECK(isnan(value_of("nothing == nothing")));
    CHECK(isnan(value_of("min(1, nothing)")));
    CHECK(isnan(value_of("1 / 0")));
    CHECK(isnan(value_of("0 / 0")));
    CHECK(isnan(value_of("ln(-1)")));
    CHECK(isnan(value_of("wilson_low(3, 0)")));
    CHECK(isnan(value_of("wilson_high(3, 2)")));
    CHECK_EQ_DOUBLE(value_of("known(nothing)"), 0);
    CHECK_EQ_DOUBLE(value_of("known(a)"), 1);
    CHECK_EQ_DOUBLE(value_of("or_else(nothing, 7)"), 7);
    CHECK_EQ_DOUBLE(value_of("or_else(a, nothing)"), 2);
    CHECK_EQ_DOUBLE(value_of("if(nothing, 1, 2)"), 2);
    CHECK_EQ_DOUBLE(value_of("if(1, 3, nothing)"), 3);
}

/* Wilson 1927 for 9 of 10 at 95 percent. */
TEST(intervals_of_shares)
{
    CHECK(fabs(value_of("wilson_low(9, 10)") - 0.59585) < 1e-4);
    CHECK(fabs(value_of("wilson_high(9, 10)") - 0.98212) < 1e-4);
}

TEST(mistakes_are_shown_where_they_are)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "something is missing at character 1"},
        {"1 +", "something is missing at character 4"},
        {"1 2", "the formula should end at character 3"},
        {"(1", "a closing parenthesis is missing at character 3"},
        {"c + 1", "there is no such name at character 1"},
        {"1 + cc", "there is no such name at character 5"},
        {"foo(1)", "there is no such function"},
        {"min(1)", "another number of arguments"},
        {"min(1, 2, 3)", "another number of arguments"},
        {"min(1, 2", "a closing parenthesis is missing"},
        {"1..2", "this is no number"},
        {"$", "no number, name or parenthesis at character 1"},
        {"a < b < 1", "the formula should end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct formula formula;
        CHECK_EQ_INT(
            formula_compile(&arena, text_of(cases[i].text), names, 4, &formula),
            ERR_INPUT);
        if (!strstr(err_message(), cases[i].message))
            CHECK_EQ_TEXT(err_message(), cases[i].message);
    }
    arena_clear(&arena);
}

TEST(depth_and_length_are_bounded)
{
    struct formula formula;
    struct buf text = {0};
    for (int i = 0; i < 1000; i++)
        buf_add_byte(&text, '(');
    CHECK_EQ_INT(formula_compile(&arena, (struct text){text.data, text.length},
                                 names, 4, &formula),
                 ERR_INPUT);
    CHECK(strstr(err_message(), "nests too deep"));
    buf_clear(&text);
    for (int i = 0; i < 100; i++)
        buf_add_string(&text, "1+(");
    CHECK_EQ_INT(formula_compile(&arena, (struct text){text.data, text.length},
                                 names, 4, &formula),
                 ERR_INPUT);
    buf_clear(&text);
    for (int i = 0; i <= FORMULA_MAX_BYTES; i++)
        buf_add_byte(&text, '1');
    CHECK_EQ_INT(formula_compile(&arena, (struct text){text.data, text.length},
                                 names, 4, &formula),
                 ERR_INPUT);
    buf_free(&text);
    arena_clear(&arena);
}

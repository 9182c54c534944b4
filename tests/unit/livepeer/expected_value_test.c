/*
 * What reported tickets are worth, to the wei.
 */
#include "livepeer/livepeer.h"

#include "harness.h"

TEST(a_ticket_is_worth_its_face_value_times_its_probability)
{
    static const struct {
        uint64_t face_value_wei;
        int64_t tickets;
        const char *win_prob;
        const char *value; /* null: nothing tells it */
    } rows[] = {
        {2402400000000000, 1, "0.0009990010", "2400000002400"},
        {2402400000000000, 3, "0.001", "7207200000000"},
        {9007199254740993, 1, "0.5", "4503599627370496"},
        {UINT64_MAX, INT64_MAX, "1", "170141183460469231704017187605319778305"},
        {UINT64_MAX, INT64_MAX, "1.000",
         "170141183460469231704017187605319778305"},
        {10, 1, "0.333333333333333333333333333333", "3"},
        {1, 1, "0.999999999999", "0"},
        {0, 5, "0.5", "0"},
        {5, 0, "0.5", "0"},
        {5, 1, "0", "0"},
        {5, 1, "1.5", NULL},
        {5, 1, "2", NULL},
        {5, 1, "1.", NULL},
        {5, 1, ".5", NULL},
        {5, 1, "00.5", NULL},
        {5, 1, "0.5.5", NULL},
        {5, 1, "1e-3", NULL},
        {5, 1, "-0.5", NULL},
        {5, 1, " 0.5", NULL},
        {5, 1, "", NULL},
        {5, -1, "0.5", NULL},
    };
    EACH_ROW (row, rows) {
        char text[EXPECTED_VALUE_BYTES] = "none";
        bool told = expected_value_wei(row->face_value_wei, row->tickets,
                                       text_of(row->win_prob), text);
        CHECK(told == (row->value != NULL));
        if (told && row->value)
            CHECK_EQ_TEXT(text, row->value);
    }
}

TEST(a_fraction_may_have_sixty_digits)
{
    char digits[64] = "0.";
    char text[EXPECTED_VALUE_BYTES];
    for (size_t i = 2; i < 61; i++)
        digits[i] = '9';
    CHECK(expected_value_wei(UINT64_MAX, INT64_MAX, (struct text){digits, 61},
                             text));
    CHECK_EQ_TEXT(text, "170141183460469231704017187605319778304");
    digits[61] = '9';
    CHECK(!expected_value_wei(1, 1, (struct text){digits, 62}, text));
}

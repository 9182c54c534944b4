#include "rollup/rollup.h"

#include "harness.h"

#include <string.h>

TEST(every_switch_says_what_it_is)
{
    for (int i = 0; i < LENS_SWITCHES; i++) {
        const struct lens_departure *one = &lens_departures[i];
        REQUIRE(one->name && one->source && one->published && one->formula &&
                one->effect);
        CHECK_EQ_INT(lens_switch_named(one->name, strlen(one->name)), i);
        CHECK(!lens_has(&lens_published, (enum lens_switch)i));
        CHECK(lens_has(&lens_assay, (enum lens_switch)i));
    }
    CHECK_EQ_INT(lens_switch_named("multi_gp", 8), LENS_SWITCHES);
    CHECK_EQ_INT(lens_switch_named("", 0), LENS_SWITCHES);
}

TEST(one_switch_is_turned_and_no_other)
{
    for (int i = 0; i < LENS_SWITCHES; i++) {
        struct lens on = lens_with(lens_published, (enum lens_switch)i, true);
        struct lens off = lens_with(lens_assay, (enum lens_switch)i, false);
        for (int k = 0; k < LENS_SWITCHES; k++) {
            CHECK(lens_has(&on, (enum lens_switch)k) == (i == k));
            CHECK(lens_has(&off, (enum lens_switch)k) == (i != k));
        }
        CHECK(!lens_is_published(&on));
        on = lens_with(on, (enum lens_switch)i, false);
        CHECK(lens_is_published(&on));
    }
}

TEST(lists_of_names_are_turned)
{
    static const struct {
        const char *names;
        unsigned count;
        enum err err;
    } rows[] = {
        {"", 0, ERR_NONE},
        {"multi_gpu", 1, ERR_NONE},
        {" multi_gpu,multi_gpu ,, no_row_gate", 2, ERR_NONE},
        {"multi_gpu banana", 1, ERR_USAGE},
        {"MULTI_GPU", 0, ERR_USAGE},
        {"a_name_that_is_longer_than_any_switch_could_ever_be_called_by_anyone",
         0, ERR_USAGE},
    };
    EACH_ROW (row, rows) {
        struct lens lens = lens_published;
        CHECK_EQ_INT(lens_turn(&lens, row->names, true), row->err);
        CHECK_EQ_INT(__builtin_popcount(lens.switches), row->count);
    }
    struct lens lens = lens_published;
    CHECK_EQ_INT(lens_turn(&lens, "ptff_from_requests", true), ERR_USAGE);
    CHECK(strstr(err_message(), "'ptff_from_request'") != NULL);
}

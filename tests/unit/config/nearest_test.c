/*
 * nearest_test.c: which slips are understood, and which words are left alone.
 */
#include "config/config.h"
#include "harness.h"

#include <string.h>

TEST(slips_are_understood)
{
    static const char *const known[] = {"serve",  "import",   "export",
                                        "config", "evidence", "--format"};
    static const struct {
        const char *word;
        const char *meant;
    } rows[] = {
        {"import", "import"},
        {"improt", "import"},
        {"inport", "import"},
        {"imports", "import"},
        {"imprt", "import"},
        {"conf", "config"},
        {"evi", "evidence"},
        {"evidense", "evidence"},
        {"--fromat", "--format"},
        {"--form", "--format"},
        {"srve", "serve"},
        {"banana", NULL},
        {"x", NULL},
        {"", NULL},
        {"ex", NULL},
    };
    EACH_ROW (row, rows) {
        CHECK_EQ_TEXT(
            nearest_word(row->word, known, sizeof known / sizeof *known),
            row->meant);
    }
}

TEST(words_of_any_length_are_safe)
{
    char word[300];
    const char *const known[] = {word, "b"};
    for (size_t length = 0; length < sizeof word; length++) {
        memset(word, 'a', sizeof word);
        word[length] = 0;
        const char *found = nearest_word(word, known, 2);
        CHECK(!found || length < 64);
        CHECK_EQ_TEXT(nearest_word("zebra", known, 2), NULL);
    }
}

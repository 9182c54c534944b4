#include "base/index.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

TEST(texts_are_numbered_in_order_of_first_sight)
{
    struct text_index index = {0};
    bool added;
    CHECK_EQ_INT(text_index_find(&index, text_of("a")), TEXT_INDEX_ABSENT);
    CHECK_EQ_INT(text_index_add(&index, text_of("b"), &added), 0);
    CHECK(added);
    CHECK_EQ_INT(text_index_add(&index, text_of("a"), &added), 1);
    CHECK(added);
    CHECK_EQ_INT(text_index_add(&index, text_of("b"), &added), 0);
    CHECK(!added);
    CHECK_EQ_INT(text_index_add(&index, text_of(""), NULL), 2);
    CHECK_EQ_INT(text_index_add(&index, (struct text){"a\0", 2}, NULL), 3);
    CHECK_EQ_INT(text_index_find(&index, text_of("")), 2);
    CHECK_EQ_INT(text_index_find(&index, text_of("c")), TEXT_INDEX_ABSENT);
    text_index_free(&index);
    CHECK_EQ_INT(text_index_find(&index, text_of("b")), TEXT_INDEX_ABSENT);
    CHECK_EQ_INT(text_index_add(&index, text_of("a"), NULL), 0);
    text_index_free(&index);
}

TEST(many_texts_keep_their_numbers_while_the_table_grows)
{
    struct text_index index = {0};
    char name[24];
    for (size_t i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "name %zu", i);
        REQUIRE(text_index_add(&index, text_of(name), NULL) == i);
    }
    memset(name, 'x', sizeof name); /* keys were copied */
    for (size_t i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "name %zu", i);
        REQUIRE(text_index_find(&index, text_of(name)) == (ptrdiff_t)i);
        REQUIRE(text_is(index.texts[i], name));
    }
    CHECK_EQ_INT(index.count, 20000);
    text_index_free(&index);
}

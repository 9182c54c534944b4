/*
 * Tokens are made, found by all of their text and nothing less, and end.
 */
#include "api/api_int.h"

#include "harness.h"

#include <string.h>

TEST(a_header_holds_a_token_or_none)
{
    static const struct {
        const char *header;
        const char *token; /* null for none */
    } rows[] = {
        {NULL, NULL},        {"", NULL},          {"Bearer a", "a"},
        {"bearer   a", "a"}, {"Bearer a ", NULL}, {"Bearer a b", NULL},
        {"Bearer", NULL},    {"Bearer ", ""},     {"Basic a", NULL},
        {"Bearera", NULL},
    };
    EACH_ROW (row, rows) {
        struct text text = token_of_header(row->header);
        CHECK((text.data == NULL) == (row->token == NULL));
        if (text.data && row->token)
            CHECK(text_is(text, row->token));
    }
}

static bool is_found(struct store *store, const char *text)
{
    struct arena arena = {0};
    const struct token *token;
    REQUIRE_OK(token_find(store, &arena, text_of(text), &token));
    bool found = token != NULL;
    arena_free(&arena);
    return found;
}

TEST(a_token_is_found_by_its_text_until_it_ends)
{
    struct store *store;
    struct token token;
    struct token other;
    char text[TOKEN_TEXT_BYTES];
    char second[TOKEN_TEXT_BYTES];
    REQUIRE_OK(store_open(&store, test_path("store"), STORE_WRITE));
    REQUIRE_OK(token_create(store, SCOPE_READ, text_of("acme"), &token, text));
    REQUIRE_OK(token_create(store, SCOPE_ADMIN, text_of(""), &other, second));
    CHECK(strcmp(text, second) != 0);
    CHECK(is_found(store, text));
    CHECK(is_found(store, second));
    for (size_t i = 0; i < strlen(text); i++) {
        char changed[TOKEN_TEXT_BYTES];
        memcpy(changed, text, sizeof changed);
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        CHECK(!is_found(store, changed));
        changed[i] = '\0';
        CHECK(!is_found(store, changed));
    }
    CHECK_OK(token_revoke(store, text_of(token.id)));
    CHECK(!is_found(store, text));
    CHECK(is_found(store, second));
    CHECK_ERR(token_revoke(store, text_of(token.id)), ERR_INPUT);
    CHECK_ERR(token_revoke(store, text_of("none")), ERR_ABSENT);
    store_close(store);
}

TEST(names_of_organisations_are_plain)
{
    static const char *const wrong[] = {"a b", "a\n", "\xff", " "};
    struct store *store;
    struct token token;
    char text[TOKEN_TEXT_BYTES];
    REQUIRE_OK(store_open(&store, test_path("store"), STORE_WRITE));
    EACH_ROW (row, wrong)
        CHECK_ERR(token_create(store, SCOPE_READ, text_of(*row), &token, text),
                  ERR_INPUT);
    CHECK_EQ_INT(scope_named("ingest"), SCOPE_INGEST);
    CHECK_EQ_INT(scope_named("everybody"), SCOPE_NOBODY);
    CHECK_EQ_INT(scope_named(""), SCOPE_NOBODY);
    store_close(store);
}

/*
 * What a cursor says comes back, what was altered does not, and moments are
 * found by the cursors that they were noted under.
 */
#include "api/cursor.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;

static struct text sample(void)
{
    struct cursor cursor = {.parts = {{.number = -5}, {.text = {"a\0b", 3}}}};
    struct place place = {.question = 7,
                          .rows = UINT64_MAX,
                          .row_key = cursor_encode(&arena, "it", &cursor)};
    return place_write(&arena, &place);
}

TEST(a_cursor_says_what_was_put_in)
{
    struct place place;
    struct cursor cursor;
    REQUIRE(place_read(&arena, sample(), &place));
    CHECK_EQ_INT(place.question, 7);
    CHECK(place.rows == UINT64_MAX);
    REQUIRE(cursor_decode(place.row_key, "it", &cursor));
    CHECK_EQ_INT(cursor.parts[0].number, -5);
    CHECK_EQ_INT(cursor.parts[1].text.length, 3);
    CHECK(!cursor_decode(place.row_key, "i", &cursor));
    CHECK(!cursor_decode(place.row_key, "iti", &cursor));
    arena_free(&arena);
}

TEST(an_altered_cursor_is_none)
{
    struct text text = sample();
    struct place place;
    char other[200];
    REQUIRE(text.length < sizeof other);
    for (size_t i = 0; i < text.length; i++) {
        memcpy(other, text.data, text.length);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        CHECK(!place_read(&arena, (struct text){other, text.length}, &place));
        CHECK(!place_read(&arena, (struct text){text.data, i}, &place));
    }
    CHECK(!place_read(&arena, text_of(""), &place));
    CHECK(!place_read(&arena, text_of("no cursor"), &place));
    arena_free(&arena);
}

TEST(moments_are_found_by_their_cursors)
{
    struct moments *moments = moments_new();
    struct store_moment moment = {{1}};
    struct store_moment found;
    CHECK(!moments_find(moments, text_of("a"), &found));
    moments_note(moments, text_of("a"), &moment);
    CHECK(moments_find(moments, text_of("a"), &found));
    CHECK_EQ_INT(found.bytes[0], 1);
    CHECK(!moments_find(moments, text_of("b"), &found));
    moment.bytes[0] = 2;
    moments_note(moments, text_of("a"), &moment);
    CHECK(moments_find(moments, text_of("a"), &found));
    CHECK_EQ_INT(found.bytes[0], 2);
    moments_free(moments);
}

TEST(no_more_moments_are_kept_than_there_is_room_for)
{
    struct moments *moments = moments_new();
    struct store_moment moment = {{3}};
    size_t kept = 0;
    char name[24];
    for (int i = 0; i < 2 * MOMENTS_KEPT; i++) {
        snprintf(name, sizeof name, "cursor %d", i);
        moments_note(moments, text_of(name), &moment);
        CHECK(moments_find(moments, text_of(name), &moment));
    }
    for (int i = 0; i < 2 * MOMENTS_KEPT; i++) {
        snprintf(name, sizeof name, "cursor %d", i);
        kept += moments_find(moments, text_of(name), &moment);
    }
    CHECK(kept > MOMENTS_KEPT / 2 && kept <= MOMENTS_KEPT);
    moments_free(moments);
}

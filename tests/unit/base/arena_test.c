#include "base/arena.h"

#include "harness.h"

#include <string.h>

TEST(memory_is_zeroed_aligned_and_apart)
{
    static const size_t sizes[] = {0,    1,    15,      16,      17,  4095,
                                   4096, 4097, 1 << 20, 3 << 20, 100, 1};
    struct arena arena = {0};
    unsigned char *kept[sizeof sizes / sizeof *sizes];
    size_t at = 0;
    EACH_ROW (size, sizes) {
        unsigned char *memory = arena_alloc(&arena, *size);
        CHECK_EQ_INT((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < *size; i++)
            REQUIRE(!memory[i]);
        memset(memory, (int)at + 1, *size);
        kept[at++] = memory;
    }
    for (at = 0; at < sizeof sizes / sizeof *sizes; at++)
        for (size_t i = 0; i < sizes[at]; i++)
            REQUIRE(kept[at][i] == at + 1);
    arena_free(&arena);
}

TEST(a_cleared_arena_hands_out_zeroed_memory_again)
{
    struct arena arena = {0};
    arena_clear(&arena);
    for (int round = 0; round < 3; round++) {
        unsigned char *memory = arena_alloc(&arena, 1000);
        for (size_t i = 0; i < 1000; i++)
            REQUIRE(!memory[i]);
        memset(memory, 255, 1000);
        arena_alloc(&arena, (size_t)round << 21);
        CHECK(arena.used_bytes >= 1000 + ((size_t)round << 21));
        arena_clear(&arena);
        CHECK_EQ_INT(arena.used_bytes, 0);
    }
    arena_free(&arena);
    CHECK(!arena.blocks);
}

TEST(a_huge_block_is_not_kept_after_a_clear)
{
    struct arena arena = {0};
    arena_alloc(&arena, 100);
    arena_alloc(&arena, 8 << 20);
    arena_clear(&arena);
    CHECK(!arena.blocks);
    arena_free(&arena);
}

TEST(an_array_grows_at_powers_of_two_and_keeps_its_elements)
{
    struct arena arena = {0};
    int64_t *array = NULL;
    int moves = 0;
    for (size_t count = 0; count < 1000; count++) {
        int64_t *before = array;
        array = arena_grow(&arena, array, count, sizeof *array);
        moves += array != before;
        REQUIRE(!array[count]);
        array[count] = (int64_t)count * 3;
    }
    CHECK_EQ_INT(moves, 11); /* at 0, 1, 2, 4, ..., 512 */
    for (size_t i = 0; i < 1000; i++)
        REQUIRE(array[i] == (int64_t)i * 3);
    arena_free(&arena);
}

TEST(texts_are_copied_and_terminated)
{
    struct arena arena = {0};
    char bytes[] = "ab\0cd";
    char *copy = arena_text(&arena, bytes, 5);
    memset(bytes, 'x', 5);
    CHECK_EQ_MEMORY(copy, "ab\0cd", 6);
    CHECK_EQ_TEXT(arena_text(&arena, NULL, 0), "");
    CHECK_EQ_TEXT(arena_printf(&arena, "%s-%d", "a", 7), "a-7");
    char *longer = arena_printf(&arena, "%9999d", 1);
    CHECK_EQ_INT(strlen(longer), 9999);
    arena_free(&arena);
}

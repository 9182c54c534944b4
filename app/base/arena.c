/*
 * arena.c: a list of blocks, each twice as large as the one before up to 1 MiB;
 * allocation moves a cursor. Larger requests get a block of their own.
 */
#include "base/arena.h"

#include <mimalloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BLOCK_BYTES = 1024,
    LARGEST_BLOCK_BYTES = 1 << 20,
    ALIGNMENT = 16
};

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used;
    size_t padding;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

static _Noreturn void out_of_memory(size_t bytes)
{
    fprintf(stderr,
            "assay: out of memory (%zu bytes wanted); acknowledged "
            "data is safe on disk\n",
            bytes);
    abort();
}

void *memory_alloc(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

void *memory_zeroed(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes ? bytes : 1);
    if (!memory)
        out_of_memory(count);
    return memory;
}

void *memory_resize(void *memory, size_t bytes)
{
    void *resized = realloc(memory, bytes ? bytes : 1);
    if (!resized)
        out_of_memory(bytes);
    return resized;
}

/* Not there where the system's allocator is used. */
#pragma weak mi_option_set

void memory_be_frugal(void)
{
    if (mi_option_set)
        mi_option_set(mi_option_decommit_delay, 0);
}

void memory_be_quick(void)
{
    if (mi_option_set)
        mi_option_set(mi_option_allow_decommit, 0);
}

static void add_block(struct arena *arena, size_t least)
{
    size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK_BYTES;
    if (size > LARGEST_BLOCK_BYTES)
        size = LARGEST_BLOCK_BYTES;
    if (size < least)
        size = least;
    struct arena_block *block = memory_alloc(sizeof *block + size);
    block->older = arena->blocks;
    block->size = size;
    block->used = 0;
    arena->blocks = block;
}

void *arena_raw(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        out_of_memory(bytes);
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!rounded)
        rounded = ALIGNMENT;
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < rounded) {
        add_block(arena, rounded);
        block = arena->blocks;
    }
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used_bytes += rounded;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    return memset(arena_raw(arena, bytes), 0, bytes);
}

void *arena_array(struct arena *arena, size_t count, size_t bytes)
{
    if (bytes && count > SIZE_MAX / 2 / bytes)
        out_of_memory(count);
    return arena_alloc(arena, count * bytes);
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t bytes)
{
    if (count & (count - 1))
        return array;
    void *larger = arena_array(arena, count ? count * 2 : 1, bytes);
    if (count)
        memcpy(larger, array, count * bytes);
    return larger;
}

char *arena_text(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_raw(arena, length + 1);
    if (length)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    size_t size = length < 0 ? 0 : (size_t)length;
    char *text = arena_alloc(arena, size + 1);
    vsnprintf(text, size + 1, format, again);
    va_end(again);
    return text;
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_clear(struct arena *arena)
{
    if (!arena->blocks)
        return;
    free_blocks(arena->blocks->older);
    arena->blocks->older = NULL;
    arena->blocks->used = 0;
    arena->used_bytes = 0;
    if (arena->blocks->size > LARGEST_BLOCK_BYTES)
        arena_free(arena);
}

void arena_free(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena->blocks = NULL;
    arena->used_bytes = 0;
}

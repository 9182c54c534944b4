/*
 * arena.h: memory that is given back all at once.
 *
 * Almost everything here lives as long as one piece of work: one line, one
 * request, one day's fold. Such work takes a struct arena as its first
 * parameter, allocates without checking, and the owner of the work clears the
 * arena at its end. Out of memory ends the process with a message: whatever
 * was acknowledged is on disk by then, so nothing is lost by it.
 *
 * An arena belongs to one thread at a time.
 */
#ifndef ASSAY_BASE_ARENA_H
#define ASSAY_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out since the last clear */
};

/* malloc and realloc that end the process instead of returning null. */
void *memory_alloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *memory_zeroed(size_t count, size_t bytes)
    __attribute__((malloc, returns_nonnull));
void *memory_resize(void *memory, size_t bytes)
    __attribute__((returns_nonnull));

/* From now on memory that is freed goes back to the system at once. That costs
 * a few hundredths of the time, and is for a process that stays. */
void memory_be_frugal(void);

/* From now on memory that is freed is kept for the next use. That saves the
 * system clearing it again and again, and is for a process that has one large
 * work to do and ends. */
void memory_be_quick(void);

/* Zeroed bytes, aligned for any type, valid until clear or free. */
void *arena_alloc(struct arena *arena, size_t bytes)
    __attribute__((returns_nonnull));

/* The same without zeroing, for bytes that are written at once. */
void *arena_raw(struct arena *arena, size_t bytes)
    __attribute__((returns_nonnull));

/* COUNT elements of BYTES each; ends the process where the product overflows.
 */
void *arena_array(struct arena *arena, size_t count, size_t bytes)
    __attribute__((returns_nonnull));

/*
 * Room for one more in an array of COUNT elements that only ever grew by this
 * call: the array itself, or a copy twice as large whenever COUNT has reached
 * a power of two. The new elements are zeroed.
 */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t bytes)
    __attribute__((returns_nonnull));

/* A zero-terminated copy of LENGTH bytes. */
char *arena_text(struct arena *arena, const char *bytes, size_t length)
    __attribute__((returns_nonnull));

char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((returns_nonnull, format(printf, 2, 3)));

/* Forgets all allocations but keeps the newest block for reuse. */
void arena_clear(struct arena *arena);

/* Gives everything back; the arena may be used again afterwards. */
void arena_free(struct arena *arena);

#endif

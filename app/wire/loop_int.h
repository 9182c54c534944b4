/*
 * loop_int.h: what the rest of this room needs of a loop.
 */
#ifndef ASSAY_WIRE_LOOP_INT_H
#define ASSAY_WIRE_LOOP_INT_H

#include "wire/loop.h"

#include <uv.h>

/* Where handles are made; only on the loop's thread. */
uv_loop_t *loop_uv(struct loop *loop);

/* Timers that are set, the one due first at the top: a binary heap, whose
 * entries know their places. */
struct timer_heap {
    struct loop_timer **list;
    size_t count;
    size_t capacity;
    int64_t after_us; /* while timers run: the earliest a new one can be due */
};

struct timer_heap *loop_timers(struct loop *loop);

/* When the first timer is due, INT64_MAX where none is set. */
int64_t timer_heap_next(const struct timer_heap *heap);

/* Runs all that are due at NOW_US. */
void timer_heap_run(struct timer_heap *heap, int64_t now_us);

void timer_heap_free(struct timer_heap *heap);

#endif

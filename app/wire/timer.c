/*
 * timer.c: timers of a loop (see loop.h).
 *
 * A binary heap of pointers to timers that lie elsewhere. A timer knows its
 * place, so that it is stopped or moved in logarithmic time: a thousand
 * streams set a timer for every frame.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "wire/loop_int.h"

#include <stdlib.h>

enum { HEAP_LEAST = 64 };

static void put(struct timer_heap *heap, size_t at, struct loop_timer *timer)
{
    heap->list[at] = timer;
    timer->place = at + 1;
}

static void rise(struct timer_heap *heap, size_t at)
{
    struct loop_timer *timer = heap->list[at];
    while (at > 0 && timer->due_us < heap->list[(at - 1) / 2]->due_us) {
        put(heap, at, heap->list[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, timer);
}

static size_t earlier_child(const struct timer_heap *heap, size_t at)
{
    size_t child = 2 * at + 1;
    if (child + 1 < heap->count &&
        heap->list[child + 1]->due_us < heap->list[child]->due_us)
        child++;
    return child;
}

static void sink(struct timer_heap *heap, size_t at)
{
    struct loop_timer *timer = heap->list[at];
    for (;;) {
        size_t child = earlier_child(heap, at);
        if (child >= heap->count || heap->list[child]->due_us >= timer->due_us)
            break;
        put(heap, at, heap->list[child]);
        at = child;
    }
    put(heap, at, timer);
}

int64_t timer_heap_next(const struct timer_heap *heap)
{
    return heap->count ? heap->list[0]->due_us : INT64_MAX;
}

void timer_heap_run(struct timer_heap *heap, int64_t now_us)
{
    heap->after_us = now_us + 1;
    while (timer_heap_next(heap) <= now_us) {
        struct loop_timer *timer = heap->list[0];
        loop_timer_stop(timer);
        timer->work(timer->context);
    }
    heap->after_us = INT64_MIN;
}

void timer_heap_free(struct timer_heap *heap)
{
    free(heap->list);
    *heap = (struct timer_heap){0};
}

/* ---- one timer ----------------------------------------------------------- */

void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     loop_work *work, void *context)
{
    *timer =
        (struct loop_timer){.loop = loop, .work = work, .context = context};
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
    return timer->place != 0;
}

void loop_timer_at(struct loop_timer *timer, int64_t due_us)
{
    struct timer_heap *heap = loop_timers(timer->loop);
    loop_timer_stop(timer);
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? heap->capacity * 2 : HEAP_LEAST;
        heap->list =
            memory_resize(heap->list, heap->capacity * sizeof *heap->list);
    }
    timer->due_us = due_us > heap->after_us ? due_us : heap->after_us;
    put(heap, heap->count++, timer);
    rise(heap, heap->count - 1);
}

void loop_timer_after(struct loop_timer *timer, int64_t delay_us)
{
    loop_timer_at(timer, clock_monotonic_us() + delay_us);
}

void loop_timer_stop(struct loop_timer *timer)
{
    if (!timer->place)
        return;
    struct timer_heap *heap = loop_timers(timer->loop);
    size_t at = timer->place - 1;
    struct loop_timer *last = heap->list[--heap->count];
    timer->place = 0;
    if (last == timer)
        return;
    put(heap, at, last);
    rise(heap, at);
    sink(heap, last->place - 1);
}

/*
 * loop.h: one thread that waits for many things at once.
 *
 * Everything that talks to the network here is driven by a loop: libuv's, on a
 * thread of its own, so that measuring never waits for a disk or a page.
 * Whatever lives on a loop (connections, servers, timers) is made, used and
 * closed on its thread alone; other threads hand it work:
 *
 *     struct loop *loop;
 *     err = loop_start(&loop);
 *     loop_post(loop, begin, probe);     and goes on
 *     loop_call(loop, finish, probe);    and waits until it has run
 *     loop_stop(loop);
 *
 * Times are those of clock_monotonic_us. Timers are exact to the microsecond
 * as far as the machine is: frames are paced by them, and a millisecond of
 * rounding would be a hundredth of the jitter that is measured.
 *
 * Turned down: libuv's own timers, which know milliseconds only; and a loop on
 * the caller's thread, which would have to return for signals and pages.
 */
#ifndef ASSAY_WIRE_LOOP_H
#define ASSAY_WIRE_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

typedef void loop_work(void *context);

/* Signals are blocked on the new thread: they belong to main's. */
MUST_USE enum err loop_start(struct loop **loop);

/*
 * Runs what was posted before, then ends the thread and frees the loop. Never
 * called on the loop's thread; null is allowed. What lives on the loop must
 * have been closed before; what is still closing by then closes first.
 */
void loop_stop(struct loop *loop);

/* Has WORK run on the loop's thread, in the order of posting. Any thread. */
void loop_post(struct loop *loop, loop_work *work, void *context);

/* The same, and returns when it has run; at once where called on the loop's
 * own thread. */
void loop_call(struct loop *loop, loop_work *work, void *context);

/* True on the loop's thread. */
bool loop_is_here(const struct loop *loop);

/* ---- timers, on the loop's thread ---------------------------------------- */

/*
 * Runs its work once when it is due. Lies in its owner's memory, which may go
 * away whenever the timer is not set. Its work may set or stop any timer.
 */
struct loop_timer {
    struct loop *loop;
    loop_work *work;
    void *context;
    int64_t due_us; /* while set */
    size_t place;   /* private: 1 + its place in the heap, 0 where not set */
};

/* Not set yet. */
void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     loop_work *work, void *context);

/* Sets it, or sets it anew. A time that has passed is due at once, but only
 * after whatever else is due now. */
void loop_timer_at(struct loop_timer *timer, int64_t due_us);
void loop_timer_after(struct loop_timer *timer, int64_t delay_us);

bool loop_timer_is_set(const struct loop_timer *timer);
void loop_timer_stop(struct loop_timer *timer);

#endif

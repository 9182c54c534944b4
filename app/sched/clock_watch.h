/*
 * clock_watch.h: stamps of the vantage's clock, and whether it can be believed.
 *
 * A stamp is what the machine's clock says. Where it moves otherwise than the
 * monotonic clock it has jumped: somebody set it, or the machine slept. For a
 * while after that nothing is begun (CLOCK_DOUBT_S).
 *
 * A fast clock, for demonstrations and rehearsals, has hours of hour_ms real
 * milliseconds. Its stamps follow from the monotonic clock, and go on from the
 * last one that was ever given: it stands still while nobody looks at it.
 *
 * Pure; one thread.
 */
#ifndef ASSAY_SCHED_CLOCK_WATCH_H
#define ASSAY_SCHED_CLOCK_WATCH_H

#include "sched/surroundings.h"

enum {
    CLOCK_JUMP_MS = 1000,   /* less is how clocks are adjusted */
    CLOCK_DOUBT_S = 60,     /* after a jump */
    CLOCK_LOOK_US = 1000000 /* look at least so often */
};

struct clock_watch {
    int64_t hour_ms;
    int64_t anchor_stamp; /* of a fast clock: the stamp at ... */
    int64_t anchor_us;    /* ... this monotonic time */
    bool looked;
    struct instant last;
    int64_t doubt_until_us;
};

/* LAST_STAMP: the latest one there is evidence of, 0 for none. */
void clock_watch_begin(struct clock_watch *watch, int64_t hour_ms,
                       int64_t last_stamp, struct instant now);

/* The stamp of NOW; *JUMPED where the clock has jumped since the last look. */
int64_t clock_watch_look(struct clock_watch *watch, struct instant now,
                         bool *jumped);

bool clock_watch_doubts(const struct clock_watch *watch, int64_t monotonic_us);

/* So many real ms in stamps of a clock whose hour lasts HOUR_MS. */
int64_t stamps_of(int64_t real_ms, int64_t hour_ms);

/* The same by WATCH, and stamps in real microseconds. */
int64_t clock_stamps_of(const struct clock_watch *watch, int64_t real_ms);
int64_t clock_us_of(const struct clock_watch *watch, int64_t stamps);

#endif

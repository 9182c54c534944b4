/*
 * clock_watch.c: see clock_watch.h.
 */
#include "sched/clock_watch.h"

#include "base/clock.h"

enum { US_PER_MS = 1000, US_PER_SECOND = 1000000 };

static bool is_fast(const struct clock_watch *watch)
{
    return watch->hour_ms != MS_PER_HOUR;
}

int64_t stamps_of(int64_t real_ms, int64_t hour_ms)
{
    return (int64_t)((__int128)real_ms * MS_PER_HOUR / hour_ms);
}

int64_t clock_stamps_of(const struct clock_watch *watch, int64_t real_ms)
{
    return stamps_of(real_ms, watch->hour_ms);
}

int64_t clock_us_of(const struct clock_watch *watch, int64_t stamps)
{
    __int128 us = (__int128)stamps * watch->hour_ms * US_PER_MS / MS_PER_HOUR;
    /* A clock ten years off is no reason to overflow. */
    const __int128 most = INT64_MAX / 4;
    return (int64_t)(us > most ? most : us < -most ? -most : us);
}

void clock_watch_begin(struct clock_watch *watch, int64_t hour_ms,
                       int64_t last_stamp, struct instant now)
{
    *watch = (struct clock_watch){
        .hour_ms = hour_ms,
        .anchor_stamp = last_stamp > 0 ? last_stamp + 1 : now.wall_ms,
        .anchor_us = now.monotonic_us};
}

static int64_t stamp_of(const struct clock_watch *watch, struct instant now)
{
    if (!is_fast(watch))
        return now.wall_ms;
    int64_t real_us = now.monotonic_us - watch->anchor_us;
    return watch->anchor_stamp + (int64_t)((__int128)real_us * MS_PER_HOUR /
                                           watch->hour_ms / US_PER_MS);
}

int64_t clock_watch_look(struct clock_watch *watch, struct instant now,
                         bool *jumped)
{
    int64_t drift_ms =
        now.wall_ms - watch->last.wall_ms -
        (now.monotonic_us - watch->last.monotonic_us) / US_PER_MS;
    *jumped = watch->looked && !is_fast(watch) &&
              (drift_ms > CLOCK_JUMP_MS || drift_ms < -CLOCK_JUMP_MS);
    watch->looked = true;
    watch->last = now;
    if (*jumped)
        watch->doubt_until_us =
            now.monotonic_us + (int64_t)CLOCK_DOUBT_S * US_PER_SECOND;
    return stamp_of(watch, now);
}

bool clock_watch_doubts(const struct clock_watch *watch, int64_t monotonic_us)
{
    return watch->doubt_until_us && monotonic_us < watch->doubt_until_us;
}

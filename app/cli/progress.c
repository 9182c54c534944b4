/*
 * progress.c: see progress.h.
 */
#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { INTERVAL_US = 100 * 1000, SECOND_US = 1000 * 1000 };

struct progress progress_start(const struct invocation *invocation)
{
    struct progress progress = {0};
    progress.shown = !invocation->quiet && isatty(STDERR_FILENO);
    progress.started_us = clock_monotonic_us();
    return progress;
}

static void print_left(double seconds, uint64_t done, uint64_t all)
{
    if (!all || !done || done > all)
        return;
    double left = seconds * (double)(all - done) / (double)done;
    fprintf(stderr, ", %d %%", (int)(100.0 * (double)done / (double)all));
    if (left >= 1)
        fprintf(stderr, ", %d:%02d left", (int)left / 60, (int)left % 60);
}

void progress_show(struct progress *progress, const char *what, uint64_t done,
                   uint64_t all, uint64_t count, const char *noun)
{
    int64_t now = clock_monotonic_us();
    if (!progress->shown || now - progress->printed_us < INTERVAL_US)
        return;
    double seconds = (double)(now - progress->started_us) / SECOND_US;
    progress->printed_us = now;
    progress->dirty = true;
    fprintf(stderr, "\r\033[K%s: %llu %s", what, (unsigned long long)count,
            noun);
    if (seconds > 0.5)
        fprintf(stderr, ", %.0f/s", (double)count / seconds);
    print_left(seconds, done, all);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->dirty)
        fputs("\r\033[K", stderr);
    progress->dirty = false;
}

/*
 * progress.h: one line that says how far long work has come, on a terminal
 * only. Elsewhere, and with --quiet, nothing is printed.
 */
#ifndef ASSAY_CLI_PROGRESS_H
#define ASSAY_CLI_PROGRESS_H

#include "cli/cli.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;
    bool dirty; /* the line on the terminal is ours */
    int64_t started_us;
    int64_t printed_us;
};

struct progress progress_start(const struct invocation *invocation);

/*
 * WHAT is the work ("importing a.ndjson"). DONE of ALL units measure it and
 * give the time left; ALL may be 0 for unknown. COUNT and NOUN are what people
 * want to see ("12,345 lines"), with its rate. Prints at most ten times a
 * second.
 */
void progress_show(struct progress *progress, const char *what, uint64_t done,
                   uint64_t all, uint64_t count, const char *noun);

/* Wipes the line. */
void progress_end(struct progress *progress);

#endif

/*
 * truth.h: what really happened in the sandbox network, one JSON object a
 * line, for those who measure it.
 *
 * Every line has kind, at_us (clock_monotonic_us when it happened, which is
 * the clock of whoever measures on the same machine) and wall_ms. Kinds and
 * their members: see the functions that write them, in job.c, runner.c and
 * report.c; `assay help sim` lists them.
 *
 * Never from plans: only what was done is written, when it is done.
 */
#ifndef ASSAY_SIM_TRUTH_H
#define ASSAY_SIM_TRUTH_H

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

struct truth;

/* Null PATH: nothing is kept. ERR_USAGE where it cannot be written. */
MUST_USE enum err truth_open(struct truth **truth, const char *path);

/* Writes what is left. ERR_INPUT where a line could not be written. */
MUST_USE enum err truth_close(struct truth *truth);

/* False where nothing is kept: a caller may spare himself the work. */
bool truth_is_kept(const struct truth *truth);

/* Begins a line that happened at AT_US; the caller adds members and ends it.
 * On one thread only. */
struct json_writer *truth_begin(struct truth *truth, const char *kind,
                                int64_t at_us);
void truth_end(struct truth *truth);

#endif

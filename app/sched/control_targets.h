/*
 * control_targets.h: targets of which it is known that they answer, asked all
 * at once: where they do not, the fault is ours (audit method §1.3, 6); and our
 * clock, held against their Date headers (§1.3, 7).
 */
#ifndef ASSAY_SCHED_CONTROL_TARGETS_H
#define ASSAY_SCHED_CONTROL_TARGETS_H

#include "sched/surroundings.h"

struct control_targets;

/* Whether URLS, parted by commas, can be asked; "" is none, and can. ERR_CONFIG
 * where it names none, too many, or something that is no URL of http or https,
 * which would count as a fault of ours for ever. Any thread. */
MUST_USE enum err control_targets_check(const char *urls);

/* Of URLS that can be asked; CLIENT is borrowed. On its loop's thread, as all
 * below. */
MUST_USE enum err control_targets_open(struct control_targets **targets,
                                       struct http_client *client,
                                       const char *urls);
/* Drops what is being asked. Null is allowed. */
void control_targets_close(struct control_targets *targets);

/* ON_DONE is called after it has returned, within CONTROL_PATIENCE_US. An
 * answer of any status is one. */
void control_targets_ask(struct control_targets *targets,
                         void (*on_done)(void *context,
                                         const struct control_round *round),
                         void *context);

/* ---- clocks -------------------------------------------------------------- */

/*
 * Narrows the offset of ROUND by one answer: our clock is behind theirs by
 * something in [DATE - came, DATE + 1 s - sent], since Date has whole seconds.
 * False where that contradicts what is known of other targets.
 */
bool control_round_narrow(struct control_round *round, int64_t date_ms,
                          int64_t sent_ms, int64_t came_ms);

/* RFC 9110 §5.6.7, its preferred form: "Sun, 06 Nov 1994 08:49:37 GMT". */
bool control_date_read(struct text text, int64_t *ms);

#endif

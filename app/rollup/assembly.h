/*
 * assembly.h: what becomes of folded sessions when their hours are put together
 * in memory. Private to this room.
 */
#ifndef ASSAY_ROLLUP_ASSEMBLY_H
#define ASSAY_ROLLUP_ASSEMBLY_H

#include "rollup/facts.h"
#include "rollup/session.h"

/* Of what COMPUTATION asks for, so far. */
struct assembly {
    struct store *store;
    struct arena *arena; /* of the outcome */
    struct arena scratch;
    const struct computation *computation;
    struct computed *out;
    struct hour_row *hours;
    size_t hour_count;
    size_t *hour_sessions; /* by hour: number of its session */
    struct gateway_hour_row *gateways;
    size_t gateway_count;
    size_t *gateway_sessions;
};

/* ERR_LARGE where it takes more memory than it may. */
MUST_USE enum err assembly_check(const struct assembly *assembly);

/* A session's events that are known, sorted; in scratch. */
MUST_USE enum err assembly_events(struct assembly *assembly, struct text key,
                                  struct session_event **events, size_t *count);
/* An org's snapshots that are known, with FROM <= ts < UNTIL; in scratch. */
MUST_USE enum err assembly_snapshots(struct assembly *assembly, struct text org,
                                     int64_t from_ms, int64_t until_ms,
                                     struct capability_snapshot **snapshots,
                                     size_t *count);

/* Keeps COUNT selections, of which texts are moved. */
void assembly_keep_selections(struct assembly *assembly,
                              struct selection_row *rows, size_t count);
/* Decides the selections from number FIRST on, which are one org's of one pass,
 * by its snapshots with FROM <= ts < UNTIL. */
MUST_USE enum err assembly_decide(struct assembly *assembly, struct text org,
                                  size_t first, int64_t from_ms,
                                  int64_t until_ms);
/* Folds one session from its EVENTS and keeps it, if they make one. */
void assembly_fold(struct assembly *assembly, struct text org, struct text key,
                   const struct session_event *events, size_t event_count,
                   const struct session_pass *passes, size_t pass_count);
/* All hours of the sessions that were kept. */
MUST_USE enum err assembly_finish(struct assembly *assembly);

/* Of whole.c and resettle.c: everything before assembly_finish. */
MUST_USE enum err compute_whole(struct assembly *assembly);
MUST_USE enum err compute_settled(struct assembly *assembly);

#endif

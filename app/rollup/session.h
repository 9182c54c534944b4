/*
 * session.h: what session.c and session_hours.c share. Private to this room.
 */
#ifndef ASSAY_ROLLUP_SESSION_H
#define ASSAY_ROLLUP_SESSION_H

#include "rollup/rollup.h"

/* Online or degraded (§2.2). */
bool is_running(enum stream_state state);

/* True for events that make a session and open a pass: all but the runner's
 * traces, which only add facts. */
bool is_session_event(const struct session_event *event);

/* The decision in force at the end of the last of PASSES, its own or carried
 * from an earlier one; false where there is none. */
bool session_decision(const struct session_pass *passes, size_t pass_count,
                      struct selection_row *decision);

/* Pipeline and model from a decision (null for none) and the session's hints.
 */
struct hint session_hint(struct arena *arena, const struct session_row *facts,
                         const struct selection_row *decision);

/* One row per UTC hour with status events, in order, with what its samples add
 * up to; the rest of the row is still blank. */
struct hour_row *hours_gather(struct arena *arena, const struct lens *lens,
                              struct text org, struct text session_key,
                              const struct session_event *events,
                              size_t event_count, size_t *count);
/* Fills the rest of HOURS from the decisions in PASSES. */
void hours_place(struct arena *arena, const struct lens *lens,
                 const struct session_row *session,
                 const struct session_pass *passes, size_t pass_count,
                 struct hour_row *hours, size_t count);
/* SUM as rows keep it. */
struct text exact_encoded(struct arena *arena, const struct exact_sum *sum);
/* The same of a distribution; null where it has no sample. */
struct text sketch_encoded(struct arena *arena, const struct histogram *sketch);

/* ---- sums -------------------------------------------------------------- */

/*
 * What a run of a session's events adds up to. Runs in order, appended to one
 * another, add up to the same as all events at once; so a session of any length
 * is folded with the memory of one run.
 */
struct swap_trace {
    int64_t ts;
    struct text event_id;
};

struct session_sum {
    struct session_row facts;  /* counts, first and last values; undecided */
    struct text trace_gateway; /* the last one of a trace */
    struct hour_row *hours;    /* as hours_gather gives them */
    size_t hour_count;
    struct gateway_hour_row *gateways;
    size_t gateway_count;
    int64_t *days; /* UTC days that open a pass, in order */
    size_t day_count;
    struct swap_trace *swaps; /* orchestrator_swap traces, in order */
    size_t swap_trace_count;
};

/* Of no events. */
struct session_sum session_sum_none(struct text org, struct text session_key);
struct session_sum session_sum_of(struct arena *arena, const struct lens *lens,
                                  struct text org, struct text session_key,
                                  const struct session_event *events,
                                  size_t event_count);
/* NEXT's events come after those of SUM. Everything is copied into ARENA but
 * the texts that SUM had. */
void session_sum_append(struct arena *arena, struct session_sum *sum,
                        const struct session_sum *next);
/* All of it in ARENA. */
struct session_sum session_sum_copy(struct arena *arena,
                                    const struct session_sum *sum);

/* The passes of a session, one a day of SUM, with the day's SELECTIONS; a run
 * each, in order. */
struct session_pass *passes_by_day(struct arena *arena,
                                   const struct session_sum *sum,
                                   const struct selection_row *selections,
                                   size_t selection_count, size_t *count);

/* The session's row from all its events in SUM and its passes; HOURS of SUM are
 * filled in. False where the events make no session. */
bool session_conclude(struct arena *arena, const struct lens *lens,
                      const struct session_sum *sum,
                      const struct session_pass *passes, size_t pass_count,
                      struct session_row *row, struct hour_row *hours);

/* By swap_charged_to_left (session_left.c): the placed hours of SUM, and behind
 * them one row per orchestrator and hour that was left. PASS holds all. */
struct hour_row *hours_with_left(struct arena *arena,
                                 const struct session_row *session,
                                 const struct session_sum *sum,
                                 const struct session_pass *pass,
                                 size_t *count);

/* Of session.c, for session_sum.c: of events sorted by (ts, id). */
void facts_gather(struct session_row *row, struct text *trace_gateway,
                  const struct session_event *events, size_t count);

#endif

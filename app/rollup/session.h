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

/* One row per UTC hour with status events, in order; after them, by
 * swap_charged_to_left, one per orchestrator and hour that was left. */
struct hour_row *hours_build(struct arena *arena, const struct lens *lens,
                             const struct session_row *session,
                             const struct session_event *events,
                             size_t event_count,
                             const struct session_pass *passes,
                             size_t pass_count, size_t *count);

/* Under swap_charged_to_left: a part for each orchestrator and hour that was
 * left; *OWN says that the session's own one was among them. PASS holds all. */
struct hour_row *
left_parts_build(struct arena *arena, const struct session_row *session,
                 const struct session_event *events, size_t event_count,
                 const struct session_pass *pass, bool *own, size_t *count);

/* SUM as rows keep it. */
struct text exact_encoded(struct arena *arena, const struct exact_sum *sum);

#endif

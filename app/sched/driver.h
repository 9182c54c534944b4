/*
 * driver.h: carries out plans: one after another, each run at its instant, as
 * far as budget, capacity, clock and vantage allow, and with a row in the
 * ledger for every single one.
 *
 *     turn (books.h) ── a plan is open ──▶ runs, until its end ──┐
 *      ▲  └── none ──▶ discover ──▶ plan, written down ──▶ runs ─┤
 *      └───────────────── all are decided, seed revealed ◀───────┘
 *
 * A planned run (errand.c): a moment before its instant the orchestrator is
 * asked for its capacity. At the instant it is decided; a row that says so is
 * durable before the run begins. Meanwhile capacity is asked every five
 * seconds, and the run ends early when others want the last slot or its rate is
 * known well enough. Then the run is written down as it was measured. It waits
 * for a round of the control targets and for half a window of the fleet, by
 * either of which it may be set aside (judgement.h); its last row says so.
 *
 * Promises: no run is begun twice, and none that is written down is lost or
 * judged in another way, whatever is killed when; none that was planned is
 * without a row; an instant that has passed is never made up for; no ceiling of
 * the plan is passed; where nothing can be written, nothing is begun, and what
 * ended is kept until it can.
 *
 * One thread, that of its surroundings.
 */
#ifndef ASSAY_SCHED_DRIVER_H
#define ASSAY_SCHED_DRIVER_H

#include "sched/surroundings.h"
#include "sched/terms.h"

struct driver;

/* Both are borrowed. Begins with the first driver_tick. */
struct driver *driver_new(const struct terms *terms,
                          const struct surroundings *surroundings);
/* After on_stopped. */
void driver_free(struct driver *driver);

/* The time has come that was set by wake_at. */
void driver_tick(struct driver *driver);

/* FOUND is borrowed for the call. */
void driver_found(struct driver *driver, const struct discovery *found);
void driver_controls(struct driver *driver, const struct control_round *round);

/* Ends what runs, in order; ON_STOPPED when all is written that can be. The
 * plan stays open for the next start. */
void driver_stop(struct driver *driver, void (*on_stopped)(void *context),
                 void *context);

#endif

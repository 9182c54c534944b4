/*
 * ledger.h: what became of every planned run.
 *
 * A row is written when the decision falls, before the run begins, once more
 * when it has ended, together with the run as it was measured, and once more
 * when it is judged: whether it is set aside because the fault may be ours. Of
 * the same planned run the later row stands. Nothing that was planned is left
 * out: what could not be run is there with its reason.
 */
#ifndef ASSAY_JOURNAL_LEDGER_H
#define ASSAY_JOURNAL_LEDGER_H

#include "base/fields.h"

#include <stdbool.h>

#define LEDGER_STARTED "started"   /* the run is under way */
#define LEDGER_ENDED "ended"       /* it ended and is not judged yet */
#define LEDGER_EXECUTED "executed" /* it ended; the run says how */
#define LEDGER_SKIPPED "skipped"   /* it was not run; the reason says why */

/* Reasons of skipped runs. */
enum skip {
    SKIP_NONE,
    SKIP_BUSY,          /* no idle slot when asked right before */
    SKIP_NO_CAPACITY,   /* it offers the model no longer */
    SKIP_OVER_BUDGET,   /* its share of idle capacity is used up */
    SKIP_GLOBAL_BUDGET, /* the share of all runs of the hour is */
    SKIP_AT_ONCE,       /* as many runs as allowed are under way */
    SKIP_WEI,           /* the day's ceiling would be passed */
    SKIP_CLOCK,         /* our clock jumped, or is not known well enough */
    SKIP_VANTAGE,       /* our own control targets fail */
    SKIP_MISSED,        /* we were not running, or too late */
    SKIP_STORE,         /* its start could not be written down */
    SKIP_STOPPED,       /* we were told to stop */
    SKIP_INTERRUPTED    /* it had begun when this program was killed */
};

enum { SKIP_COUNT = SKIP_INTERRUPTED + 1 };

struct skip_entry {
    const char *name; /* "" for SKIP_NONE */
    const char *meaning;
};
const struct skip_entry *skip_entry(enum skip skip);
bool skip_named(struct text name, enum skip *skip);

struct ledger_row {
    struct text plan_hash;
    struct text orchestrator_url;
    struct text workflow;
    struct text model_id;
    struct text gpu_id;
    int64_t stratum;
    int64_t due_at;     /* as the seed has it; ms since 1970, stamps */
    int64_t decided_at; /* when this row was written, stamp */
    int64_t began_at;   /* the run's begin, stamp; null where skipped */
    int64_t ended_at;   /* the run's end, stamp; null before it */
    struct text state;  /* LEDGER_... */
    struct text reason; /* null unless skipped */
    struct text run_id; /* null where none was begun */
    struct text prompt_id;
    int64_t idle; /* slots, as answered right before; null: unknown */
    int64_t busy;
    int64_t idle_ms;    /* idle capacity of this hour so far counted upon */
    int64_t used_ms;    /* of it by runs of this hour before this one */
    int64_t planned_ms; /* how long the run was to take */
    int64_t run_ms;     /* how long it took; null before its end */
    int64_t cost_wei;   /* null before its end */
    int64_t clock_offset_ms; /* of our clock, where known */
    /* Control targets that were asked, and that failed, in the worst round
     * during the run and the one after it; null where there are none. */
    int64_t controls;
    int64_t controls_failed;
    /* Orchestrators at which a run ended about when this one did, and those of
     * them that failed (sched/fleet.h); null where no rule of the fleet
     * applies.
     */
    int64_t fleet;
    int64_t fleet_failed;
    struct text measured;  /* outcome as the run's line has it; with ended_at */
    struct text set_aside; /* reason of vantage_suspect that takes its place;
                              null where none does */
    struct text stopped_early; /* LEDGER_STOPPED_..., null where it was not */
    /* not exported */
    int64_t seq; /* of the journal; absent before it is stored */
};
extern const struct fields ledger_fields;

/* Why a run took less than was planned. */
#define LEDGER_STOPPED_BUSY "busy"   /* others wanted the last slot */
#define LEDGER_STOPPED_TIGHT "tight" /* the wanted figure was known well */
#define LEDGER_STOPPED_ENDED "ended" /* this program was told to stop */

#endif

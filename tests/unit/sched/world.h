/*
 * world.h: simulated surroundings for the driver of plans: time that passes at
 * once, orchestrators of known behaviour, and a real store.
 *
 * What happens is a queue of events by monotonic time. A run at a simulated
 * orchestrator takes its slot, and its result comes when it would have.
 */
#ifndef ASSAY_TESTS_SCHED_WORLD_H
#define ASSAY_TESTS_SCHED_WORLD_H

#include "base/clock.h"
#include "sched/driver.h"
#include "sched/sched.h"
#include "store/store.h"

/* It begins with a UTC day. */
enum { WORLD_ORCHESTRATORS_MAX = 64, WORLD_START_HOURS = 490008 };

/* An orchestrator. */
struct simulated {
    char url[64];
    int slots;
    int users;     /* that hold slots beside us */
    int ours;      /* slots that our runs hold */
    int most_ours; /* at one time */
    bool down;     /* answers nothing */
    int live_runs; /* that were begun */
    bool fails;    /* runs get no output */
    int slow_ms;   /* later than others its first frame comes */
    char gpu[32];  /* that its one model works on; "" for two */
};

struct world_event;

struct world {
    struct arena arena;
    struct store *store;
    struct terms terms;
    struct surroundings surroundings;
    struct driver *driver;
    int64_t wall_us;
    int64_t wall_ms;
    int64_t monotonic_us;
    int64_t wake_us;            /* INT64_MAX: none */
    struct world_event *events; /* by time */
    uint64_t chance;
    struct simulated list[WORLD_ORCHESTRATORS_MAX];
    size_t count;
    bool disk_full;
    bool controls_fail;
    int64_t offset_ms;        /* of our clock, as control targets tell, ... */
    bool offset_contradicted; /* ... or they do not agree */
    int writes;               /* pieces of work for the store */
    int dies_at_write; /* DIES is called when that many are done; 0: never */
    void (*dies)(struct world *world);
    bool steady; /* rates without noise */
    bool stopped;
    int running; /* of ours, everywhere */
    int most_running;
    uint64_t ticks;
    /* Called once a simulated minute; may be null. */
    void (*minute)(struct world *world);
    int64_t next_minute_us;
    int64_t set_us;     /* when the clock was set last; 0: never */
    int begun_in_doubt; /* within half a minute of that */
};

/* COUNT orchestrators and the terms of a day; the store is the test's. */
void world_open(struct world *world, size_t count);
/* Begins a driver, as a started process does. */
void world_start(struct world *world);
/* Lets so much time pass. */
void world_run(struct world *world, int64_t ms);
/* Time passes, and nothing is done. Only from MINUTE. */
void world_stall(struct world *world, int64_t ms);
/* Ends the driver in order. */
void world_stop(struct world *world);
void world_close(struct world *world);

/* Of the world's own chance. */
uint64_t world_drawn(struct world *world);

/* Rows of the ledger that stand whose COLUMN is VALUE. */
int64_t world_rows(struct world *world, const char *column, const char *value);
/* Runs with this outcome, null for any. */
int64_t world_runs(struct world *world, const char *outcome);
/* Live runs that began while the clock was to be doubted. */
int world_begun_in_doubt(const struct world *world);
/* Removes the store, for another world. */
void world_forget_store(void);

/* By how much the clock is set. */
void world_set_clock(struct world *world, int64_t ms);

#endif

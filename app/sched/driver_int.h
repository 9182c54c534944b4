/*
 * driver_int.h: what the files of the driver share.
 *
 *     driver.c   plans, one after another; time; control targets
 *     errand.c   one planned run, from its question to its row
 *     outbox.c   what is to be written down, in order, until it is
 */
#ifndef ASSAY_SCHED_DRIVER_INT_H
#define ASSAY_SCHED_DRIVER_INT_H

#include "sched/books.h"
#include "sched/clock_watch.h"
#include "sched/driver.h"
#include "sched/fleet.h"

enum { US_PER_MS = 1000, US_PER_SECOND = 1000000 };

/* ---- outbox.c ------------------------------------------------------------ */

enum { NOTE_ENTRIES_MAX = 2 };

/* Entries that belong together. */
struct note {
    struct note *next;
    struct arena arena; /* of the entries */
    struct journal_entry entries[NOTE_ENTRIES_MAX];
    size_t count;
    /* Null: it is written however long it takes. Else it is dropped where
     * writing fails, and told either way. */
    void (*on_written)(void *context, enum err err);
    void *context;
};

struct outbox {
    const struct surroundings *outside;
    struct note *first;
    struct note **last;
    struct posting *posting; /* under way, or null */
    bool failing;            /* the last one failed */
    int64_t retry_us;
    bool one_by_one;                  /* one of them is refused */
    void (*on_change)(void *context); /* something was written, or failed */
    void *context;
};

struct note *note_new(void);
void outbox_add(struct outbox *outbox, struct note *note);
/* Posts what waits, unless it failed just now. */
void outbox_post(struct outbox *outbox, int64_t now_us);
bool outbox_is_empty(const struct outbox *outbox);
void outbox_free(struct outbox *outbox);

/* ---- errand.c ------------------------------------------------------------ */

struct errand;

/* Run NUMBER of the open plan is due soon, at DUE_US. */
void errand_begin(struct driver *driver, size_t number, int64_t due_us);
/* WAITING is to be judged: this program ended in between. */
void errand_resume(struct driver *driver, const struct waiting_run *waiting);
/* Moves it on; by the last look at the clock. */
void errand_tick(struct errand *errand);
/* When it wants to be moved on next. */
int64_t errand_next_us(const struct errand *errand);
void errand_stop(struct errand *errand);
/* The clock jumped while it ran. */
void errand_doubt(struct errand *errand);
/* A round of control targets has ended. */
void errand_controls(struct errand *errand);
/* Where the next one stands in the driver's list. */
struct errand **errand_link(struct errand *errand);
bool errand_is_over(const struct errand *errand);
/* It has not ended at its orchestrator, or not begun. */
bool errand_is_open(const struct errand *errand);
/* Of one that is over. */
void errand_free(struct errand *errand);

/* A row for a run that is not begun. */
void errand_skip(struct driver *driver, size_t number, enum skip reason);

/* ---- driver.c ------------------------------------------------------------ */

enum driver_phase {
    DRIVER_NEW,
    DRIVER_TURNING, /* books are brought up to date */
    DRIVER_LOOKING, /* for orchestrators */
    DRIVER_MAKING,  /* a plan is written down */
    DRIVER_RUNNING, /* by the open plan */
    DRIVER_WAITING, /* for another try */
    DRIVER_STOPPED
};

struct controls {
    bool given; /* there are control targets */
    bool asking;
    int64_t asking_since_us;
    bool wanted;               /* another round right after this one */
    int64_t next_us;           /* when one is due */
    struct control_round last; /* where there is one: */
    bool known;
    int64_t began_us; /* when it began */
};

struct driver {
    const struct terms *terms;
    const struct surroundings *outside;
    enum driver_phase phase;
    struct clock_watch watch;
    int64_t stamp;  /* at the last look */
    int64_t now_us; /* the same, monotonic */
    int64_t retry_us;
    struct open_plan *open;
    size_t next; /* of open->runs: those before were taken up */
    struct errand *errands;
    size_t letters; /* probes that have not told their end */
    struct controls controls;
    struct fleet fleet; /* of the open plan, and of just before */
    struct outbox outbox;
    struct evidence_counts evidence;

    struct store_work work; /* a turn, or a plan that is added */
    struct books_turn turn;
    struct books_plan adding;
    struct arena draft; /* of the plan that is added */
    struct plan drafted;
    uint8_t seed[PLAN_SEED_BYTES];

    bool stopping;
    int64_t stop_by_us; /* without what cannot be written */
    int64_t wake_us;    /* that is set */
    void (*on_stopped)(void *context);
    void *stopped_context;
};

/* Has driver_tick come at once. */
void driver_soon(struct driver *driver);
/* Asks for a round of control targets that begins from now on. */
void driver_want_controls(struct driver *driver);
bool controls_are_bad(const struct driver *driver,
                      const struct control_round *round);
/* The stamp of NOW_US, between two looks at the clock. */
int64_t driver_stamp_at(const struct driver *driver, int64_t now_us);
/* Middle of what the last round tells; ABSENT_INT where it does not. */
int64_t driver_clock_offset_ms(const struct driver *driver);

#endif

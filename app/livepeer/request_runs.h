/*
 * request_runs.h: payments and candidates of discovery, kept by the numbers of
 * their evidence lines. Pure, as all of this room.
 *
 * Such an event consists of random ids, which nothing compresses, and the
 * evidence holds them anyway. So of an hour of one organisation only this is
 * kept: which lines it has, and, of the lines of one evidence block together,
 * when they were and by which names they can be asked for. Whoever wants the
 * events reads the lines again, one block after another; a question about a few
 * minutes, or about one orchestrator, reads the few blocks that can answer it.
 * About one byte an event, in place of thirty.
 *
 * What is kept is a set: its bytes are the same in whichever order lines came,
 * and to add a late one reads nothing.
 */
#ifndef ASSAY_LIVEPEER_REQUEST_RUNS_H
#define ASSAY_LIVEPEER_REQUEST_RUNS_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request_event;

/* A line's place within its block is its lowest bits (store.h). */
enum { REQUEST_RUN_LINE_BITS = 16 };

/* What is kept of one event besides its line's number. */
enum { REQUEST_MARK_NAMES = 3 };
struct request_mark {
    int64_t line;
    int64_t ts;
    uint16_t names[REQUEST_MARK_NAMES];
    size_t name_count;
};

/*
 * The mark of EVENT. A payment is asked for by its recipient, and by session
 * and request where it names its request: only those link a session id to a
 * session (§3.9). A candidate is never asked for.
 */
struct request_mark request_mark_of(const struct request_event *event);

/* By what a name is kept. Others may share it: who asks must look again. */
uint16_t request_name(struct text name);

/* Lines of one block. */
struct request_run {
    int64_t block;
    int64_t first_ts; /* of their events */
    int64_t last_ts;
    int64_t *lines; /* rising */
    size_t line_count;
    uint16_t *names; /* rising */
    size_t name_count;
    bool lost_some; /* times and names may be those of lines taken out */
};

struct request_runs {
    struct request_run *list; /* by block */
    size_t count;
    /* Lines whose events are taken back, rising: what is written beside an hour
     * takes them out of it when the two are joined. */
    int64_t *removed;
    size_t removed_count;
};

/* In ARENA. Marks come in any order, REMOVED lines too; both are sorted. */
struct request_runs request_runs_of(struct arena *arena,
                                    struct request_mark *marks, size_t count,
                                    int64_t *removed, size_t removed_count);

/* The lines of A and of B without those that either removes; nothing of it is
 * removed itself. Arrays may be shared with A and B. */
struct request_runs request_runs_join(struct arena *arena,
                                      const struct request_runs *a,
                                      const struct request_runs *b);

/* Whether RUN may hold an event with FROM <= ts < UNTIL and one of NAMES; no
 * names ask for any. */
bool request_run_may_hold(const struct request_run *run, int64_t from_ms,
                          int64_t until_ms, const uint16_t *names,
                          size_t name_count);

/* The stored form of the hour that begins at HOUR. False where BYTES are not
 * what request_runs_encode wrote. */
void request_runs_encode(struct buf *out, int64_t hour,
                         const struct request_runs *runs);
bool request_runs_decode(struct arena *arena, struct text bytes, int64_t hour,
                         struct request_runs *runs);

#endif

/*
 * request_lines.h: events of requests that are kept by their evidence lines
 * (livepeer/request_runs.h), read again. Private to this room.
 */
#ifndef ASSAY_ROLLUP_REQUEST_LINES_H
#define ASSAY_ROLLUP_REQUEST_LINES_H

#include "base/index.h"
#include "rollup/facts.h"

/* Events in memory of their own, with texts in an arena. */
struct request_list {
    struct request_event *list;
    size_t count;
    size_t capacity;
};
void request_list_add(struct request_list *into,
                      const struct request_event *events, size_t count);
void request_list_free(struct request_list *list);

/* Reads lines one block after another; texts are kept in ARENA, equal ones
 * once. */
struct line_reader {
    struct store *store;
    struct arena *arena;
    struct text org; /* for messages */
    enum request_group group;
    struct text_index strings;
    const char **kept; /* in ARENA, by number of the string */
    struct arena scratch;
};
void line_reader_free(struct line_reader *reader);

/* Adds the events of RUN to INTO. ERR_CORRUPT where a line is none of GROUP, or
 * of another time. */
MUST_USE enum err request_run_read(struct line_reader *reader,
                                   const struct request_run *run,
                                   struct request_list *into);

/* In ARENA: of equal keys the last, sorted, within [FROM, UNTIL). */
struct request_event *request_list_settle(struct arena *arena,
                                          const struct request_list *all,
                                          int64_t from_ms, int64_t until_ms,
                                          size_t *count);

/* ---- by the hour --------------------------------------------------------- */

/* Column form of request_hour. */
enum request_form { FORM_WHOLE, FORM_LINES, FORM_FOR_GOOD };

/* What one organisation's hour of a group holds. */
struct request_hour {
    int64_t hour;
    struct request_list whole;
    struct request_runs runs;
    struct text_index removed; /* lines, as bytes, that no event is of */
};

/* Calls VISIT for each hour of what is asked that holds anything; HOUR is
 * borrowed for the call, its runs lie in ARENA. */
typedef enum err request_hour_visit(void *context,
                                    const struct request_hour *hour);
MUST_USE enum err request_hours_each(struct store *store, struct arena *arena,
                                     const struct request_question *asked,
                                     request_hour_visit *visit, void *context);

#endif

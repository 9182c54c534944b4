/*
 * settle_int.h: what the files of settling share. Private to this room.
 */
#ifndef ASSAY_ROLLUP_SETTLE_INT_H
#define ASSAY_ROLLUP_SETTLE_INT_H

#include "rollup/facts.h"

struct selection_list {
    struct selection_row *rows;
    size_t count;
};

/* All rows of a started query over selection. */
MUST_USE enum err read_selections(struct query *query, struct arena *arena,
                                  struct selection_list *list);

/* All rows of a started query over the SLA rows or the benchmarks of a lens. */
struct sla_list {
    struct sla_row *rows;
    size_t count;
};
MUST_USE enum err read_sla(struct query *query, struct fields fields,
                           struct arena *arena, struct sla_list *list);

struct benchmark_list {
    struct benchmark_row *rows;
    size_t count;
};
MUST_USE enum err read_benchmarks(struct query *query, struct fields fields,
                                  struct arena *arena,
                                  struct benchmark_list *list);

/* Texts of column 0 of a started query. */
struct text_list {
    struct text *texts;
    size_t count;
};
MUST_USE enum err read_texts(struct query *query, struct arena *arena,
                             struct text_list *list);

/* Folds session KEY again by both lenses and stores what differs. */
MUST_USE enum err settle_session(struct settling *settling, struct store *store,
                                 struct arena *arena, struct text org,
                                 struct text key);

/* A column `assay` that is not what lens_rows.c wrote. */
enum err damaged_difference(struct text org);

/* The session of an hour that is stored; ERR_CORRUPT where it is not there. */
MUST_USE enum err session_of_hour(struct store *store, struct arena *arena,
                                  struct text key,
                                  struct session_row **session);

/* A table of rows by (hour, org, position). */
struct hour_table {
    const struct fields *fields;
    size_t row_bytes;
    enum query_id of_hour;
    enum query_id put;
    enum query_id delete_from;
};
/* Makes ROWS, numbered by position, the rows of one (org, hour). */
MUST_USE enum err hour_rows_replace(struct store *store, struct arena *arena,
                                    const struct hour_table *table,
                                    int64_t hour, struct text org,
                                    const void *rows, size_t count);

/* Writes the demand rows of one (org, hour) anew. */
MUST_USE enum err settle_demand(struct store *store, struct arena *arena,
                                struct text org, int64_t hour);

/* One unit of settling; each runs in the caller's transaction. */
MUST_USE enum err settle_day(struct settling *settling, struct store *store,
                             struct text org, int64_t day);
MUST_USE enum err settle_hours(struct store *store, int64_t day);
MUST_USE enum err settle_benchmarks(struct store *store, int64_t day);
MUST_USE enum err settle_scores(struct store *store, int64_t day);
MUST_USE enum err settle_requests(struct store *store, struct text org,
                                  int64_t day);

/* Puts the hour of packs that session KEY is in, if any, back into the tables,
 * and the session's own parts as they are before they are packed. A session is
 * never folded while it is packed. */
MUST_USE enum err settle_unpacked(struct settling *settling,
                                  struct store *store, struct text key);
/* The parts of a session on days that are not cold, with their events. */
MUST_USE enum err session_warm(struct store *store, struct text key);

/* The sessions of the first hour that is to be packed; *FOUND is false where
 * none is. */
MUST_USE enum err settle_packing(struct store *store, bool *found);

/* Some parts of the first day that is to be cold; *FOUND is false where none
 * is. */
MUST_USE enum err settle_cooling(struct store *store, bool *found);

/* The columns of table request_demand. */
extern const struct fields request_demand_stored;

/* The org, in ARENA, and the day or hour that query ID gives first, if any. */
MUST_USE enum err first_noted(struct store *store, enum query_id id,
                              struct arena *arena, struct text *org,
                              int64_t *time_ms, bool *found);

/* Runs a query of one integer pair, as most notes are. */
MUST_USE enum err note_day(struct store *store, int64_t day, bool benchmarks);

#endif

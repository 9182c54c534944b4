/*
 * lens_rows.h: the rows of lens assay, kept inside the published ones. Private
 * to this room.
 *
 * A session of lens assay is mostly the published one with other latencies, so
 * its rows are stored as differences, in column `assay` of the published row
 * of the same key: a dozen bytes instead of a row of seven hundred, written and
 * read with it. Every row of lens assay has a published one to lie in: events
 * are only ever left out (dedup_first), and what a session left
 * (swap_charged_to_left) is placed in its own hours.
 *
 * Null means that the lens has the same row. Turned down: tables of their own,
 * which double what is written and read.
 */
#ifndef ASSAY_ROLLUP_LENS_ROWS_H
#define ASSAY_ROLLUP_LENS_ROWS_H

#include "rollup/rollup.h"

/* What one session is by one lens. */
struct hour_list {
    struct hour_row *rows;
    size_t count;
};

struct gateway_hour_list {
    struct gateway_hour_row *rows;
    size_t count;
};

struct folded {
    bool exists;
    struct session_row row;
    struct hour_list hours; /* with parts, for a lens with switches */
    struct gateway_hour_list gateways;
};

/* Sets the columns `assay` and `assay_start` of PUBLISHED by what OTHER has in
 * place of its rows. */
void lens_rows_keep(struct arena *arena, struct folded *published,
                    const struct folded *other);

/* The other way round, one stored row at a time; false where its column is
 * damaged. What they return lives as long as ARENA and the published row. */

/* *EXISTS is false where the lens knows no such session. */
bool lens_session(const struct session_row *published,
                  struct session_row *session, bool *exists);

/* The parts that the lens has in the hour: none, its own, those left. */
bool lens_hour_parts(struct arena *arena, const struct hour_row *published,
                     struct hour_list *parts);

/* *EXISTS is false where the lens counts no sample there. */
bool lens_gateway_hour(const struct gateway_hour_row *published,
                       struct gateway_hour_row *row, bool *exists);

/* What the builders of rows take, made of what they take for published. False
 * where a column is damaged. */
bool lens_session_hours(struct arena *arena,
                        const struct session_hour *published, size_t count,
                        struct session_hour **hours, size_t *hour_count);
/* Only the parts that the lens has in HOUR. */
bool lens_demand_parts(struct arena *arena, const struct demand_part *published,
                       size_t count, int64_t hour, struct demand_part **parts,
                       size_t *part_count);

#endif

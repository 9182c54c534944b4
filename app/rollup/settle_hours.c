/*
 * settle_hours.c: the later stages of settling: SLA and GPU rows of noted
 * hours (demand is in settle_demand.c), daily benchmarks, scores. Rows are
 * written only where they come out different, and only a difference passes a
 * note on to the next stage.
 */
#include "rollup/ingest_hours.h"
#include "rollup/lens_rows.h"
#include "rollup/lens_tables.h"
#include "rollup/sla.h"

#include "base/clock.h"

#include <math.h>

enum { COHORT_DAYS = 7 };

enum err note_day(struct store *store, int64_t day, bool benchmarks)
{
    struct query *query = query_start(store, QUERY_DIRTY_DAY_ADD);
    query_bind_int(query, 1, day);
    query_bind_int(query, 2, benchmarks);
    return query_run(query);
}

static enum err sla_between(struct store *store, struct arena *arena,
                            const struct lens_tables *tables, int64_t from_ms,
                            int64_t until_ms, struct sla_list *list)
{
    struct query *query = query_start(store, tables->sla_between);
    query_bind_int(query, 1, from_ms);
    query_bind_int(query, 2, until_ms);
    return read_sla(query, *tables->sla.fields, arena, list);
}

/* ---- hours --------------------------------------------------------------- */

struct hour_note {
    int64_t hour;
    struct text org;
};

struct hour_notes {
    struct hour_note *list;
    size_t count;
};

static enum err read_notes(struct store *store, struct arena *arena,
                           int64_t day, struct hour_notes *notes)
{
    struct query *query = query_start(store, QUERY_DIRTY_HOURS_BETWEEN);
    query_bind_int(query, 1, day);
    query_bind_int(query, 2, day + MS_PER_DAY);
    bool row;
    enum err err;
    *notes = (struct hour_notes){0};
    while (!(err = query_step(query, &row)) && row) {
        notes->list =
            arena_grow(arena, notes->list, notes->count, sizeof *notes->list);
        notes->list[notes->count++] = (struct hour_note){
            query_int(query, 0), query_copy(arena, query, 1)};
    }
    return err;
}

enum err session_of_hour(struct store *store, struct arena *arena,
                         struct text key, struct session_row **session)
{
    *session = arena_alloc(arena, sizeof **session);
    struct query *query = query_start(store, QUERY_SESSION_GET);
    query_bind_text(query, 1, key);
    bool row;
    enum err err = query_step(query, &row);
    if (!err && !row) {
        query = query_start(store, QUERY_SESSION_GET_PACKED);
        query_bind_text(query, 1, key);
        err = query_step(query, &row);
    }
    if (!err && !row)
        err = err_set(ERR_CORRUPT,
                      "hour of session %.*s without the session; run "
                      "`assay rebuild`",
                      (int)key.length, key.data);
    if (err)
        return err;
    fields_read(arena, query, 0, session_fields, *session);
    return query_run(query);
}

static enum err benchmarks_between(struct store *store, struct arena *arena,
                                   const struct lens_tables *tables,
                                   int64_t from, int64_t until,
                                   struct benchmark_list *list)
{
    struct query *query = query_start(store, tables->benchmarks.between);
    query_bind_int(query, 1, from);
    query_bind_int(query, 2, until);
    return read_benchmarks(query, *tables->benchmarks.fields, arena, list);
}

/* Of the days that the rows of DAY are scored by. */
static enum err cohort_benchmarks(struct store *store, struct arena *arena,
                                  const struct lens_tables *tables, int64_t day,
                                  struct benchmark_list *list)
{
    return benchmarks_between(store, arena, tables,
                              day - COHORT_DAYS * (int64_t)MS_PER_DAY, day,
                              list);
}

enum err damaged_difference(struct text org)
{
    return err_set(ERR_CORRUPT,
                   "rows of lens assay of %.*s cannot be read; run "
                   "`assay rebuild`",
                   (int)org.length, org.data);
}

/* What the sessions of one (org, hour) add up to by one lens. */
struct hour_sums {
    const struct lens_tables *tables;
    struct sla_sums sla;
    struct gpu_sums gpus;
};

static void sums_free(struct hour_sums sums[LENSES_KEPT])
{
    for (size_t i = 0; i < LENSES_KEPT; i++) {
        sla_sums_free(&sums[i].sla);
        gpu_sums_free(&sums[i].gpus);
    }
}

static enum err add_by_lens(struct hour_sums *sums, struct arena *scratch,
                            const struct session_hour *published)
{
    struct session_hour own = *published;
    struct session_hour *hours = &own;
    size_t count = 1;
    if (!lens_is_published(sums->tables->lens) &&
        !lens_session_hours(scratch, published, 1, &hours, &count))
        return damaged_difference(published->hour->org);
    for (size_t i = 0; i < count; i++) {
        if (hours[i].hour->tail_artefact)
            continue;
        sla_sums_add(&sums->sla, scratch, &hours[i]);
        gpu_sums_add(&sums->gpus, scratch, &hours[i]);
    }
    return ERR_NONE;
}

/* The hour that QUERY stands at, by each lens. */
static enum err add_session_hour(struct store *store, struct arena *scratch,
                                 struct query *query,
                                 const struct ingest_list *ingest,
                                 struct hour_sums sums[LENSES_KEPT])
{
    struct hour_row hour = {0};
    struct session_row *session;
    fields_read(scratch, query, 0, hour_fields, &hour);
    enum err err = session_of_hour(store, scratch, hour.session_key, &session);
    if (err)
        return err;
    const struct session_hour published = {
        &hour, session, ingest_hour_of(ingest, hour.session_key)};
    for (size_t i = 0; !err && i < LENSES_KEPT; i++)
        err = add_by_lens(&sums[i], scratch, &published);
    return err;
}

static enum err add_hour(struct store *store, struct arena *arena,
                         const struct hour_note *note,
                         struct hour_sums sums[LENSES_KEPT])
{
    struct arena scratch = {0};
    struct ingest_list ingest;
    enum err err =
        ingest_hours_of(store, arena, note->org, note->hour, &ingest);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_SESSION_HOUR_OF_HOUR);
    query_bind_text(query, 1, note->org);
    query_bind_int(query, 2, note->hour);
    bool row;
    while (!err && !(err = query_step(query, &row)) && row) {
        err = add_session_hour(store, &scratch, query, &ingest, sums);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return err;
}

/* Rows are scored at once, so that nobody ever sees one without its score; by
 * benchmarks that may be out of date, and then the day is noted. */
static enum err write_sums(struct store *store, struct arena *arena,
                           const struct hour_note *note, struct hour_sums *sums,
                           const struct benchmark_list *benchmarks)
{
    const struct lens_tables *tables = sums->tables;
    size_t *numbers;
    size_t count;
    struct sla_row *rows = sla_sums_end(&sums->sla, &numbers, &count);
    sla_score(arena, tables->lens, rows, count, benchmarks->rows,
              benchmarks->count);
    enum err err = hour_rows_replace(store, arena, &tables->sla, note->hour,
                                     note->org, rows, count);
    if (err)
        return err;
    struct gpu_row *gpus = gpu_sums_end(&sums->gpus, &count);
    return hour_rows_replace(store, arena, &tables->gpus, note->hour, note->org,
                             gpus, count);
}

static enum err run_of_hour(struct store *store, enum query_id id, int64_t hour)
{
    struct query *query = query_start(store, id);
    query_bind_int(query, 1, hour);
    return query_run(query);
}

/* HOUR is listed as long as it has a row: events that come again with another
 * time can take the last one away. */
static enum err note_settled(struct store *store, int64_t hour)
{
    enum err err = run_of_hour(store, QUERY_SETTLED_HOUR_PUT, hour);
    return err ? err : run_of_hour(store, QUERY_SETTLED_HOUR_DROP_EMPTY, hour);
}

/* BENCHMARKS are one list for each lens. An hour may have very many sessions,
 * so each is added up and forgotten. */
static enum err settle_hour(struct store *store, struct arena *arena,
                            const struct hour_note *note,
                            const struct benchmark_list *benchmarks)
{
    struct hour_sums sums[LENSES_KEPT];
    for (size_t i = 0; i < LENSES_KEPT; i++)
        sums[i] = (struct hour_sums){&lens_tables[i],
                                     sla_sums_of(arena, lens_tables[i].lens),
                                     gpu_sums_of(arena, lens_tables[i].lens)};
    enum err err = add_hour(store, arena, note, sums);
    for (size_t i = 0; !err && i < LENSES_KEPT; i++)
        err = write_sums(store, arena, note, &sums[i], &benchmarks[i]);
    sums_free(sums);
    arena_clear(arena);
    if (!err)
        err = settle_demand(store, arena, note->org, note->hour);
    return err ? err : note_settled(store, note->hour);
}

static bool is_first_of_org(const struct hour_notes *notes, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (text_equal(notes->list[i].org, notes->list[at].org))
            return false;
    return true;
}

/* Of the organisations that have one of NOTES. */
static enum err settle_day_sketches(struct store *store, struct arena *scratch,
                                    const struct hour_notes *notes, int64_t day)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < notes->count; i++) {
        if (!is_first_of_org(notes, i))
            continue;
        for (size_t k = 0; !err && k < LENSES_KEPT; k++) {
            err = settle_sketches(store, scratch, &lens_tables[k],
                                  notes->list[i].org, day);
            arena_clear(scratch);
        }
    }
    return err;
}

enum err settle_hours(struct store *store, int64_t day)
{
    struct arena arena = {0};
    struct arena scratch = {0};
    struct hour_notes notes;
    struct benchmark_list benchmarks[LENSES_KEPT];
    enum err err = read_notes(store, &arena, day, &notes);
    for (size_t i = 0; !err && i < LENSES_KEPT; i++)
        err = cohort_benchmarks(store, &arena, &lens_tables[i], day,
                                &benchmarks[i]);
    for (size_t i = 0; !err && i < notes.count; i++) {
        err = settle_hour(store, &scratch, &notes.list[i], benchmarks);
        arena_clear(&scratch);
    }
    if (!err)
        err = settle_day_sketches(store, &scratch, &notes, day);
    arena_free(&scratch);
    arena_free(&arena);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_DIRTY_HOUR_CLEAR);
    query_bind_int(query, 1, day);
    query_bind_int(query, 2, day + MS_PER_DAY);
    err = query_run(query);
    return err ? err : note_day(store, day, true);
}

/* ---- benchmarks ---------------------------------------------------------- */

static bool same_benchmarks(struct fields fields,
                            const struct benchmark_list *before,
                            const struct benchmark_row *rows, size_t count)
{
    if (before->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!fields_equal(fields, &before->rows[i], &rows[i]))
            return false;
    return true;
}

static enum err
replace_benchmarks(struct store *store, const struct benchmark_table *table,
                   int64_t day, const struct benchmark_row *rows, size_t count)
{
    struct query *query = query_start(store, table->remove);
    query_bind_int(query, 1, day);
    enum err err = query_run(query);
    for (size_t i = 0; !err && i < count; i++) {
        query = query_start(store, table->put);
        fields_bind(query, 1, *table->fields, &rows[i]);
        err = query_run(query);
    }
    for (int64_t i = 1; !err && i <= COHORT_DAYS; i++)
        err = note_day(store, day + i * MS_PER_DAY, false);
    return err;
}

static enum err benchmarks_of(struct store *store, struct arena *arena,
                              const struct lens_tables *tables, int64_t day)
{
    struct sla_list sla;
    struct benchmark_list before;
    enum err err =
        sla_between(store, arena, tables, day, day + MS_PER_DAY, &sla);
    if (!err)
        err = benchmarks_between(store, arena, tables, day, day + 1, &before);
    if (err)
        return err;
    size_t count;
    struct benchmark_row *rows =
        benchmarks_build(arena, tables->lens, day, sla.rows, sla.count, &count);
    if (same_benchmarks(*tables->benchmarks.fields, &before, rows, count))
        return ERR_NONE;
    return replace_benchmarks(store, &tables->benchmarks, day, rows, count);
}

enum err settle_benchmarks(struct store *store, int64_t day)
{
    struct arena arena = {0};
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < LENSES_KEPT; i++) {
        err = benchmarks_of(store, &arena, &lens_tables[i], day);
        arena_clear(&arena);
    }
    arena_free(&arena);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_DIRTY_DAY_BENCHMARKED);
    query_bind_int(query, 1, day);
    return query_run(query);
}

/* ---- scores -------------------------------------------------------------- */

static enum err score_rows(struct store *store, struct arena *arena,
                           const struct lens_tables *tables,
                           struct sla_list *sla,
                           const struct benchmark_list *benchmarks)
{
    enum err err = ERR_NONE;
    struct fields fields = *tables->sla.fields;
    struct sla_row *before = arena_array(arena, sla->count, sizeof *before);
    for (size_t i = 0; i < sla->count; i++)
        before[i] = sla->rows[i];
    sla_score(arena, tables->lens, sla->rows, sla->count, benchmarks->rows,
              benchmarks->count);
    for (size_t i = 0; !err && i < sla->count; i++) {
        if (fields_equal(fields, &before[i], &sla->rows[i]))
            continue;
        struct query *query = query_start(store, tables->sla.put);
        fields_bind(query, 1, fields, &sla->rows[i]);
        err = query_run(query);
    }
    return err;
}

static enum err scores_of(struct store *store, struct arena *arena,
                          const struct lens_tables *tables, int64_t day)
{
    struct sla_list sla;
    struct benchmark_list benchmarks;
    enum err err =
        sla_between(store, arena, tables, day, day + MS_PER_DAY, &sla);
    if (!err)
        err = cohort_benchmarks(store, arena, tables, day, &benchmarks);
    return err ? err : score_rows(store, arena, tables, &sla, &benchmarks);
}

enum err settle_scores(struct store *store, int64_t day)
{
    struct arena arena = {0};
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < LENSES_KEPT; i++) {
        err = scores_of(store, &arena, &lens_tables[i], day);
        arena_clear(&arena);
    }
    arena_free(&arena);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_DIRTY_DAY_CLEAR);
    query_bind_int(query, 1, day);
    return query_run(query);
}

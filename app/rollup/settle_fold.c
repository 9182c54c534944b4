/*
 * settle_fold.c: one session of the store folded again, by both lenses.
 *
 * Its events are read once. The published rows are made with the decisions that
 * stand in the store, the rows of lens assay with decisions made here, and what
 * the two differ in is kept inside the published rows (lens_rows.h). Hours are
 * noted only where something came out different.
 */
#include "rollup/capability_days.h"
#include "rollup/hot.h"
#include "rollup/lens_rows.h"
#include "rollup/settle_int.h"

#include "base/clock.h"

struct fold_work {
    struct settling *settling; /* may be null */
    struct store *store;
    struct arena *arena;
    struct text org;
    struct text key;
};

/* ---- sessions and hours ----------------------------------------------------
 */

static enum err note_hour(struct fold_work *work, int64_t hour)
{
    struct query *query = query_start(work->store, QUERY_DIRTY_HOUR_ADD);
    query_bind_int(query, 1, hour);
    query_bind_text(query, 2, work->org);
    return query_run(query);
}

static enum err read_session(struct fold_work *work, struct arena *arena,
                             struct text key, struct session_row *row,
                             bool *found)
{
    struct query *query = query_start(work->store, QUERY_SESSION_GET);
    query_bind_text(query, 1, key);
    enum err err = query_step(query, found);
    if (!err && *found) {
        fields_read(arena, query, 0, session_fields, row);
        err = query_run(query);
    }
    return err;
}

static enum err read_hours(struct fold_work *work, struct arena *arena,
                           struct text key, struct hour_list *list)
{
    struct query *query =
        query_start(work->store, QUERY_SESSION_HOUR_OF_SESSION);
    query_bind_text(query, 1, key);
    struct row_array all;
    enum err err =
        fields_read_all(arena, query, hour_fields, sizeof *list->rows, &all);
    *list = (struct hour_list){all.rows, all.count};
    return err;
}

static bool equal_hours(const struct hour_list *a, const struct hour_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!fields_equal(hour_fields, &a->rows[i], &b->rows[i]))
            return false;
    return true;
}

static enum err replace_hours(struct fold_work *work, struct text key,
                              const struct hour_list *before,
                              const struct hour_list *now)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < before->count; i++) {
        struct query *query =
            query_start(work->store, QUERY_SESSION_HOUR_DELETE);
        query_bind_text(query, 1, work->org);
        query_bind_int(query, 2, before->rows[i].hour);
        query_bind_text(query, 3, key);
        err = query_run(query);
        if (!err)
            err = note_hour(work, before->rows[i].hour);
    }
    for (size_t i = 0; !err && i < now->count; i++) {
        struct query *query = query_start(work->store, QUERY_SESSION_HOUR_PUT);
        fields_bind(query, 1, hour_fields, &now->rows[i]);
        err = query_run(query);
        if (!err)
            err = note_hour(work, now->rows[i].hour);
    }
    return err;
}

static enum err replace_session(struct fold_work *work, struct text key,
                                const struct session_row *row, bool exists)
{
    struct query *query;
    if (exists) {
        query = query_start(work->store, QUERY_SESSION_PUT);
        fields_bind(query, 1, session_fields, row);
    } else {
        query = query_start(work->store, QUERY_SESSION_DELETE);
        query_bind_text(query, 1, key);
    }
    return query_run(query);
}

/* ---- samples by gateway ------------------------------------------------ */

static enum err read_gateway_hours(struct fold_work *work, struct arena *arena,
                                   struct text key,
                                   struct gateway_hour_list *list)
{
    struct query *query =
        query_start(work->store, QUERY_GATEWAY_HOUR_OF_SESSION);
    query_bind_text(query, 1, key);
    struct row_array all;
    enum err err = fields_read_all(arena, query, gateway_hour_fields,
                                   sizeof *list->rows, &all);
    *list = (struct gateway_hour_list){all.rows, all.count};
    return err;
}

static bool equal_gateway_hours(const struct gateway_hour_list *a,
                                const struct gateway_hour_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!fields_equal(gateway_hour_fields, &a->rows[i], &b->rows[i]))
            return false;
    return true;
}

static enum err delete_gateway_hour(struct fold_work *work,
                                    const struct gateway_hour_row *row)
{
    struct query *query = query_start(work->store, QUERY_GATEWAY_HOUR_DELETE);
    query_bind_text(query, 1, row->org);
    query_bind_int(query, 2, row->hour);
    query_bind_text(query, 3, row->session_key);
    query_bind_text(query, 4, row->gateway);
    return query_run(query);
}

/* Their hours are noted with those of the session: both have the same. */
static enum err replace_gateway_hours(struct fold_work *work,
                                      const struct gateway_hour_list *before,
                                      const struct gateway_hour_list *now)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < before->count; i++)
        err = delete_gateway_hour(work, &before->rows[i]);
    for (size_t i = 0; !err && i < now->count; i++) {
        struct query *query = query_start(work->store, QUERY_GATEWAY_HOUR_PUT);
        fields_bind(query, 1, gateway_hour_fields, &now->rows[i]);
        err = query_run(query);
    }
    return err;
}

/* ---- folding again ------------------------------------------------------- */

static void take_sum(struct folded *folded, const struct session_sum *sum)
{
    folded->hours = (struct hour_list){sum->hours, sum->hour_count};
    folded->gateways =
        (struct gateway_hour_list){sum->gateways, sum->gateway_count};
}

/* By lens published: a pass per day, with the decisions that are stored. */
static enum err fold_published(struct fold_work *work,
                               const struct session_sum *sum,
                               struct folded *folded)
{
    struct arena *arena = work->arena;
    struct selection_list selections;
    struct query *query = query_start(work->store, QUERY_SELECTION_OF_SESSION);
    query_bind_text(query, 1, work->key);
    enum err err = read_selections(query, arena, &selections);
    if (err)
        return err;
    size_t pass_count;
    struct session_pass *passes = passes_by_day(arena, sum, selections.rows,
                                                selections.count, &pass_count);
    folded->exists = session_conclude(arena, &lens_published, sum, passes,
                                      pass_count, &folded->row, sum->hours);
    if (folded->exists)
        take_sum(folded, sum);
    return ERR_NONE;
}

static enum err attribute_all(struct fold_work *work,
                              struct selection_row *selections, size_t count)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < count; i++) {
        const struct capability_index *index;
        err =
            capability_day(work->store, work->org,
                           clock_day_start(selections[i].selection_ts), &index);
        if (err)
            break;
        attribute(work->arena, index, &selections[i]);
        /* What the index holds may be forgotten with the next question. */
        fields_copy(work->arena, selection_fields, &selections[i]);
        fields_copy(work->arena, selection_card_fields, &selections[i]);
    }
    return err;
}

/* By lens assay: one pass, decided here. */
static enum err fold_assay(struct fold_work *work, struct assay_sum *assay,
                           struct folded *folded)
{
    struct arena *arena = work->arena;
    const struct session_sum *sum = &assay->sum;
    struct session_pass pass = {.start = INT64_MIN};
    struct selection_row *selections =
        selections_end(&assay->selections, &pass.selection_count);
    pass.selections = selections;
    enum err err = attribute_all(work, selections, pass.selection_count);
    if (err)
        return err;
    folded->exists = session_conclude(arena, &lens_assay, sum, &pass, 1,
                                      &folded->row, sum->hours);
    if (!folded->exists)
        return ERR_NONE;
    take_sum(folded, sum);
    folded->hours.rows =
        hours_with_left(arena, &folded->row, sum, &pass, &folded->hours.count);
    return ERR_NONE;
}

static enum err fold(struct fold_work *work, struct folded *folded)
{
    struct session_sum published;
    struct assay_sum assay;
    struct folded other = {0};
    enum err err = hot_sums(work->settling, work->store, work->arena, work->org,
                            work->key, &published, &assay);
    if (!err)
        err = fold_published(work, &published, folded);
    if (!err && folded->exists)
        err = fold_assay(work, &assay, &other);
    if (!err && folded->exists)
        lens_rows_keep(work->arena, folded, &other);
    return err;
}

static enum err read_folded(struct fold_work *work, struct folded *folded)
{
    struct text key = work->key;
    enum err err =
        read_session(work, work->arena, key, &folded->row, &folded->exists);
    if (!err)
        err = read_hours(work, work->arena, key, &folded->hours);
    if (!err)
        err = read_gateway_hours(work, work->arena, key, &folded->gateways);
    return err;
}

static bool equal_folded(const struct folded *a, const struct folded *b)
{
    return a->exists == b->exists &&
           (!a->exists || fields_equal(session_fields, &a->row, &b->row)) &&
           equal_hours(&a->hours, &b->hours) &&
           equal_gateway_hours(&a->gateways, &b->gateways);
}

/* The hour in which it is demand need not be one of its own. */
static enum err note_demand(struct fold_work *work, const struct folded *folded)
{
    if (!folded->exists)
        return ERR_NONE;
    enum err err = note_hour(work, demand_hour(&folded->row));
    if (!err && folded->row.assay_start != ABSENT_INT)
        err = note_hour(work, folded->row.assay_start);
    return err;
}

static enum err replace(struct fold_work *work, const struct folded *before,
                        const struct folded *now)
{
    enum err err = replace_session(work, work->key, &now->row, now->exists);
    if (!err)
        err = replace_hours(work, work->key, &before->hours, &now->hours);
    if (!err)
        err = replace_gateway_hours(work, &before->gateways, &now->gateways);
    if (!err)
        err = note_demand(work, before);
    return err ? err : note_demand(work, now);
}

enum err settle_session(struct settling *settling, struct store *store,
                        struct arena *arena, struct text org, struct text key)
{
    struct fold_work work = {settling, store, arena, org, key};
    struct folded before = {0};
    struct folded now = {0};
    enum err err = settle_unpacked(settling, store, key);
    if (!err)
        err = fold(&work, &now);
    if (!err)
        err = read_folded(&work, &before);
    if (err || equal_folded(&before, &now))
        return err;
    return replace(&work, &before, &now);
}

/*
 * lens_rows.c: see lens_rows.h.
 *
 * Stored forms:
 *
 *   session, gateway hour  one byte, 1 for a row that exists, then its
 *                          difference
 *   hour                   one text per part: its difference; the own part
 *                          comes first
 *
 * What is compared with is the published row as the lens would have it if no
 * switch had acted: counted in its hour, every sample with output.
 */
#include "rollup/lens_rows.h"

#include "rollup/hour_extras.h"
#include "rollup/row_diff.h"
#include "rollup/settle_int.h"

#include <math.h>

static const struct field gateway_lens_list[] = {
    FIELD(INT, gateway_hour_row, status_samples),
    FIELD(BLOB, gateway_hour_row, fps_sum),
    FIELD(INT, gateway_hour_row, fps_positive_samples),
};
static const struct fields gateway_lens_fields = {
    .list = gateway_lens_list,
    .count = sizeof gateway_lens_list / sizeof *gateway_lens_list};

static const struct text nothing = {NULL, 0};

/* ---- bases ----------------------------------------------------------------
 */

static struct session_row session_base(const struct session_row *published)
{
    struct session_row base = *published;
    base.assay = nothing;
    base.inferred_swap = 0;
    base.cold = 0;
    base.card = card_unknown;
    return base;
}

static struct hour_row hour_base(const struct hour_row *published)
{
    struct hour_row base = *published;
    base.assay = nothing;
    base.day = 0;
    base.part = HOUR_OWN;
    base.gpu_id = nothing;
    base.counts_session = 1;
    base.charges_swap = 0;
    base.fps_jitter = (double)NAN;
    base.card = card_unknown;
    return base;
}

static struct gateway_hour_row
gateway_base(const struct gateway_hour_row *published)
{
    struct gateway_hour_row base = *published;
    base.assay = nothing;
    base.fps_positive_samples = base.status_samples;
    return base;
}

/* ---- keeping --------------------------------------------------------------
 */

static struct text kept(struct arena *arena, struct buf *bytes)
{
    struct text text = {arena_text(arena, bytes->data, bytes->length),
                        bytes->length};
    buf_free(bytes);
    return text;
}

/* A row that OTHER has, or (null) has not, in place of BASE. */
static struct text one_row(struct arena *arena, struct fields fields,
                           const void *base, const void *other)
{
    struct buf bytes = {0};
    buf_add_byte(&bytes, other != NULL);
    if (other)
        row_diff_encode(&bytes, fields, base, other);
    struct text text = kept(arena, &bytes);
    return other && text.length == 1 ? nothing : text;
}

static struct text hour_parts(struct arena *arena, const struct hour_row *base,
                              const struct hour_list *all)
{
    struct buf bytes = {0};
    size_t count = 0;
    bool plain = true;
    for (size_t i = 0; i < all->count; i++) {
        if (all->rows[i].hour != base->hour)
            continue;
        struct buf part = {0};
        row_diff_encode(&part, hour_lens_fields, base, &all->rows[i]);
        buf_add_text(&bytes,
                     (struct text){(const char *)part.data, part.length});
        plain &= !part.length;
        buf_free(&part);
        count++;
    }
    struct text text = kept(arena, &bytes);
    return plain && count == 1 ? nothing : text;
}

static const struct gateway_hour_row *
same_gateway_hour(const struct gateway_hour_list *list,
                  const struct gateway_hour_row *row)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].hour == row->hour &&
            text_equal(list->rows[i].gateway, row->gateway))
            return &list->rows[i];
    return NULL;
}

void lens_rows_keep(struct arena *arena, struct folded *published,
                    const struct folded *other)
{
    struct session_row base = session_base(&published->row);
    published->row.assay = one_row(arena, session_lens_fields, &base,
                                   other->exists ? &other->row : NULL);
    if (other->exists && demand_hour(&other->row) != demand_hour(&base))
        published->row.assay_start = demand_hour(&other->row);
    for (size_t i = 0; i < published->hours.count; i++) {
        struct hour_row hour = hour_base(&published->hours.rows[i]);
        published->hours.rows[i].assay =
            hour_parts(arena, &hour, &other->hours);
    }
    for (size_t i = 0; i < published->gateways.count; i++) {
        struct gateway_hour_row *row = &published->gateways.rows[i];
        struct gateway_hour_row gateway = gateway_base(row);
        row->assay = one_row(arena, gateway_lens_fields, &gateway,
                             same_gateway_hour(&other->gateways, row));
    }
}

/* ---- reading --------------------------------------------------------------
 */

static bool read_one(struct text bytes, struct fields fields, void *row,
                     bool *exists)
{
    *exists = true;
    if (!bytes.data)
        return true;
    if (!bytes.length || (uint8_t)bytes.data[0] > 1)
        return false;
    *exists = bytes.data[0] == 1;
    return row_diff_decode((struct text){bytes.data + 1, bytes.length - 1},
                           fields, row);
}

bool lens_session(const struct session_row *published,
                  struct session_row *session, bool *exists)
{
    *session = session_base(published);
    return read_one(published->assay, session_lens_fields, session, exists);
}

enum err session_of_assay(const struct session_row *stored,
                          struct session_row *session, bool *exists)
{
    if (lens_session(stored, session, exists))
        return ERR_NONE;
    return damaged_difference(stored->org);
}

bool lens_gateway_hour(const struct gateway_hour_row *published,
                       struct gateway_hour_row *row, bool *exists)
{
    *row = gateway_base(published);
    return read_one(published->assay, gateway_lens_fields, row, exists);
}

static bool add_part(struct arena *arena, struct hour_list *parts,
                     const struct hour_row *base, struct text diff)
{
    parts->rows =
        arena_grow(arena, parts->rows, parts->count, sizeof *parts->rows);
    struct hour_row *part = &parts->rows[parts->count++];
    *part = *base;
    return row_diff_decode(diff, hour_lens_fields, part);
}

bool lens_hour_parts(struct arena *arena, const struct hour_row *published,
                     struct hour_list *parts)
{
    struct hour_row base = hour_base(published);
    struct text bytes = published->assay;
    struct reader in = reader_over(bytes.data, bytes.length);
    *parts = (struct hour_list){0};
    if (!bytes.data)
        return add_part(arena, parts, &base, text_of(""));
    while (in.at < in.end) {
        struct text diff = read_text(&in);
        if (in.failed || !add_part(arena, parts, &base, diff))
            return false;
    }
    return true;
}

/* ---- for the builders of rows ---------------------------------------------
 */

static bool add_hours(struct arena *arena, const struct session_hour *published,
                      struct session_hour **hours, size_t *hour_count)
{
    struct session_row *session = arena_alloc(arena, sizeof *session);
    struct hour_list parts;
    bool exists;
    if (!lens_session(published->session, session, &exists))
        return false;
    if (!exists)
        return true;
    if (!lens_hour_parts(arena, published->hour, &parts))
        return false;
    for (size_t i = 0; i < parts.count; i++) {
        *hours = arena_grow(arena, *hours, *hour_count, sizeof **hours);
        (*hours)[(*hour_count)++] =
            (struct session_hour){&parts.rows[i], session, published->ingest};
    }
    return true;
}

bool lens_session_hours(struct arena *arena,
                        const struct session_hour *published, size_t count,
                        struct session_hour **hours, size_t *hour_count)
{
    *hours = NULL;
    *hour_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!add_hours(arena, &published[i], hours, hour_count))
            return false;
    return true;
}

/* *EXISTS is false where the lens has not the part, or in another hour. */
static bool read_part(struct arena *arena, const struct demand_part *published,
                      int64_t hour, struct demand_part *part, bool *exists)
{
    struct session_row *session = arena_alloc(arena, sizeof *session);
    *part = (struct demand_part){session, NULL};
    if (!lens_session(published->session, session, exists))
        return false;
    if (!*exists)
        return true;
    if (!published->hour) {
        *exists = demand_hour(session) == hour;
        return true;
    }
    struct gateway_hour_row *samples = arena_alloc(arena, sizeof *samples);
    part->hour = samples;
    return lens_gateway_hour(published->hour, samples, exists);
}

bool lens_demand_parts(struct arena *arena, const struct demand_part *published,
                       size_t count, int64_t hour, struct demand_part **parts,
                       size_t *part_count)
{
    *parts = arena_array(arena, count, sizeof **parts);
    *part_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool exists;
        if (!read_part(arena, &published[i], hour, &(*parts)[*part_count],
                       &exists))
            return false;
        *part_count += exists;
    }
    return true;
}

/*
 * assay_sum.c: see assay_sum.h.
 */
#include "rollup/assay_sum.h"

#include "base/hash.h"

enum { SLOTS_FIRST = 64 };

/* ---- ids ------------------------------------------------------------------
 */

static uint64_t fingerprint(struct text id)
{
    uint64_t hash = hash_fast(id.data, id.length);
    return hash ? hash : 1;
}

static bool has_id(const struct id_set *ids, uint64_t id)
{
    size_t mask = ids->slot_count - 1;
    if (!ids->slot_count)
        return false;
    for (size_t at = id & mask; ids->slots[at]; at = (at + 1) & mask)
        if (ids->slots[at] == id)
            return true;
    return false;
}

static void put_id(struct id_set *ids, uint64_t id)
{
    size_t mask = ids->slot_count - 1;
    size_t at = id & mask;
    while (ids->slots[at])
        at = (at + 1) & mask;
    ids->slots[at] = id;
    ids->count++;
}

static void add_id(struct arena *arena, struct id_set *ids, uint64_t id)
{
    if (4 * (ids->count + 1) > 3 * ids->slot_count) {
        struct id_set grown = {
            .slot_count = ids->slot_count ? 2 * ids->slot_count : SLOTS_FIRST};
        grown.slots = arena_array(arena, grown.slot_count, sizeof *grown.slots);
        for (size_t i = 0; i < ids->slot_count; i++)
            if (ids->slots[i])
                put_id(&grown, ids->slots[i]);
        *ids = grown;
    }
    put_id(ids, id);
}

/* True where ID comes for the first time; it is known from then on. */
static bool is_first(struct assay_sum *sum, struct text id)
{
    uint64_t hash = fingerprint(id);
    if (has_id(&sum->ids, hash) ||
        (sum->ids_before && has_id(sum->ids_before, hash)))
        return false;
    add_id(sum->arena, &sum->ids, hash);
    return true;
}

/* ---- sums -----------------------------------------------------------------
 */

struct assay_sum assay_sum_begin(struct arena *arena, struct text org,
                                 struct text session_key)
{
    return (struct assay_sum){.arena = arena,
                              .sum = session_sum_none(org, session_key),
                              .selections =
                                  selections_begin(arena, org, session_key, 0)};
}

void assay_sum_add(struct assay_sum *sum, struct arena *scratch,
                   const struct session_event *events, size_t count)
{
    struct session_event *firsts = arena_array(scratch, count, sizeof *firsts);
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (is_first(sum, events[i].id))
            firsts[used++] = events[i];
    struct session_sum next =
        session_sum_of(scratch, &lens_assay, sum->sum.facts.org,
                       sum->sum.facts.session_key, firsts, used);
    session_sum_append(sum->arena, &sum->sum, &next);
    selections_add(&sum->selections, firsts, used);
}

struct assay_sum assay_sum_go_on(struct arena *arena,
                                 const struct assay_sum *from)
{
    struct assay_sum sum = {
        .arena = arena,
        .sum =
            session_sum_none(from->sum.facts.org, from->sum.facts.session_key),
        .selections = selections_copy(arena, &from->selections),
        .ids_before = &from->ids};
    session_sum_append(arena, &sum.sum, &from->sum);
    return sum;
}

/*
 * seen.c: fingerprints of taken keys, in shards.
 *
 * A UNIQUE index over ids costs ten times what all the rest of ingest does, and
 * a window of recent ids would forget a redelivery that comes a month later. So
 * the ids are kept for good, as six bytes of a hash, in shards by organisation
 * and the event's own hour: ingest in order of time works in one shard, a late
 * line loads the one that it needs. Six bytes: in an hour of 40,000 lines one
 * in 7 thousand million finds a stranger's fingerprint, and then the lines are
 * compared.
 *
 * A shard in memory is an open-addressing table. What a batch adds is written
 * as one chunk (seen_chunk.c) in the order of lines; joining rewrites all
 * chunks of a shard as one. An hour well behind the newest event keeps its
 * lines alone: a late event has the fingerprints made again from the evidence,
 * which are then kept until the next joining.
 */
#include "ingest/accept.h"
#include "ingest/seen_chunk.h"

#include "base/clock.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_IN_MEMORY_MAX = 1 << 19, SHARDS_MAX = 4096, FIRST_SLOTS = 16 };

struct shard {
    struct seen_place place; /* org is owned by seen's index */
    bool loaded;
    bool used;                /* since the last flush */
    bool rewrite;             /* an entry on disk has changed */
    struct seen_entry *slots; /* line < 0 for empty */
    size_t slot_count;
    size_t count;
    struct seen_entry *added; /* not yet written */
    size_t added_count;
    size_t added_capacity;
};

struct seen {
    struct store *store;
    struct text_index names; /* class, shard and org as bytes */
    struct shard *shards;    /* by number of the name */
    size_t shard_capacity;
    size_t last;    /* number of the shard that was asked for last */
    size_t entries; /* in memory */
    size_t largest; /* of them in one shard that is loaded */
};

struct seen *seen_new(struct store *store)
{
    struct seen *seen = memory_zeroed(1, sizeof *seen);
    seen->store = store;
    return seen;
}

static void unload(struct seen *seen, struct shard *shard)
{
    seen->entries -= shard->count;
    if (shard->count == seen->largest)
        seen->largest = 0; /* until one of those that stay grows */
    free(shard->slots);
    free(shard->added);
    struct seen_place place = shard->place;
    *shard = (struct shard){.place = place};
}

void seen_reset(struct seen *seen)
{
    for (size_t i = 0; i < seen->names.count; i++)
        unload(seen, &seen->shards[i]);
    text_index_free(&seen->names);
    free(seen->shards);
    seen->shards = NULL;
    seen->shard_capacity = 0;
    seen->last = 0;
}

void seen_free(struct seen *seen)
{
    if (!seen)
        return;
    seen_reset(seen);
    free(seen);
}

/* The largest shard does not count: alone over the limit, it would be written
 * and loaded again with every line. */
bool seen_is_large(const struct seen *seen)
{
    return seen->entries - seen->largest > ENTRIES_IN_MEMORY_MAX ||
           seen->names.count > SHARDS_MAX;
}

/* ---- one shard ----------------------------------------------------------- */

static size_t slot_after(const struct shard *shard, size_t slot)
{
    return (slot + 1) & (shard->slot_count - 1);
}

static void place_entry(struct shard *shard, struct seen_entry entry)
{
    size_t slot = (size_t)entry.fingerprint & (shard->slot_count - 1);
    while (shard->slots[slot].line >= 0)
        slot = slot_after(shard, slot);
    shard->slots[slot] = entry;
}

static void grow(struct shard *shard)
{
    struct seen_entry *old = shard->slots;
    size_t old_count = shard->slot_count;
    shard->slot_count = old_count ? old_count * 2 : FIRST_SLOTS;
    shard->slots = memory_alloc(shard->slot_count * sizeof *shard->slots);
    for (size_t i = 0; i < shard->slot_count; i++)
        shard->slots[i] = (struct seen_entry){.line = -1};
    for (size_t i = 0; i < old_count; i++)
        if (old[i].line >= 0)
            place_entry(shard, old[i]);
    free(old);
}

static void insert(struct seen *seen, struct shard *shard,
                   struct seen_entry entry)
{
    if ((shard->count + 1) * 3 > shard->slot_count * 2)
        grow(shard);
    place_entry(shard, entry);
    shard->count++;
    seen->entries++;
    if (shard->count > seen->largest)
        seen->largest = shard->count;
}

struct loading {
    struct seen *seen;
    struct shard *shard;
    bool cold;
    struct arena arena; /* of one line */
    enum err err;       /* the first */
};

/* The fingerprint of an entry that was stored without, or with one made in
 * another way; that one stays where the line has expired. */
static enum err fingerprint_again(struct loading *loading,
                                  struct seen_entry *entry)
{
    struct evidence_line line;
    struct event event;
    arena_clear(&loading->arena);
    enum err err = evidence_read(loading->seen->store, &loading->arena,
                                 entry->line, &line);
    if (err)
        return err == ERR_ABSENT && entry->fingerprint ? ERR_NONE : err;
    event_judge(&loading->arena, line.bytes, line.org, true, &event);
    entry->fingerprint = event_fingerprint(&event) & SEEN_FINGERPRINT_MASK;
    return ERR_NONE;
}

static void load_entry(void *context, const struct seen_entry *stored)
{
    struct loading *loading = context;
    struct seen_entry entry = *stored;
    if (!loading->err && loading->cold)
        loading->err = fingerprint_again(loading, &entry);
    if (!loading->err)
        insert(loading->seen, loading->shard, entry);
}

static enum err damaged(const struct shard *shard)
{
    return err_set(ERR_CORRUPT,
                   "the stored fingerprints of %.*s cannot be read; run "
                   "`assay rebuild` to derive them again from the evidence",
                   (int)shard->place.org.length, shard->place.org.data);
}

static enum err load(struct seen *seen, struct shard *shard)
{
    struct query *query = query_start(seen->store, QUERY_SEEN_OF_SHARD);
    query_bind_int(query, 1, (int64_t)shard->place.class);
    query_bind_text(query, 2, shard->place.org);
    query_bind_int(query, 3, shard->place.shard);
    struct loading loading = {.seen = seen, .shard = shard};
    bool row;
    enum err err;
    grow(shard);
    while (!(err = query_step(query, &row)) && row) {
        loading.cold = query_int(query, 1) != 0;
        shard->rewrite |= loading.cold;
        if (!seen_chunk_decode(query_text(query, 0), load_entry, &loading))
            err = damaged(shard);
        err = err ? err : loading.err;
        if (err)
            break;
    }
    arena_free(&loading.arena);
    shard->loaded = !err;
    return err;
}

static bool same_place(const struct seen_place *a, const struct seen_place *b)
{
    return a->class == b->class && a->shard == b->shard &&
           text_equal(a->org, b->org);
}

static struct shard *shard_named(struct seen *seen,
                                 const struct seen_place *place)
{
    struct buf name = {0};
    bool added;
    if (seen->names.count && same_place(&seen->shards[seen->last].place, place))
        return &seen->shards[seen->last];
    buf_add_byte(&name, (uint8_t)place->class);
    buf_add_u64(&name, (uint64_t)place->shard);
    buf_add(&name, place->org.data, place->org.length);
    size_t number = text_index_add(
        &seen->names, (struct text){name.data, name.length}, &added);
    buf_free(&name);
    if (number >= seen->shard_capacity) {
        seen->shard_capacity = (number + 1) * 2;
        seen->shards = memory_resize(seen->shards, seen->shard_capacity *
                                                       sizeof *seen->shards);
    }
    struct shard *shard = &seen->shards[number];
    seen->last = number;
    if (added) {
        struct text kept = seen->names.texts[number];
        *shard = (struct shard){.place = *place};
        shard->place.org = (struct text){kept.data + 9, kept.length - 9};
    }
    return shard;
}

static enum err shard_of(struct seen *seen, const struct seen_place *place,
                         struct shard **shard)
{
    *shard = shard_named(seen, place);
    (*shard)->used = true;
    return (*shard)->loaded ? ERR_NONE : load(seen, *shard);
}

enum err seen_next(struct seen *seen, const struct seen_place *place,
                   uint64_t fingerprint, struct seen_entry **entry)
{
    struct shard *shard;
    enum err err = shard_of(seen, place, &shard);
    if (err)
        return err;
    fingerprint &= SEEN_FINGERPRINT_MASK;
    size_t slot = *entry ? slot_after(shard, (size_t)(*entry - shard->slots))
                         : (size_t)fingerprint & (shard->slot_count - 1);
    while (shard->slots[slot].line >= 0 &&
           shard->slots[slot].fingerprint != fingerprint)
        slot = slot_after(shard, slot);
    *entry = shard->slots[slot].line >= 0 ? &shard->slots[slot] : NULL;
    return ERR_NONE;
}

enum err seen_add(struct seen *seen, const struct seen_place *place,
                  const struct seen_entry *entry)
{
    struct shard *shard;
    enum err err = shard_of(seen, place, &shard);
    if (err)
        return err;
    insert(seen, shard, *entry);
    if (shard->added_count == shard->added_capacity) {
        shard->added_capacity =
            shard->added_capacity ? shard->added_capacity * 2 : FIRST_SLOTS;
        shard->added = memory_resize(shard->added, shard->added_capacity *
                                                       sizeof *shard->added);
    }
    shard->added[shard->added_count++] = *entry;
    return ERR_NONE;
}

enum err seen_changed(struct seen *seen, const struct seen_place *place)
{
    struct shard *shard;
    enum err err = shard_of(seen, place, &shard);
    if (!err)
        shard->rewrite = true;
    return err;
}

/* ---- writing ------------------------------------------------------------- */

static enum err write_chunk(struct seen *seen, const struct shard *shard,
                            struct seen_entry *entries, size_t count, bool cold)
{
    struct buf bytes = {0};
    cold &= count <= SEEN_CHUNK_COLD_MAX;
    seen_chunk_encode(&bytes, entries, count, cold);
    struct query *query = query_start(seen->store, QUERY_SEEN_ADD);
    query_bind_int(query, 1, (int64_t)shard->place.class);
    query_bind_text(query, 2, shard->place.org);
    query_bind_int(query, 3, shard->place.shard);
    query_bind_blob(query, 4, bytes.data, bytes.length);
    query_bind_int(query, 5, cold);
    enum err err = query_run(query);
    buf_free(&bytes);
    return err;
}

/* All chunks of a loaded shard as one. */
static enum err rewrite(struct seen *seen, struct shard *shard, bool cold)
{
    struct query *query = query_start(seen->store, QUERY_SEEN_DELETE);
    query_bind_int(query, 1, (int64_t)shard->place.class);
    query_bind_text(query, 2, shard->place.org);
    query_bind_int(query, 3, shard->place.shard);
    enum err err = query_run(query);
    if (err || !shard->count)
        return err;
    struct seen_entry *entries = memory_alloc(shard->count * sizeof *entries);
    size_t count = 0;
    for (size_t i = 0; i < shard->slot_count; i++)
        if (shard->slots[i].line >= 0)
            entries[count++] = shard->slots[i];
    err = write_chunk(seen, shard, entries, count, cold);
    free(entries);
    return err;
}

static enum err flush_shard(struct seen *seen, struct shard *shard)
{
    enum err err = ERR_NONE;
    if (shard->rewrite)
        err = rewrite(seen, shard, false);
    else if (shard->added_count)
        err = write_chunk(seen, shard, shard->added, shard->added_count, false);
    shard->rewrite = false;
    shard->added_count = 0;
    return err;
}

enum err seen_flush(struct seen *seen)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < seen->names.count; i++)
        err = flush_shard(seen, &seen->shards[i]);
    bool full = seen_is_large(seen);
    for (size_t i = 0; i < seen->names.count; i++) {
        if (full && !seen->shards[i].used)
            unload(seen, &seen->shards[i]);
        seen->shards[i].used = false;
    }
    /* Those of the present transaction alone are too many. */
    if (!err && seen_is_large(seen))
        seen_reset(seen);
    return err;
}

struct place_list {
    struct place_list *next;
    struct seen_place place;
};

/* What a started query of class, org and shard names. */
static enum err read_places(struct query *query, struct arena *arena,
                            struct place_list **places)
{
    bool row;
    enum err err;
    *places = NULL;
    while (!(err = query_step(query, &row)) && row) {
        struct place_list *place = arena_alloc(arena, sizeof *place);
        place->next = *places;
        place->place.class = (enum evidence_class)query_int(query, 0);
        place->place.org = query_copy(arena, query, 1);
        place->place.shard = query_int(query, 2);
        *places = place;
    }
    return err;
}

static enum err cold_before(struct store *store, int64_t *shard)
{
    int64_t hour;
    bool found;
    enum err err = query_first_int(
        query_start(store, QUERY_FACTS_COLD_HOURS_BEFORE), &hour, &found);
    *shard = found ? hour / MS_PER_HOUR : INT64_MIN;
    return err;
}

static enum err join_shard(struct seen *seen, const struct seen_place *place,
                           int64_t cold_shard)
{
    struct shard *shard;
    bool expired = false;
    bool cold = place->class == EVIDENCE_ACCEPTED && place->shard < cold_shard;
    enum err err = shard_of(seen, place, &shard);
    if (!err && cold)
        err = evidence_day_expired(seen->store, place->org,
                                   clock_day_start(place->shard * MS_PER_HOUR),
                                   &expired);
    if (!err)
        err = rewrite(seen, shard, cold && !expired);
    if (!err)
        shard->rewrite = false;
    if (!err && seen_is_large(seen))
        seen_reset(seen);
    return err;
}

enum err seen_join(struct seen *seen)
{
    struct arena arena = {0};
    struct place_list *places;
    int64_t cold_shard;
    enum err err = cold_before(seen->store, &cold_shard);
    struct query *query = query_start(seen->store, QUERY_SEEN_UNJOINED);
    query_bind_int(query, 1, cold_shard);
    if (!err)
        err = read_places(query, &arena, &places);
    for (; !err && places; places = places->next)
        err = join_shard(seen, &places->place, cold_shard);
    arena_free(&arena);
    return err;
}

enum err seen_warm(struct store *store, struct text org, int64_t day)
{
    struct seen *seen = seen_new(store);
    struct arena arena = {0};
    struct place_list *places;
    struct query *query = query_start(store, QUERY_SEEN_COLD_OF_DAY);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2, day / MS_PER_HOUR);
    query_bind_int(query, 3, (day + MS_PER_DAY) / MS_PER_HOUR);
    enum err err = read_places(query, &arena, &places);
    for (; !err && places; places = places->next) {
        struct shard *shard;
        err = shard_of(seen, &places->place, &shard);
        if (!err)
            err = rewrite(seen, shard, false);
        if (!err)
            unload(seen, shard);
    }
    arena_free(&arena);
    seen_free(seen);
    return err;
}

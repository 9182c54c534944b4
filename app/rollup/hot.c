/*
 * hot.c: see hot.h.
 */
#include "rollup/hot.h"

#include "base/clock.h"

#include <stdlib.h>

enum {
    HOT_FROM_PARTS = 4, /* fewer are soon added up */
    HOT_SESSIONS = 32,
    HOT_BYTES_MAX = 8 << 20, /* of one; then it is begun again */
    HOT_BYTES_ALL = 8 << 20, /* then those used least lately are forgotten */
    HOT_BYTES_MUCH = 1 << 20 /* of one; is forgotten where memory is wanted */
};

/* Packing waits until nothing was unpacked for so long, but no longer than. */
#define PACK_QUIET_US INT64_C(60000000)
#define PACK_LATEST_US INT64_C(600000000)

/* One session up to a place, which is never behind its last part. */
struct hot_session {
    struct arena arena; /* of all that is in here */
    struct text key;    /* without data in one that is not used */
    struct text org;
    struct part_place place;
    struct session_sum sum;
    struct assay_sum assay;
    struct selections selections; /* of the day of PLACE */
    uint64_t used;                /* the larger, the more recently */
};

struct settling {
    struct hot_session sessions[HOT_SESSIONS];
    uint64_t uses;
    int64_t first_unpacked_us; /* since all was packed; 0: nothing was */
    int64_t last_unpacked_us;
};

struct settling *settling_new(void)
{
    return memory_zeroed(1, sizeof(struct settling));
}

void settling_free(struct settling *settling)
{
    if (!settling)
        return;
    hot_forget_all(settling);
    free(settling);
}

/* ---- remembering --------------------------------------------------------- */

static void forget(struct hot_session *hot)
{
    arena_free(&hot->arena);
    *hot = (struct hot_session){0};
}

void hot_forget_all(struct settling *settling)
{
    for (size_t i = 0; settling && i < HOT_SESSIONS; i++)
        forget(&settling->sessions[i]);
}

void settling_give_back(struct settling *settling)
{
    for (size_t i = 0; i < HOT_SESSIONS; i++)
        if (settling->sessions[i].arena.used_bytes > HOT_BYTES_MUCH)
            forget(&settling->sessions[i]);
}

static struct hot_session *find(struct settling *settling, struct text key)
{
    for (size_t i = 0; i < HOT_SESSIONS; i++) {
        struct hot_session *hot = &settling->sessions[i];
        if (hot->key.data && text_equal(hot->key, key))
            return hot;
    }
    return NULL;
}

static bool is_before(struct part_place a, struct part_place b)
{
    return a.day != b.day ? a.day < b.day : a.number < b.number;
}

void hot_note_change(struct settling *settling, struct text key,
                     struct part_place place)
{
    struct hot_session *hot = settling ? find(settling, key) : NULL;
    if (hot && is_before(place, hot->place))
        forget(hot);
}

static struct hot_session *least_used(struct settling *settling)
{
    struct hot_session *least = &settling->sessions[0];
    for (size_t i = 1; i < HOT_SESSIONS; i++)
        if (settling->sessions[i].used < least->used)
            least = &settling->sessions[i];
    return least;
}

static struct text kept(struct arena *arena, struct text text)
{
    return (struct text){arena_text(arena, text.data, text.length),
                         text.length};
}

static struct hot_session *begin(struct settling *settling, struct text org,
                                 struct text key)
{
    struct hot_session *hot = least_used(settling);
    forget(hot);
    hot->key = kept(&hot->arena, key);
    hot->org = kept(&hot->arena, org);
    hot->place = (struct part_place){INT64_MIN, 0};
    hot->sum = session_sum_none(hot->org, hot->key);
    hot->assay = assay_sum_begin(&hot->arena, hot->org, hot->key);
    hot->selections =
        selections_begin(&hot->arena, hot->org, hot->key, INT64_MIN);
    return hot;
}

/* ---- packs --------------------------------------------------------------- */

void hot_note_unpacked(struct settling *settling)
{
    if (!settling)
        return;
    settling->last_unpacked_us = clock_monotonic_us();
    if (!settling->first_unpacked_us)
        settling->first_unpacked_us = settling->last_unpacked_us;
}

bool hot_waits_to_pack(const struct settling *settling)
{
    if (!settling || !settling->first_unpacked_us)
        return false;
    int64_t now_us = clock_monotonic_us();
    return now_us - settling->last_unpacked_us < PACK_QUIET_US &&
           now_us - settling->first_unpacked_us < PACK_LATEST_US;
}

void hot_note_packed(struct settling *settling)
{
    if (settling)
        settling->first_unpacked_us = 0;
}

/* ---- adding up ----------------------------------------------------------- */

static void take_part(struct hot_session *hot, struct arena *scratch,
                      const struct session_part *part)
{
    struct session_sum sum =
        session_sum_of(scratch, &lens_published, hot->org, hot->key,
                       part->events, part->count);
    session_sum_append(&hot->arena, &hot->sum, &sum);
    assay_sum_add(&hot->assay, scratch, part->events, part->count);
    selections_add(&hot->selections, part->events, part->count);
}

static void move_to(struct hot_session *hot, struct part_place place)
{
    if (place.day != hot->place.day)
        hot->selections =
            selections_begin(&hot->arena, hot->org, hot->key, place.day);
    hot->place = place;
}

/* Over all parts but the last: a part is taken when the next one is found. Two
 * arenas take turns, so that both are there. */
static enum err advance(struct hot_session *hot, struct store *store)
{
    struct query *parts =
        session_parts_unpacked(store, hot->key, hot->place, INT64_MAX);
    struct arena turns[2] = {0};
    struct session_part part[2];
    bool found = true;
    size_t turn = 0;
    enum err err = session_part_next(store, parts, &turns[0], &part[0], &found);
    if (!err && found)
        move_to(hot, part[0].place);
    while (!err && found) {
        size_t next = !turn;
        arena_clear(&turns[next]);
        err =
            session_part_next(store, parts, &turns[next], &part[next], &found);
        if (err || !found)
            break;
        take_part(hot, &turns[turn], &part[turn]);
        move_to(hot, part[next].place);
        turn = next;
    }
    arena_free(&turns[0]);
    arena_free(&turns[1]);
    return err;
}

static enum err count_parts(struct store *store, struct text key,
                            int64_t *count)
{
    struct query *query = query_start(store, QUERY_SESSION_PART_COUNT);
    query_bind_text(query, 1, key);
    bool row;
    enum err err = query_step(query, &row);
    *count = !err && row ? query_int(query, 0) : 0;
    return err ? err : query_run(query);
}

/* Forgets others until all is not too much. */
static void make_room(struct settling *settling, const struct hot_session *keep)
{
    size_t bytes = 0;
    for (size_t i = 0; i < HOT_SESSIONS; i++)
        bytes += settling->sessions[i].arena.used_bytes;
    while (bytes > HOT_BYTES_ALL) {
        struct hot_session *least = NULL;
        for (size_t i = 0; i < HOT_SESSIONS; i++) {
            struct hot_session *hot = &settling->sessions[i];
            if (hot != keep && hot->key.data &&
                (!least || hot->used < least->used))
                least = hot;
        }
        if (!least)
            return;
        bytes -= least->arena.used_bytes;
        forget(least);
    }
}

/* What is remembered of session KEY, up to its last part; null where that is
 * not worth it. */
static enum err recall(struct settling *settling, struct store *store,
                       struct text org, struct text key,
                       struct hot_session **hot)
{
    int64_t parts;
    *hot = NULL;
    if (!settling)
        return ERR_NONE;
    enum err err = count_parts(store, key, &parts);
    if (err || parts < HOT_FROM_PARTS)
        return err;
    *hot = find(settling, key);
    if (!*hot || (*hot)->arena.used_bytes > HOT_BYTES_MAX)
        *hot = begin(settling, org, key);
    (*hot)->used = ++settling->uses;
    err = advance(*hot, store);
    if (err)
        forget(*hot);
    else
        make_room(settling, *hot);
    return err;
}

enum err hot_selections(struct settling *settling, struct store *store,
                        struct arena *arena, struct text org, struct text key,
                        int64_t day, struct selection_row **rows, size_t *count)
{
    struct hot_session *hot;
    struct arena scratch = {0};
    struct selections selections = selections_begin(arena, org, key, day);
    struct part_place from = {day, 0};
    struct session_part part;
    bool found = true;
    enum err err = recall(settling, store, org, key, &hot);
    if (err)
        return err;
    if (hot && hot->place.day == day) {
        selections = selections_copy(arena, &hot->selections);
        from = hot->place;
    }
    struct query *parts = session_parts_unpacked(store, key, from, day + 1);
    while (!(err = session_part_next(store, parts, &scratch, &part, &found)) &&
           found) {
        selections_add(&selections, part.events, part.count);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    *rows = selections_end(&selections, count);
    return err;
}

enum err hot_sums(struct settling *settling, struct store *store,
                  struct arena *arena, struct text org, struct text key,
                  struct session_sum *published, struct assay_sum *assay)
{
    struct hot_session *hot;
    struct arena scratch = {0};
    struct part_place from = {INT64_MIN, 0};
    struct session_part part;
    bool found = true;
    enum err err = recall(settling, store, org, key, &hot);
    if (err)
        return err;
    *published = session_sum_none(org, key);
    *assay = hot ? assay_sum_go_on(arena, &hot->assay)
                 : assay_sum_begin(arena, org, key);
    if (hot) {
        session_sum_append(arena, published, &hot->sum);
        from = hot->place;
    }
    struct query *parts = session_parts_unpacked(store, key, from, INT64_MAX);
    while (!(err = session_part_next(store, parts, &scratch, &part, &found)) &&
           found) {
        struct session_sum next = session_sum_of(&scratch, &lens_published, org,
                                                 key, part.events, part.count);
        session_sum_append(arena, published, &next);
        assay_sum_add(assay, &scratch, part.events, part.count);
        arena_clear(&scratch);
    }
    arena_free(&scratch);
    return err;
}

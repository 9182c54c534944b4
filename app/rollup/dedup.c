/*
 * dedup.c: the switch dedup_first (D2; validation rules, RULE-LINEAGE-001).
 *
 * The publisher knows an accepted event by (organisation, family, time, id),
 * so an event that a producer sends again under another time counts again. Its
 * rules know it by source and id. Within one session that is: of the events
 * with one id the first by (time, family) counts. Events of different sessions
 * stay two: what they say is not the same. Lines without an id have nothing to
 * be known by; they are rejected under either definition, as they are by the
 * publisher's code.
 */
#include "rollup/rollup.h"

#include <stdlib.h>

struct place {
    struct text id;
    size_t at;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    int order = text_compare(a->id, b->id);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

/* By number of the event: whether an earlier one has its id. */
static bool *repeats_of(struct arena *arena, const struct session_event *events,
                        size_t count)
{
    struct place *places = arena_array(arena, count, sizeof *places);
    bool *repeats = arena_array(arena, count, sizeof *repeats);
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){events[i].id, i};
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 1; i < count; i++)
        repeats[places[i].at] = text_equal(places[i].id, places[i - 1].id);
    return repeats;
}

void events_dedup(struct arena *arena, const struct lens *lens,
                  struct session_event *events, size_t *count)
{
    if (!lens_has(lens, LENS_DEDUP_FIRST) || *count < 2)
        return;
    const bool *repeats = repeats_of(arena, events, *count);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (!repeats[i])
            events[kept++] = events[i];
    *count = kept;
}

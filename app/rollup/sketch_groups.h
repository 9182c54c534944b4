/*
 * sketch_groups.h: distributions merged by key, and the stored form of a day of
 * them. Private to this room.
 */
#ifndef ASSAY_ROLLUP_SKETCH_GROUPS_H
#define ASSAY_ROLLUP_SKETCH_GROUPS_H

#include "base/index.h"
#include "rollup/sketch.h"

/* Blank where there is none; null is the same. */
struct sketch_key {
    struct text orchestrator_address;
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
};

struct sketch_group {
    struct sketch_key key;
    struct histogram of[SKETCH_METRICS];
    int64_t last_window;
};

/* Groups in order of first sight; freed by sketch_groups_free. */
struct sketch_groups {
    struct arena arena;
    struct text_index index;
    struct sketch_group *list;
    size_t count;
    struct histogram scratch;
    struct buf name; /* of the key that is looked up */
};

void sketch_groups_free(struct sketch_groups *groups);

/* Adds one row's ENCODED histograms. False where one of them is damaged. */
bool sketch_groups_add(struct sketch_groups *groups,
                       const struct sketch_key *key,
                       const struct text encoded[SKETCH_METRICS],
                       int64_t last_window);

/* Puts LIST into the order of keys. */
void sketch_groups_sort(struct sketch_groups *groups);

/*
 * What table sketch_day holds of sorted groups. KEYS is their number, then each
 * key, of each of its four texts how many bytes it has in common with that of
 * the key before, and the rest; METRICS are the histograms of each group in
 * that order, each with its length before it.
 */
struct sketch_day {
    struct text keys;
    struct text metrics[SKETCH_METRICS];
    int64_t last_window; /* ABSENT_INT for no groups */
};
struct sketch_day sketch_day_encode(struct arena *arena,
                                    const struct sketch_groups *groups);

/* Walks a stored day; a metric whose text is null is left out. */
struct sketch_day_reader {
    struct reader keys;
    struct reader metrics[SKETCH_METRICS];
    bool wanted[SKETCH_METRICS];
    uint64_t left;
    struct buf texts[4]; /* of the key, freed at the end of the walk */
};
struct sketch_day_reader sketch_day_read(const struct sketch_day *day);
/* KEY is good until the next call. *MORE is false behind the last, or where
 * the day is damaged: then the answer is false. */
bool sketch_day_next(struct sketch_day_reader *reader, struct sketch_key *key,
                     struct text encoded[SKETCH_METRICS], bool *more);
void sketch_day_end(struct sketch_day_reader *reader);

#endif

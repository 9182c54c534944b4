/*
 * sketch.c: see sketch.h.
 */
#include "rollup/sketch.h"

#include <string.h>

const char *const sketch_metric_names[SKETCH_METRICS] = {
    [SKETCH_STARTUP_LATENCY] = "startup_latency_ms",
    [SKETCH_PTFF] = "ptff_ms",
    [SKETCH_E2E_LATENCY] = "e2e_latency_ms",
    [SKETCH_OUTPUT_FPS] = "output_fps",
};

enum sketch_metric sketch_metric_named(struct text name)
{
    for (int i = 0; i < SKETCH_METRICS; i++)
        if (text_is(name, sketch_metric_names[i]))
            return (enum sketch_metric)i;
    return SKETCH_METRICS;
}

struct sketches sketches_of(struct arena *arena)
{
    struct sketches sketches = {.scratch.arena = arena};
    for (int i = 0; i < SKETCH_METRICS; i++)
        sketches.of[i].arena = arena;
    return sketches;
}

void sketches_add(struct sketches *sketches, enum sketch_metric metric,
                  int64_t value)
{
    histogram_add(&sketches->of[metric], (double)value);
}

bool sketch_merge(struct histogram *into, struct text encoded,
                  struct histogram *scratch)
{
    if (!encoded.length)
        return true;
    histogram_clear(scratch);
    if (!histogram_decode(scratch, encoded))
        return false;
    histogram_merge(into, scratch);
    return true;
}

void sketches_merge(struct sketches *sketches, enum sketch_metric metric,
                    struct text encoded)
{
    /* Encoded by this program; a damaged store shows in its own checks. */
    (void)sketch_merge(&sketches->of[metric], encoded, &sketches->scratch);
}

struct text sketches_encoded(const struct sketches *sketches)
{
    struct buf all = {0};
    struct buf one = {0};
    bool any = false;
    for (int i = 0; i < SKETCH_METRICS; i++) {
        buf_clear(&one);
        if (sketches->of[i].count)
            histogram_encode(&one, &sketches->of[i]);
        any |= one.length > 0;
        buf_add_text(&all, (struct text){(const char *)one.data, one.length});
    }
    struct text text = {NULL, 0};
    if (any)
        text = (struct text){
            arena_text(sketches->scratch.arena, all.data, all.length),
            all.length};
    buf_free(&one);
    buf_free(&all);
    return text;
}

bool sketches_read(struct text column, struct text encoded[SKETCH_METRICS])
{
    memset(encoded, 0, SKETCH_METRICS * sizeof *encoded);
    if (!column.data)
        return true;
    struct reader in = reader_over(column.data, column.length);
    for (int i = 0; i < SKETCH_METRICS; i++)
        encoded[i] = read_text(&in);
    return !in.failed && in.at == in.end;
}

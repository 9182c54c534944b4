/*
 * inventory.c: who offered what, from capability snapshots (§1.5, §4.2).
 *
 * An offer is what a snapshot says, not whether the model was warm: the
 * publisher does not look at that. A card without id is an offer without card.
 */
#include "rollup/rollup.h"

#include <stdlib.h>

static int compare_offers(const void *left, const void *right)
{
    const struct offer *a = left;
    const struct offer *b = right;
    int order = text_compare(a->address, b->address);
    if (!order)
        order = text_compare(a->model, b->model);
    if (!order)
        order = text_compare(a->gpu_id, b->gpu_id);
    if (!order && a->last_seen != b->last_seen)
        order = a->last_seen < b->last_seen ? -1 : 1;
    return order ? order : text_compare(a->uri, b->uri);
}

static bool same_offer(const struct offer *a, const struct offer *b)
{
    return text_equal(a->address, b->address) &&
           text_equal(a->model, b->model) && text_equal(a->gpu_id, b->gpu_id);
}

struct offer_list {
    struct offer *list;
    size_t count;
};

static void add_element(struct arena *arena, struct offer_list *offers,
                        struct text org, int64_t ts,
                        const struct capability_element *element,
                        const char *pipeline)
{
    for (size_t i = 0; i < element->interval_count; i++) {
        const struct capability_interval *one = &element->intervals[i];
        if (!one->model.length ||
            !text_equal_ignoring_case(one->pipeline, text_of(pipeline)))
            continue;
        offers->list = arena_grow(arena, offers->list, offers->count,
                                  sizeof *offers->list);
        offers->list[offers->count++] = (struct offer){
            org, element->address, element->uri, one->model, one->gpu_id, ts};
    }
}

struct offer *offers_build(struct arena *arena, struct text org,
                           const struct capability_snapshot *snapshots,
                           size_t snapshot_count, const char *pipeline,
                           size_t *count)
{
    struct offer_list offers = {0};
    for (size_t i = 0; i < snapshot_count; i++)
        for (size_t k = 0; k < snapshots[i].element_count; k++)
            if (!snapshots[i].removed)
                add_element(arena, &offers, org, snapshots[i].ts,
                            &snapshots[i].elements[k], pipeline);
    if (offers.count)
        qsort(offers.list, offers.count, sizeof *offers.list, compare_offers);
    *count = 0;
    for (size_t i = 0; i < offers.count; i++) {
        /* The last of equal ones was seen last. */
        if (i + 1 < offers.count &&
            same_offer(&offers.list[i], &offers.list[i + 1]))
            continue;
        offers.list[(*count)++] = offers.list[i];
    }
    return offers.list;
}

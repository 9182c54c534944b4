/*
 * containers.c: see containers.h.
 */
#include "sim/containers.h"
#include "base/arena.h"

#include <stdlib.h>

void containers_init(struct containers *containers, size_t count, bool warm,
                     int64_t cools_after_us, int64_t now_us)
{
    *containers = (struct containers){
        .list = memory_zeroed(count + 1, sizeof *containers->list),
        .count = count,
        .cools_after_us = cools_after_us};
    for (size_t i = 0; i < count; i++)
        containers->list[i] =
            (struct container){.is_warm = warm, .used_us = now_us};
}

void containers_free(struct containers *containers)
{
    free(containers->list);
    *containers = (struct containers){0};
}

static bool is_warm(const struct containers *containers,
                    const struct container *container, int64_t now_us)
{
    return container->is_warm &&
           (container->is_busy ||
            now_us - container->used_us < containers->cools_after_us);
}

struct container *container_take(struct containers *containers, int64_t now_us,
                                 bool *cold)
{
    struct container *best = NULL;
    for (size_t i = 0; i < containers->count; i++) {
        struct container *container = &containers->list[i];
        if (!container->is_busy &&
            (!best || container->used_us > best->used_us))
            best = container;
    }
    if (!best)
        return NULL;
    *cold = !is_warm(containers, best, now_us);
    best->is_busy = true;
    best->is_warm = !*cold;
    return best;
}

void container_release(struct container *container, bool warm, int64_t now_us)
{
    container->is_busy = false;
    container->is_warm |= warm;
    container->used_us = now_us;
}

size_t containers_idle(const struct containers *containers)
{
    size_t idle = 0;
    for (size_t i = 0; i < containers->count; i++)
        idle += !containers->list[i].is_busy;
    return idle;
}

bool containers_warm(const struct containers *containers, int64_t now_us)
{
    for (size_t i = 0; i < containers->count; i++) {
        if (is_warm(containers, &containers->list[i], now_us))
            return true;
    }
    return false;
}

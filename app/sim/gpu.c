/*
 * gpu.c: see gpu.h.
 */
#include "sim/gpu.h"

#include <string.h>

static const struct gpu_model models[] = {
    {"NVIDIA GeForce RTX 5090", 12, 0, 34190917632, 32},
    {"NVIDIA GeForce RTX 4090", 8, 9, 25757220864, 16},
    {"NVIDIA GeForce RTX 4070 Ti SUPER", 8, 9, 17171480576, 4},
    {"NVIDIA GeForce RTX 3090", 8, 6, 25769803776, 4},
    {"NVIDIA RTX 6000 Ada Generation", 8, 9, 51527024640, 2},
    {"NVIDIA RTX A4000", 8, 6, 17171480576, 1},
    {"NVIDIA A100-SXM4-40GB", 8, 0, 42949672960, 1},
    {"Tesla P4", 6, 1, 8053063680, 1},
};

enum { MODELS = sizeof models / sizeof *models };

static const struct gpu_model *drawn(const struct orchestrator *orchestrator)
{
    struct draw draw =
        draw_from(orchestrator->network->seed, "gpu", orchestrator->place, 0);
    uint64_t all = 0;
    for (size_t i = 0; i < MODELS; i++)
        all += models[i].seen;
    uint64_t left = draw_below(&draw, all);
    size_t i = 0;
    for (; left >= models[i].seen; i++)
        left -= models[i].seen;
    return &models[i];
}

/* One that the dumps do not have is as new as most. */
static struct gpu_model named(const char *name)
{
    for (size_t i = 0; i < MODELS; i++) {
        if (strcmp(models[i].name, name) == 0)
            return models[i];
    }
    return (struct gpu_model){name, 8, 9, models[0].memory_bytes, 0};
}

struct gpu_model gpu_model_of(const struct orchestrator *orchestrator)
{
    const struct behaviour *behaviour = orchestrator->behaviour;
    struct gpu_model model =
        *behaviour->gpu ? named(behaviour->gpu) : *drawn(orchestrator);
    if (behaviour->gpu_memory_bytes)
        model.memory_bytes = behaviour->gpu_memory_bytes;
    return model;
}

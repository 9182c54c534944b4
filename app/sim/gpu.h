/*
 * gpu.h: the hardware that orchestrators of the sandbox network say they have:
 * models of GPUs as the real network's orchestrators list them
 * (getNetworkCapabilities dumps of January 2026), each as often as there.
 */
#ifndef ASSAY_SIM_GPU_H
#define ASSAY_SIM_GPU_H

#include "sim/network.h"

struct gpu_model {
    const char *name;
    unsigned major; /* of its compute capability */
    unsigned minor;
    int64_t memory_bytes;
    unsigned seen; /* in the dumps */
};

/* ORCHESTRATOR's: what its behaviour names, else one drawn for it. */
struct gpu_model gpu_model_of(const struct orchestrator *orchestrator);

#endif

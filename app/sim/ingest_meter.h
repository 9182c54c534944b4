/*
 * ingest_meter.h: how a user's stream comes in, as a gateway's WebRTC server
 * measures and reports it every few seconds (stream_ingest_metrics,
 * livepeer-protocols.md §5.3).
 */
#ifndef ASSAY_SIM_INGEST_METER_H
#define ASSAY_SIM_INGEST_METER_H

#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroed at first. */
struct ingest_meter {
    int64_t first_us; /* arrivals, on the monotonic clock */
    int64_t last_us;
    int64_t last_due_us;
    double jitter_us;
    uint64_t bytes;
    uint64_t packets;
};

/* A frame of BYTES that was due at DUE_US by its timestamp came at AT_US. */
void ingest_meter_frame(struct ingest_meter *meter, int64_t due_us,
                        int64_t at_us, size_t bytes);

/* The value of "stats". */
void ingest_meter_write(const struct ingest_meter *meter,
                        struct json_writer *writer);

#endif

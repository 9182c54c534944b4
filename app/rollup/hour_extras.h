/*
 * hour_extras.h: what lens assay adds to the hours of SLA and GPU rows, where
 * the publisher has nothing. Private to this room.
 *
 * Jitter: of each session-hour the coefficient of variation of its reported
 * frames per second, sigma / mu over the samples with output, as the
 * publisher's metrics reference (§2.2) promises it; a row has the mean over its
 * session-hours, with the sum and the number, so that longer ranges are means
 * over session-hours as well.
 *
 * Ingest packet jitter: how unevenly packets of a stream came in at its
 * gateway, which is not the orchestrator's doing: it tells a bad line of the
 * user from bad work. The means over the gateway's reports in the row's
 * session-hours, of video and of audio, with sums and numbers.
 *
 * Cold and warm: a session is cold if it reported the state LOADING before its
 * first sample with output: a model had to be loaded for it. Start-up latencies
 * of the two are never mixed.
 */
#ifndef ASSAY_ROLLUP_HOUR_EXTRAS_H
#define ASSAY_ROLLUP_HOUR_EXTRAS_H

#include "rollup/rollup.h"

/* The columns of struct hour_extras in ROW, but the coefficient, which GPU rows
 * have among the published ones. */
#define HOUR_EXTRAS(row)                                                       \
    FIELD_IN(DOUBLE, row, extras, fps_jitter_sum),                             \
        FIELD_IN(INT, row, extras, fps_jitter_hour_count),                     \
        FIELD_IN(INT, row, extras, cold_sessions),                             \
        FIELD_IN(INT, row, extras, cold_startup_latency_sum_ms),               \
        FIELD_IN(INT, row, extras, cold_startup_latency_sample_count),         \
        DERIVED_FIELD_IN(DOUBLE, row, extras, avg_cold_startup_latency_ms),    \
        FIELD_IN(INT, row, extras, warm_startup_latency_sum_ms),               \
        FIELD_IN(INT, row, extras, warm_startup_latency_sample_count),         \
        DERIVED_FIELD_IN(DOUBLE, row, extras, avg_warm_startup_latency_ms),    \
        FIELD_IN(DOUBLE, row, extras, ingest_video_packet_jitter_sum_ms),      \
        FIELD_IN(INT, row, extras, ingest_video_packet_jitter_sample_count),   \
        DERIVED_FIELD_IN(DOUBLE, row, extras,                                  \
                         avg_ingest_video_packet_jitter_ms),                   \
        FIELD_IN(DOUBLE, row, extras, ingest_audio_packet_jitter_sum_ms),      \
        FIELD_IN(INT, row, extras, ingest_audio_packet_jitter_sample_count),   \
        DERIVED_FIELD_IN(DOUBLE, row, extras,                                  \
                         avg_ingest_audio_packet_jitter_ms)

struct hour_extras_sum {
    struct hour_extras extras;
    struct exact_sum fps_jitter;
    struct exact_sum packet_jitter[INGEST_TRACKS];
    int64_t packet_jitter_samples[INGEST_TRACKS];
    struct card card; /* of all sessions of the row */
};

struct hour_extras_sum hour_extras_of(struct arena *arena);
/* COUNTED says that the session counts in this hour, and not only its samples.
 * HOUR and SCRATCH may go after the call. */
void hour_extras_add(struct hour_extras_sum *sum, struct arena *scratch,
                     const struct session_hour *hour, bool counted);
/* Makes EXTRAS and the card's columns of ROW out of SUM. */
void hour_extras_finish(const struct hour_extras_sum *sum, struct sla_row *row);

/* Sets the means of EXTRAS from its sums. */
void hour_extras_derive(struct hour_extras *extras);

/* Nothing is known. */
extern const struct card card_unknown;

/* Of a session, as far as its samples tell. */
bool session_is_cold(const struct session_row *facts);
/* NaN below two samples with output, or where one of them is out of bounds. */
double hour_fps_jitter(struct arena *arena, const struct hour_row *hour);

#endif

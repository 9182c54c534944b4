/*
 * sla.h: what the builders of rows share. Private to this room.
 */
#ifndef ASSAY_ROLLUP_SLA_H
#define ASSAY_ROLLUP_SLA_H

#include "rollup/rollup.h"

/* The key under which HOUR counts. */
struct sla_row session_hour_key(const struct session_hour *hour);

/* Whether the flags and latencies of the hour's session count in it. */
bool counts_session(const struct lens *lens, const struct hour_row *hour);

/* How many samples the average FPS of HOUR is made of: see sla_fps_samples. */
int64_t hour_fps_samples(const struct lens *lens, const struct hour_row *hour);

/* By how many sessions the rates of ROW divide. */
int64_t sla_counted_sessions(const struct lens *lens,
                             const struct sla_row *row);

/* The samples that the FPS average of ROW is made of: status_samples, or by
 * fps_without_zeros those with output. Published rows do not store it. */
int64_t sla_fps_samples(const struct lens *lens, const struct sla_row *row);

#endif

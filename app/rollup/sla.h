/*
 * sla.h: what the builders of rows share. Private to this room.
 */
#ifndef ASSAY_ROLLUP_SLA_H
#define ASSAY_ROLLUP_SLA_H

#include "base/index.h"
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

/* The rates of ROW, from its sums. */
void sla_set_rates(const struct lens *lens, struct sla_row *row);

/* Of struct fields: rates, and the scores by the edges that the row has. */
void sla_derive_published(void *row);
void sla_derive_assay(void *row);

/* ---- adding up ------------------------------------------------------------
 */

/* Session-hours as they come. All that stays lies in ARENA and KEYS. */
struct sla_sums {
    struct arena *arena;
    const struct lens *lens;
    struct text_index keys;
    struct sla_group *groups; /* by number of the key; see sla.c */
};
struct sla_sums sla_sums_of(struct arena *arena, const struct lens *lens);
/* Adds HOUR, which is no tail artefact, and gives the number of its row in
 * order of first sight. HOUR and SCRATCH may go after the call. */
size_t sla_sums_add(struct sla_sums *sums, struct arena *scratch,
                    const struct session_hour *hour);
/* The rows as sla_build sorts them, and the number of each; ends SUMS. */
struct sla_row *sla_sums_end(struct sla_sums *sums, size_t **numbers,
                             size_t *count);
/* Of sums that are given up. */
void sla_sums_free(struct sla_sums *sums);

/* The same for the rows of single GPUs, whose percentiles want a number of each
 * session-hour kept. Hours without a GPU are passed over. */
struct gpu_sums {
    struct sla_sums sla;
    struct gpu_values *values; /* by number; see gpu_metrics.c */
};
struct gpu_sums gpu_sums_of(struct arena *arena, const struct lens *lens);
void gpu_sums_add(struct gpu_sums *sums, struct arena *scratch,
                  const struct session_hour *hour);
struct gpu_row *gpu_sums_end(struct gpu_sums *sums, size_t *count);
void gpu_sums_free(struct gpu_sums *sums);

#endif

/*
 * metrics_int.h: the chapters of the registry, one file each; every list
 * ends with a metric without a name. Private to the room.
 */
#ifndef ASSAY_METRICS_METRICS_INT_H
#define ASSAY_METRICS_METRICS_INT_H

#include "metrics/metrics.h"

extern const struct metric own_metrics[];
extern const struct metric published_counts[];
extern const struct metric published_figures[];
extern const struct metric published_requests[];
extern const struct metric percentile_metrics[];
extern const struct metric assay_lens_metrics[];
extern const struct metric compared_metrics[];

#endif

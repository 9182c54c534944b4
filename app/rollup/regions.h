/*
 * regions.h: labels of regions, which the operator gives to gateways and
 * orchestrators (configuration, section regions).
 *
 * No telemetry says where anybody is, and the publisher's column `region` is
 * always null. What an operator knows is not evidence: it is put on rows of
 * lens assay where they are shown, and never stored, so that a corrected map
 * holds at once for all rows, and a rebuild depends on evidence alone.
 */
#ifndef ASSAY_ROLLUP_REGIONS_H
#define ASSAY_ROLLUP_REGIONS_H

#include "base/arena.h"
#include "base/fields.h"
#include "config/config.h"

struct regions;

/* By the two maps of CONFIG, in ARENA; null where both are empty. */
struct regions *regions_of(struct arena *arena, const struct config *config);

/* Sets the field `region` of ROW by its gateway, else by its orchestrator, as
 * FIELDS has them; rows without such fields stay as they are. REGIONS may be
 * null. */
void regions_label(const struct regions *regions, struct fields fields,
                   void *row);

#endif

/*
 * derive.h: settling with progress, for the commands that change facts.
 */
#ifndef ASSAY_CLI_DERIVE_H
#define ASSAY_CLI_DERIVE_H

#include "cli/progress.h"
#include "store/store.h"

/* Brings the derived tables up to date (settle of rollup.h). */
MUST_USE enum err derive(struct store *store, struct progress *progress);

#endif

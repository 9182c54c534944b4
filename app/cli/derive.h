/*
 * derive.h: settling with progress, for the commands that change facts.
 */
#ifndef ASSAY_CLI_DERIVE_H
#define ASSAY_CLI_DERIVE_H

#include "cli/progress.h"
#include "store/store.h"

/* What facts are missing until a rebuild, in words; null where none are. */
const char *missing_facts(struct store *store, struct arena *arena);

/* Brings the derived tables up to date (settle of rollup.h). */
MUST_USE enum err derive(struct store *store, struct progress *progress);

/* The same in the open transaction. */
MUST_USE enum err derive_within(struct store *store, struct progress *progress);

/* For retention: the facts of ORG's DAY stand without its evidence from then
 * on (before_loss of evidence_limits). */
MUST_USE enum err keep_facts(struct store *store, struct text org, int64_t day);

/*
 * Opens the store for reading with its derived tables up to date: where an
 * interrupted import left work and nobody holds the store, the work is done
 * first; where somebody does, a warning says that rows may be behind.
 */
MUST_USE enum err open_settled(struct invocation *invocation,
                               struct store **store);

#endif

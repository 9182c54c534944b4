/*
 * backup.h: what backup and restore share.
 */
#ifndef ASSAY_CLI_BACKUP_H
#define ASSAY_CLI_BACKUP_H

#include "cli/progress.h"
#include "store/store.h"

/* Progress on the terminal, defects as messages. */
struct store_watch watch_for(struct progress *progress);

#endif

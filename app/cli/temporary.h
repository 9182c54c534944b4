/*
 * temporary.h: a directory that lasts as long as what was made for it, the
 * store of a demonstration or of the sandbox network's publisher.
 */
#ifndef ASSAY_CLI_TEMPORARY_H
#define ASSAY_CLI_TEMPORARY_H

#include "base/err.h"

enum { TEMPORARY_PATH_BYTES = 512 };

/* "TMPDIR/assay-NAME-XXXXXX", a new one, into PATH. After ERR_STORE, which says
 * why it cannot be had, PATH is empty. */
MUST_USE enum err temporary_make(const char *name,
                                 char path[TEMPORARY_PATH_BYTES]);

/* With all that is in it. An empty PATH is allowed. */
void temporary_remove(const char *path);

#endif

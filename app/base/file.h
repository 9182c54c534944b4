/*
 * file.h: a whole file as bytes.
 */
#ifndef ASSAY_BASE_FILE_H
#define ASSAY_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends what PATH holds to BYTES and stops once that is more than MOST bytes.
 * False with errno set where it cannot be read. */
MUST_USE bool file_read(const char *path, size_t most, struct buf *bytes);

#endif

/*
 * line_file.h: lines that are put into a file by a thread of their own, so that
 * a slow disk does not slow down the loop that they come from.
 */
#ifndef ASSAY_SIM_LINE_FILE_H
#define ASSAY_SIM_LINE_FILE_H

#include "base/buf.h"
#include "base/err.h"

struct line_file;

/* Begins the file at PATH anew. ERR_USAGE where it cannot be written. */
MUST_USE enum err line_file_open(struct line_file **file, const char *path);

/* Whole lines, copied; in the file within a tenth of a second. Any thread. */
void line_file_add(struct line_file *file, struct text lines);

/* Writes what is left. ERR_INPUT where anything could not be written. */
MUST_USE enum err line_file_close(struct line_file *file);

#endif

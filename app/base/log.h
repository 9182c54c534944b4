/*
 * log.h: messages for the person who runs the program, on standard error.
 *
 * One line a message. On a terminal: "assay: warning: text". With log.json
 * (ASSAY_LOG_JSON=true): one JSON object a line with time, level, text.
 * Any thread may log; lines never interleave.
 */
#ifndef ASSAY_BASE_LOG_H
#define ASSAY_BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_setup(enum log_level least, bool json);
void log_message(enum log_level level, const char *format, ...)
    PRINTF_LIKE(2, 3);

#endif

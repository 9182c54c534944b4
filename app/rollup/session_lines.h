/*
 * session_lines.h: events of a cold part, named by their evidence lines.
 * Private to this room.
 *
 * Of a day that has long been settled, nearly all bytes would be numbers and
 * ids that the evidence holds anyway. So its parts keep only which lines they
 * are of, one or two bytes an event in place of a hundred, and whoever asks for
 * such a part reads them again. Kept whole are the days around the newest
 * event, and days whose evidence is about to expire.
 */
#ifndef ASSAY_ROLLUP_SESSION_LINES_H
#define ASSAY_ROLLUP_SESSION_LINES_H

#include "rollup/rollup.h"

/* The stored form: how many, then the step from each line to the next. */
void session_lines_encode(struct buf *out, const struct session_event *events,
                          size_t count);

/* The same of a part of session KEY with the events BYTES, appended to OUT.
 * ERR_CORRUPT where they are damaged. */
MUST_USE enum err session_lines_of(struct text key, struct text bytes,
                                   struct buf *out);

/* The events of the lines that BYTES names, in their order, in ARENA. *SOUND is
 * false where BYTES, or a line, is not what it should be. */
MUST_USE enum err session_lines_read(struct store *store, struct arena *arena,
                                     struct text bytes,
                                     struct session_event **events,
                                     size_t *count, bool *sound);

#endif

/*
 * clock.h: wall time in milliseconds since 1970 UTC, monotonic time, and the
 * one text form of time (RFC 3339, UTC) that rows, pages and exports use.
 *
 * No function of the fold takes the time from here: rule "no clock in the
 * fold". Arrival stamps, progress and pages do.
 */
#ifndef ASSAY_BASE_CLOCK_H
#define ASSAY_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MS_PER_SECOND = 1000,
    MS_PER_MINUTE = 60 * MS_PER_SECOND,
    MS_PER_HOUR = 60 * MS_PER_MINUTE,
    MS_PER_DAY = 24 * MS_PER_HOUR
};

enum { CLOCK_TEXT_BYTES = 32 };

int64_t clock_wall_ms(void);
/* Never goes back; its zero has no meaning. */
int64_t clock_monotonic_us(void);

/* Start of the hour or day that holds MS, also before 1970. */
int64_t clock_hour_start(int64_t ms);
int64_t clock_day_start(int64_t ms);

/* "2026-01-08T21:49:05.298Z"; years outside 0000..9999 are clamped. Returns
 * BYTES. */
char *clock_text_ms(int64_t ms, char bytes[CLOCK_TEXT_BYTES]);
/* "2026-01-08T21:00:00Z", for window starts. */
char *clock_text_s(int64_t ms, char bytes[CLOCK_TEXT_BYTES]);

/* What is wrong with a wall clock that says NOW_MS, where something was noted
 * at LAST_MS before (INT64_MIN: nothing was). Never set: it is before 2024 or
 * after 2099. Went back: by more than five minutes; what comes in now would be
 * noted before what came in earlier. */
enum clock_fault { CLOCK_FINE, CLOCK_NEVER_SET, CLOCK_WENT_BACK };
enum clock_fault clock_fault(int64_t now_ms, int64_t last_ms);

/*
 * Reads RFC 3339 and its ISO 8601 relatives: "2026-01-08",
 * "2026-01-08T21:49:05.298Z", a space for the T, missing seconds, offsets;
 * without an offset UTC. Fractions are cut to milliseconds. False where the
 * text is anything else.
 */
bool clock_parse(const char *text, size_t length, int64_t *ms);

#endif

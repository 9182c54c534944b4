/*
 * uuid.h: UUIDs as their sixteen bytes and in the usual spelling, 8-4-4-4-12
 * lower-case hexadecimal digits (RFC 9562 §4).
 *
 * Half of what telemetry repeats nowhere are such ids, so both directions go
 * eight digits at a time.
 */
#ifndef ASSAY_BASE_UUID_H
#define ASSAY_BASE_UUID_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { UUID_BYTES = 16, UUID_LENGTH = 36 };

/* False, and BYTES in any state, where TEXT is spelled in any other way: with
 * upper case, it would not come back as it was. */
bool uuid_read(struct text text, uint8_t bytes[UUID_BYTES]);

/* Not zero-terminated. */
void uuid_write(const uint8_t bytes[UUID_BYTES], char text[UUID_LENGTH]);

#endif

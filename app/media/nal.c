/*
 * nal.c: finding NAL units in an H.264 byte stream (annex B). Emulation
 * prevention guarantees that 00 00 01 occurs only as a start code. The one
 * field that is read of a slice is first_mb_in_slice: it is 0, coded as a
 * single 1 bit, in the first slice of a picture.
 */
#include "media/packet.h"

#include <string.h>

enum {
    NAL_PARTITION_A = 2,
    NAL_SEI = 6,
    NAL_DELIMITER = 9,
    NAL_PREFIX = 14,
    NAL_RESERVED_18 = 18
};

/* Where START ends in zeros, at most three, not before FROM. */
static size_t before_zeros(const uint8_t *bytes, size_t from, size_t start)
{
    size_t least = start > from + 3 ? start - 3 : from;
    while (start > least && bytes[start - 1] == 0)
        start--;
    return start;
}

bool nal_is_slice(const struct nal *nal)
{
    return nal->type == NAL_SLICE || nal->type == NAL_PARTITION_A ||
           nal->type == NAL_IDR_SLICE;
}

/* Reads what follows the 01 at ONE; false where it is not all there. */
static bool judge(const uint8_t *bytes, size_t length, size_t one,
                  struct nal *nal)
{
    if (one + 1 >= length)
        return false;
    nal->type = bytes[one + 1] & 0x1f;
    nal->after = one + 2;
    nal->first_slice = false;
    if (!nal_is_slice(nal))
        return true;
    if (one + 2 >= length)
        return false;
    nal->first_slice = bytes[one + 2] & 0x80;
    return true;
}

bool nal_next(const uint8_t *bytes, size_t length, size_t from, struct nal *nal)
{
    size_t at = from;
    while (at < length) {
        const uint8_t *one = memchr(bytes + at, 1, length - at);
        if (!one)
            break;
        at = (size_t)(one - bytes);
        nal->begin = before_zeros(bytes, from, at);
        if (at - nal->begin >= 2)
            return judge(bytes, length, at, nal);
        at++;
    }
    nal->begin = before_zeros(bytes, from, length);
    return false;
}

bool nal_begins_unit(const struct nal *nal, bool has_slice)
{
    if (nal_is_slice(nal))
        return nal->first_slice && has_slice;
    return has_slice &&
           ((nal->type >= NAL_SEI && nal->type <= NAL_DELIMITER) ||
            (nal->type >= NAL_PREFIX && nal->type <= NAL_RESERVED_18));
}

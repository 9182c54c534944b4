/*
 * section.c: table sections (13818 §2.4.4) out of packets, and their checksum.
 * A section longer than the standard allows is given up at once, so that its
 * buffer bounds it.
 */
#include "media/packet.h"

#include <string.h>

enum {
    LENGTH_AT = 1,       /* of section_length within a section */
    LENGTH_BYTES = 3,    /* table_id and section_length */
    STUFFING_BYTE = 0xff /* where a table_id would stand: no more sections */
};

uint32_t mpegts_section_crc(const uint8_t *bytes, size_t length)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= (uint32_t)bytes[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7u : 0);
    }
    return crc;
}

static void forget(struct mpegts_section *section)
{
    section->length = 0;
    section->wanted = 0;
}

/* Adds up to LENGTH bytes, no more than are wanted; returns how many. */
static size_t gather(struct mpegts_section *section, const uint8_t *bytes,
                     size_t length, size_t wanted)
{
    size_t more = wanted - section->length;
    if (more > length)
        more = length;
    memcpy(section->bytes + section->length, bytes, more);
    section->length = (uint16_t)(section->length + more);
    return more;
}

/* Sets the whole length once its field is there; false where it is too long
 * for a section. */
static bool learn_length(struct mpegts_section *section)
{
    if (section->wanted || section->length < LENGTH_BYTES)
        return true;
    const uint8_t *field = section->bytes + LENGTH_AT;
    section->wanted =
        (uint16_t)(LENGTH_BYTES + ((field[0] & 0x0f) << 8 | field[1]));
    return section->wanted <= MPEGTS_SECTION_BYTES_MAX &&
           section->wanted >= LENGTH_BYTES + CRC_BYTES;
}

/* Whole sections out of BYTES, as long as one is being gathered. */
static unsigned read_on(struct mpegts_reader *reader,
                        struct mpegts_section *section, const uint8_t *bytes,
                        size_t length, on_section *on)
{
    unsigned wrong = 0;
    while (length > 0) {
        if (section->length == 0 && bytes[0] == STUFFING_BYTE)
            break;
        size_t wanted = section->wanted ? section->wanted : LENGTH_BYTES;
        size_t used = gather(section, bytes, length, wanted);
        bytes += used;
        length -= used;
        if (!learn_length(section)) {
            forget(section);
            return wrong + 1;
        }
        if (!section->wanted || section->length < section->wanted)
            continue;
        if (mpegts_section_crc(section->bytes, section->length) == 0)
            on(reader, section->bytes, section->length);
        else
            wrong++;
        forget(section);
    }
    return wrong;
}

unsigned mpegts_section_read(struct mpegts_reader *reader,
                             struct mpegts_section *section, bool begins,
                             const uint8_t *payload, size_t length,
                             on_section *on)
{
    if (!begins) {
        /* The middle of a section whose beginning is unknown says nothing. */
        return section->length ? read_on(reader, section, payload, length, on)
                               : 0;
    }
    if (length == 0)
        return 0;
    size_t pointer = payload[0];
    payload++;
    length--;
    if (pointer > length) {
        forget(section);
        return 1;
    }
    unsigned wrong = 0;
    if (section->length)
        wrong += read_on(reader, section, payload, pointer, on);
    if (section->length) { /* still not whole where the next one begins */
        forget(section);
        wrong++;
    }
    return wrong +
           read_on(reader, section, payload + pointer, length - pointer, on);
}

/*
 * packet.h: what reading and writing of transport streams share. Private to
 * the room.
 */
#ifndef ASSAY_MEDIA_PACKET_H
#define ASSAY_MEDIA_PACKET_H

#include "media/mpegts.h"

enum {
    SYNC_BYTE = 0x47,
    PID_PAT = 0,
    PID_NONE = 0x1fff, /* of null packets */
    HEADER_BYTES = 4,
    PAYLOAD_BYTES = MPEGTS_PACKET_BYTES - HEADER_BYTES,
    TIMESTAMP_BYTES = 5,
    PES_HEADER_BYTES = 9, /* without optional fields */
    CRC_BYTES = 4
};

/* The table checksum (13818 annex A); 0 over a section with its checksum. */
uint32_t mpegts_section_crc(const uint8_t *bytes, size_t length);

/*
 * Takes the payload of one packet that carries table sections and calls ON
 * with each whole one, checksum right. BEGINS is the packet's
 * payload_unit_start_indicator. Returns how many were wrong.
 */
typedef void on_section(struct mpegts_reader *reader, const uint8_t *bytes,
                        size_t length);
unsigned mpegts_section_read(struct mpegts_reader *reader,
                             struct mpegts_section *section, bool begins,
                             const uint8_t *payload, size_t length,
                             on_section *on);

/* A NAL unit with a start code found in a run of bytes. */
struct nal {
    size_t begin; /* of its start code, up to three zeros included */
    size_t after; /* where to look for the next one */
    uint8_t type;
    bool first_slice; /* a slice that begins a picture */
};

enum { NAL_SLICE = 1, NAL_IDR_SLICE = 5 };

/*
 * The first NAL unit from FROM on. False where there is none or where too
 * little of it is there to be judged; then nal->begin is where the bytes
 * begin that may be its start (LENGTH where there are none).
 */
bool nal_next(const uint8_t *bytes, size_t length, size_t from,
              struct nal *nal);
bool nal_is_slice(const struct nal *nal);
/* Whether a new access unit begins with it, given whether the one before has
 * had a slice (H.264 §7.4.1.2.3). */
bool nal_begins_unit(const struct nal *nal, bool has_slice);

#endif

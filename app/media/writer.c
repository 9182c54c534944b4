/*
 * writer.c: frames as transport packets, the plainest stream that holds to
 * 13818: one program, one video stream, one frame a PES packet, the clock in
 * every frame's first packet. What does not fill its last packet is padded
 * with an adaptation field.
 */
#include "media/packet.h"

#include <string.h>

enum {
    PROGRAM_NUMBER = 1,
    STREAM_ID_VIDEO = 0xe0,
    TABLE_HEAD_BYTES = 8, /* table_id to last_section_number */
    CLOCK_FIELD_BYTES = 8 /* an adaptation field with nothing but the PCR */
};

/* Four bytes of header (13818 §2.4.3.2) at the end of OUT. */
static void add_header(struct buf *out, unsigned pid, bool begins,
                       bool adaptation, uint8_t *counter)
{
    buf_add_byte(out, SYNC_BYTE);
    buf_add_byte(out, (uint8_t)((begins ? 0x40u : 0) | pid >> 8));
    buf_add_byte(out, (uint8_t)pid);
    buf_add_byte(out, (uint8_t)((adaptation ? 0x30u : 0x10u) | *counter));
    *counter = (*counter + 1) & 0x0f;
}

static void add_fill(struct buf *out, size_t count)
{
    buf_reserve(out, count);
    memset(out->data + out->length, 0xff, count);
    out->length += count;
}

/* ---- tables -------------------------------------------------------------- */

/* A section of BODY behind the head that all tables share, in a packet. */
static void add_table(struct buf *out, unsigned pid, uint8_t *counter,
                      uint8_t table_id, uint16_t id, const uint8_t *body,
                      size_t length)
{
    uint8_t section[PAYLOAD_BYTES];
    size_t rest = TABLE_HEAD_BYTES - 3 + length + CRC_BYTES;
    const uint8_t head[TABLE_HEAD_BYTES] = {table_id,      0xb0,
                                            (uint8_t)rest, (uint8_t)(id >> 8),
                                            (uint8_t)id,   0xc1 /* current */};
    memcpy(section, head, TABLE_HEAD_BYTES);
    memcpy(section + TABLE_HEAD_BYTES, body, length);
    uint32_t crc = mpegts_section_crc(section, TABLE_HEAD_BYTES + length);
    size_t start = out->length;
    add_header(out, pid, true, false, counter);
    buf_add_byte(out, 0); /* the section begins at once */
    buf_add(out, section, TABLE_HEAD_BYTES + length);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_byte(out, (uint8_t)(crc >> shift));
    add_fill(out, MPEGTS_PACKET_BYTES - (out->length - start));
}

void mpegts_write_tables(struct mpegts_writer *writer, struct buf *out)
{
    static const uint8_t association[] = {
        0, PROGRAM_NUMBER, 0xe0 | MPEGTS_PMT_PID >> 8, MPEGTS_PMT_PID & 0xff};
    static const uint8_t map[] = {0xe0 | MPEGTS_VIDEO_PID >> 8,
                                  MPEGTS_VIDEO_PID & 0xff, /* has the PCR */
                                  0xf0,
                                  0, /* nothing about the program */
                                  MPEGTS_VIDEO_H264,
                                  0xe0 | MPEGTS_VIDEO_PID >> 8,
                                  MPEGTS_VIDEO_PID & 0xff,
                                  0xf0,
                                  0 /* nor about the stream */};
    enum { TRANSPORT_STREAM_ID = 1 };
    add_table(out, PID_PAT, &writer->pat_counter, 0, TRANSPORT_STREAM_ID,
              association, sizeof association);
    add_table(out, MPEGTS_PMT_PID, &writer->pmt_counter, 2, PROGRAM_NUMBER, map,
              sizeof map);
}

/* ---- frames -------------------------------------------------------------- */

/* 33 bits behind a 4-bit mark, with marker bits (13818 table 2-21). */
static void add_timestamp(struct buf *out, unsigned mark, int64_t time)
{
    uint64_t ticks = (uint64_t)time;
    buf_add_byte(out, (uint8_t)(mark << 4 | (ticks >> 29 & 0x0e) | 1));
    buf_add_byte(out, (uint8_t)(ticks >> 22));
    buf_add_byte(out, (uint8_t)((ticks >> 14 & 0xfe) | 1));
    buf_add_byte(out, (uint8_t)(ticks >> 7));
    buf_add_byte(out, (uint8_t)((ticks << 1 & 0xfe) | 1));
}

static void add_pes_header(struct buf *out,
                           const struct mpegts_picture *picture)
{
    bool both = picture->dts != picture->pts;
    const uint8_t head[PES_HEADER_BYTES] = {
        0,
        0,
        1,
        STREAM_ID_VIDEO,
        0,
        0,    /* no length, as is usual for video */
        0x84, /* aligned to the frame */
        both ? 0xc0 : 0x80,
        both ? 2 * TIMESTAMP_BYTES : TIMESTAMP_BYTES};
    buf_add(out, head, sizeof head);
    add_timestamp(out, both ? 3 : 2, picture->pts);
    if (both)
        add_timestamp(out, 1, picture->dts);
}

static void add_clock_field(struct buf *out,
                            const struct mpegts_picture *picture)
{
    uint64_t base = (uint64_t)picture->dts - MPEGTS_CLOCK_LEAD;
    const uint8_t field[CLOCK_FIELD_BYTES] = {
        CLOCK_FIELD_BYTES - 1,
        picture->keyframe ? 0x50 : 0x10, /* random access; PCR */
        (uint8_t)(base >> 25),
        (uint8_t)(base >> 17),
        (uint8_t)(base >> 9),
        (uint8_t)(base >> 1),
        (uint8_t)((base & 1) << 7 | 0x7e),
        0};
    buf_add(out, field, sizeof field);
}

/* An adaptation field that is SIZE bytes of nothing. */
static void add_padding(struct buf *out, size_t size)
{
    buf_add_byte(out, (uint8_t)(size - 1));
    if (size > 1)
        buf_add_byte(out, 0);
    if (size > 2)
        add_fill(out, size - 2);
}

/* The first packet: clock, PES header, as much of the frame as fits. A frame
 * that does not fill it lengthens the clock's field. Returns how much fit. */
static size_t add_first(struct mpegts_writer *writer, struct buf *out,
                        const struct mpegts_picture *picture)
{
    size_t start = out->length;
    add_header(out, MPEGTS_VIDEO_PID, true, true, &writer->video_counter);
    size_t field = out->length;
    add_clock_field(out, picture);
    size_t header = PES_HEADER_BYTES +
                    TIMESTAMP_BYTES * (picture->dts != picture->pts ? 2u : 1u);
    size_t room = MPEGTS_PACKET_BYTES - (out->length - start) - header;
    size_t used = picture->bytes.length < room ? picture->bytes.length : room;
    add_fill(out, room - used);
    out->data[field] = (char)(CLOCK_FIELD_BYTES - 1 + (room - used));
    add_pes_header(out, picture);
    buf_add(out, picture->bytes.data, used);
    return used;
}

static size_t add_next(struct mpegts_writer *writer, struct buf *out,
                       struct text rest)
{
    size_t used = rest.length < PAYLOAD_BYTES ? rest.length : PAYLOAD_BYTES;
    size_t padding = PAYLOAD_BYTES - used;
    add_header(out, MPEGTS_VIDEO_PID, false, padding > 0,
               &writer->video_counter);
    if (padding)
        add_padding(out, padding);
    buf_add(out, rest.data, used);
    return used;
}

void mpegts_write_frame(struct mpegts_writer *writer, struct buf *out,
                        const struct mpegts_picture *picture)
{
    struct text rest = picture->bytes;
    size_t used = add_first(writer, out, picture);
    for (;;) {
        rest.data += used;
        rest.length -= used;
        if (!rest.length)
            return;
        used = add_next(writer, out, rest);
    }
}

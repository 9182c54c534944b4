/*
 * reader.c: frames out of a transport stream, see mpegts.h. In the order of
 * the bytes' way, backwards: the sync bytes give packets (last chapter), the
 * packets of two PIDs give tables, the tables name the video's PID, its
 * packets give PES headers with timestamps and H.264 bytes, and NAL units
 * among these part one frame from the next (first chapter).
 *
 * A timestamp belongs to the first frame that begins in its PES packet
 * (13818 §2.4.3.7).
 */
#include "media/packet.h"

#include <string.h>

/* ---- frames -------------------------------------------------------------- */

static void damage(struct mpegts_reader *reader)
{
    reader->unit.damaged = true;
}

/* Bytes that certainly belong to the open frame. */
static void take_bytes(struct mpegts_reader *reader, const uint8_t *bytes,
                       size_t length)
{
    if (!reader->unit_open || length == 0)
        return;
    if (length > MPEGTS_FRAME_BYTES_MAX - reader->unit.bytes) {
        damage(reader);
        return;
    }
    bool begins = reader->unit.bytes == 0;
    reader->unit.bytes += (uint32_t)length;
    if (reader->sink.on_bytes)
        reader->sink.on_bytes(reader->sink.context, bytes, length, begins);
}

static void finish_unit(struct mpegts_reader *reader, uint64_t end_offset,
                        int64_t stamp_us)
{
    struct mpegts_frame *frame = &reader->unit;
    if (reader->unit_open && reader->unit_has_slice) {
        frame->end_offset = end_offset;
        frame->arrived_us = stamp_us;
        reader->counts.frames++;
        reader->counts.keyframes += frame->keyframe;
        reader->counts.damaged_frames += frame->damaged;
        reader->sink.on_frame(reader->sink.context, frame);
    }
    reader->unit_open = false;
}

static void open_unit(struct mpegts_reader *reader)
{
    reader->unit =
        (struct mpegts_frame){.pts = reader->pes_pts, .dts = reader->pes_dts};
    reader->pes_pts = MPEGTS_NO_TIME;
    reader->pes_dts = MPEGTS_NO_TIME;
    reader->unit_open = true;
    reader->unit_has_slice = false;
}

static bool parts_frames(const struct mpegts_reader *reader,
                         const struct nal *nal)
{
    bool has_slice = !reader->unit_open || reader->unit_has_slice;
    return nal_begins_unit(nal, has_slice);
}

/* The video bytes of one packet, after those that were held back. BYTES has
 * room in front of it for them. */
static void scan(struct mpegts_reader *reader, uint8_t *bytes, size_t length)
{
    size_t held = reader->held_count;
    bytes -= held;
    length += held;
    memcpy(bytes, reader->held, held);
    struct nal nal = {.after = 0};
    size_t taken = 0;
    while (nal_next(bytes, length, nal.after, &nal)) {
        if (parts_frames(reader, &nal)) {
            take_bytes(reader, bytes + taken, nal.begin - taken);
            taken = nal.begin;
            /* Of this packet it has nothing, or the rest up to here. */
            if (nal.begin <= held)
                finish_unit(reader, reader->video_end, reader->video_stamp_us);
            else
                finish_unit(reader, reader->packet_end, reader->stamp_us);
            open_unit(reader);
        }
        if (nal_is_slice(&nal)) {
            reader->unit_has_slice = true;
            reader->unit.keyframe |= nal.type == NAL_IDR_SLICE;
        }
    }
    take_bytes(reader, bytes + taken, nal.begin - taken);
    reader->held_count = length - nal.begin;
    memcpy(reader->held, bytes + nal.begin, reader->held_count);
    reader->video_end = reader->packet_end;
    reader->video_stamp_us = reader->stamp_us;
}

/* What was held back belongs to the open frame after all. */
static void release_held(struct mpegts_reader *reader)
{
    take_bytes(reader, reader->held, reader->held_count);
    reader->held_count = 0;
}

/* ---- PES headers --------------------------------------------------------- */

/* 33 bits in 5 bytes with marker bits between; false where one is not set. */
static bool read_timestamp(const uint8_t *bytes, int64_t *ticks)
{
    *ticks = (int64_t)(bytes[0] >> 1 & 7) << 30 | (int64_t)bytes[1] << 22 |
             (int64_t)(bytes[2] >> 1) << 15 | (int64_t)bytes[3] << 7 |
             bytes[4] >> 1;
    return bytes[0] & bytes[2] & bytes[4] & 1;
}

/* The time nearest to the last one that has these 33 bits. */
static int64_t unwrapped(const struct mpegts_reader *reader, int64_t ticks)
{
    const uint64_t wrap = (uint64_t)1 << 33;
    if (reader->last_time == MPEGTS_NO_TIME)
        return ticks;
    uint64_t last = (uint64_t)reader->last_time;
    uint64_t ahead = ((uint64_t)ticks - last) & (wrap - 1);
    if (ahead >= wrap / 2)
        ahead -= wrap;
    return (int64_t)(last + ahead);
}

/* The optional fields' timestamps. FLAGS: PTS_DTS_flags, 2 or 3 of 13818
 * table 2-21 where there are any. */
static bool read_times(struct mpegts_reader *reader, const uint8_t *field,
                       size_t length, unsigned flags)
{
    int64_t ticks;
    reader->pes_pts = reader->pes_dts = MPEGTS_NO_TIME;
    if (flags == 0)
        return true;
    if (flags == 1 || length < TIMESTAMP_BYTES * (flags - 1) ||
        !read_timestamp(field, &ticks))
        return false;
    reader->last_time = unwrapped(reader, ticks);
    reader->pes_pts = reader->pes_dts = reader->last_time;
    if (flags == 3) {
        if (!read_timestamp(field + TIMESTAMP_BYTES, &ticks))
            return false;
        reader->pes_dts = unwrapped(reader, ticks);
    }
    return true;
}

/* Returns the length of the header, 0 where it is none of a video stream or
 * does not fit into its packet. */
static size_t read_pes_header(struct mpegts_reader *reader,
                              const uint8_t *bytes, size_t length)
{
    enum { VIDEO_IDS = 0xe0, VIDEO_IDS_MASK = 0xf0 };
    if (length < PES_HEADER_BYTES || bytes[0] || bytes[1] || bytes[2] != 1 ||
        (bytes[3] & VIDEO_IDS_MASK) != VIDEO_IDS || bytes[6] >> 6 != 2)
        return 0;
    size_t fields = bytes[8];
    if (PES_HEADER_BYTES + fields > length ||
        !read_times(reader, bytes + PES_HEADER_BYTES, fields, bytes[7] >> 6))
        return 0;
    return PES_HEADER_BYTES + fields;
}

static void read_video(struct mpegts_reader *reader, bool begins,
                       const uint8_t *payload, size_t length)
{
    uint8_t work[MPEGTS_HELD_BYTES + PAYLOAD_BYTES];
    if (begins) {
        size_t header = read_pes_header(reader, payload, length);
        reader->in_pes = header > 0;
        reader->counts.bad_pes += header == 0;
        payload += header;
        length -= header;
        if (header == 0)
            damage(reader);
    }
    if (!reader->in_pes || length == 0)
        return;
    memcpy(work + MPEGTS_HELD_BYTES, payload, length);
    scan(reader, work + MPEGTS_HELD_BYTES, length);
}

/* ---- tables -------------------------------------------------------------- */

static unsigned read_pid(const uint8_t *bytes)
{
    return (bytes[0] & 0x1fu) << 8 | bytes[1];
}

static struct mpegts_track track_of(unsigned pid)
{
    return (struct mpegts_track){.pid = (uint16_t)pid};
}

/* Whether tables may name it: not one that the standard keeps for itself. */
static bool is_free(unsigned pid)
{
    return pid >= 0x10 && pid < PID_NONE;
}

static void follow_video(struct mpegts_reader *reader, unsigned pid,
                         uint8_t type)
{
    reader->video_type = type;
    if (reader->video.pid == pid)
        return;
    release_held(reader);
    finish_unit(reader, reader->video_end, reader->video_stamp_us);
    reader->video = track_of(pid);
    reader->in_pes = false;
}

/* Program association (13818 table 2-30): the first program is taken. */
static void on_pat(struct mpegts_reader *reader, const uint8_t *bytes,
                   size_t length)
{
    enum { TABLE_ID = 0, ENTRIES_AT = 8, ENTRY_BYTES = 4 };
    if (bytes[0] != TABLE_ID || length < ENTRIES_AT + CRC_BYTES ||
        !(bytes[5] & 1))
        return;
    for (size_t at = ENTRIES_AT; at + ENTRY_BYTES + CRC_BYTES <= length;
         at += ENTRY_BYTES) {
        if (!bytes[at] && !bytes[at + 1])
            continue; /* network information, no program */
        unsigned pid = read_pid(bytes + at + 2);
        if (is_free(pid) && reader->pmt_track.pid != pid) {
            reader->pmt_track = track_of(pid);
            reader->pmt.length = reader->pmt.wanted = 0;
        }
        return;
    }
}

/* Stream types of video (13818 table 2-34): MPEG-1, MPEG-2, MPEG-4 part 2,
 * H.264, JPEG 2000, H.265. */
static bool is_video(uint8_t type)
{
    return type == 0x01 || type == 0x02 || type == 0x10 ||
           type == MPEGTS_VIDEO_H264 || type == 0x21 || type == 0x24;
}

static void add_stream(struct mpegts_reader *reader, unsigned pid, uint8_t type)
{
    if (reader->stream_count < MPEGTS_STREAMS_MAX)
        reader->streams[reader->stream_count++] =
            (struct mpegts_stream){(uint16_t)pid, type};
}

/* The first H.264 stream is read; where there is none, the type of another
 * video says why there are no frames. */
static void choose_video(struct mpegts_reader *reader)
{
    uint8_t other = 0;
    for (size_t i = 0; i < reader->stream_count; i++) {
        const struct mpegts_stream *stream = &reader->streams[i];
        if (stream->type == MPEGTS_VIDEO_H264 && is_free(stream->pid) &&
            stream->pid != reader->pmt_track.pid) {
            follow_video(reader, stream->pid, stream->type);
            return;
        }
        if (!other && is_video(stream->type))
            other = stream->type;
    }
    follow_video(reader, PID_NONE, other);
}

/* Program map (13818 table 2-33). */
static void on_pmt(struct mpegts_reader *reader, const uint8_t *bytes,
                   size_t length)
{
    enum {
        TABLE_ID = 2,
        INFO_LENGTH_AT = 10,
        HEAD_BYTES = 12,
        ENTRY_BYTES = 5
    };
    if (bytes[0] != TABLE_ID || length < HEAD_BYTES + CRC_BYTES ||
        !(bytes[5] & 1))
        return;
    const uint8_t *field = bytes + INFO_LENGTH_AT;
    size_t at = HEAD_BYTES + ((field[0] & 0x0fu) << 8 | field[1]);
    reader->stream_count = 0;
    while (at + ENTRY_BYTES + CRC_BYTES <= length) {
        const uint8_t *entry = bytes + at;
        add_stream(reader, read_pid(entry + 1), entry[0]);
        at += ENTRY_BYTES + ((entry[3] & 0x0fu) << 8 | entry[4]);
    }
    choose_video(reader);
}

/* ---- packets ------------------------------------------------------------- */

/* What a packet's header and adaptation field say. */
struct packet {
    unsigned pid;
    bool begins; /* payload_unit_start_indicator */
    bool wrong;  /* transport_error_indicator, or scrambled */
    bool announced_gap;
    uint8_t counter;
    const uint8_t *payload;
    size_t length; /* of it, 0 where there is none */
};

/* The PCR (13818 §2.4.3.5): 33 bits of 90 kHz, 9 bits of 27 MHz. */
static int64_t read_clock_reference(const uint8_t *bytes)
{
    int64_t base = (int64_t)bytes[0] << 25 | (int64_t)bytes[1] << 17 |
                   (int64_t)bytes[2] << 9 | (int64_t)bytes[3] << 1 |
                   bytes[4] >> 7;
    return base * 300 + ((bytes[4] & 1) << 8 | bytes[5]);
}

/* FIELD: adaptation_field_length and what it counts. */
static void read_adaptation(struct mpegts_reader *reader, const uint8_t *field,
                            struct packet *packet)
{
    enum { CLOCK_BYTES = 6, GAP = 0x80, CLOCK = 0x10 };
    size_t length = field[0];
    if (length == 0)
        return;
    packet->announced_gap = field[1] & GAP;
    if (field[1] & CLOCK && length > CLOCK_BYTES) {
        reader->clock_reference = read_clock_reference(field + 2);
        reader->counts.clock_references++;
    }
}

/* False where the packet has an impossible form. */
static bool read_packet_header(struct mpegts_reader *reader,
                               const uint8_t *bytes, struct packet *packet)
{
    enum { ERROR = 0x80, BEGINS = 0x40, SCRAMBLED = 0xc0 };
    unsigned control = bytes[3] >> 4 & 3; /* 1 payload, 2 adaptation, 3 both */
    *packet = (struct packet){.pid = read_pid(bytes + 1),
                              .begins = bytes[1] & BEGINS,
                              .wrong = bytes[1] & ERROR || bytes[3] & SCRAMBLED,
                              .counter = bytes[3] & 0x0f};
    size_t at = HEADER_BYTES;
    if (control == 0)
        return false;
    if (control & 2) {
        at += 1u + bytes[HEADER_BYTES];
        if (at > MPEGTS_PACKET_BYTES ||
            (at == MPEGTS_PACKET_BYTES) != (control == 2))
            return false;
        read_adaptation(reader, bytes + HEADER_BYTES, packet);
    }
    if (control & 1) {
        packet->payload = bytes + at;
        packet->length = MPEGTS_PACKET_BYTES - at;
    }
    return true;
}

enum sequence { NEXT, REPEATED, GAP };

/* Where the packet stands in its stream (13818 §2.4.3.3: the counter counts
 * packets with payload, and each may be sent twice). */
static enum sequence follow(struct mpegts_track *track,
                            const struct packet *packet)
{
    bool known = track->counter_known;
    bool repeated = track->repeated;
    uint8_t last = track->counter;
    track->counter = packet->counter;
    track->counter_known = true;
    track->repeated = false;
    if (!known || packet->counter == ((last + 1) & 0x0f))
        return NEXT;
    if (packet->counter != last || repeated || packet->announced_gap)
        return GAP;
    track->repeated = true;
    return REPEATED;
}

static void on_gap(struct mpegts_reader *reader, struct mpegts_track *track)
{
    if (track == &reader->video) {
        release_held(reader);
        damage(reader);
    } else {
        struct mpegts_section *section =
            track == &reader->pat_track ? &reader->pat : &reader->pmt;
        section->length = section->wanted = 0;
    }
}

static struct mpegts_track *track_with(struct mpegts_reader *reader,
                                       unsigned pid)
{
    if (pid == PID_NONE)
        return NULL;
    if (pid == reader->video.pid)
        return &reader->video;
    if (pid == reader->pmt_track.pid)
        return &reader->pmt_track;
    return pid == PID_PAT ? &reader->pat_track : NULL;
}

static void read_payload(struct mpegts_reader *reader,
                         const struct mpegts_track *track,
                         const struct packet *packet)
{
    if (track == &reader->video)
        read_video(reader, packet->begins, packet->payload, packet->length);
    else if (track == &reader->pmt_track)
        reader->counts.bad_sections +=
            mpegts_section_read(reader, &reader->pmt, packet->begins,
                                packet->payload, packet->length, on_pmt);
    else
        reader->counts.bad_sections +=
            mpegts_section_read(reader, &reader->pat, packet->begins,
                                packet->payload, packet->length, on_pat);
}

static void read_packet(struct mpegts_reader *reader, const uint8_t *bytes)
{
    struct packet packet;
    reader->counts.packets++;
    bool well_formed = read_packet_header(reader, bytes, &packet);
    struct mpegts_track *track = track_with(reader, packet.pid);
    if (!well_formed || packet.wrong) {
        reader->counts.bad_packets++;
        if (track)
            on_gap(reader, track);
        return;
    }
    if (!track || !packet.length)
        return;
    enum sequence sequence = follow(track, &packet);
    if (sequence == REPEATED) {
        reader->counts.repeated_packets++;
        return;
    }
    if (sequence == GAP) {
        reader->counts.discontinuities += packet.announced_gap;
        reader->counts.continuity_errors += !packet.announced_gap;
        on_gap(reader, track);
    }
    read_payload(reader, track, &packet);
}

/* ---- sync bytes ---------------------------------------------------------- */

void mpegts_reader_init(struct mpegts_reader *reader, struct mpegts_sink sink)
{
    *reader = (struct mpegts_reader){.sink = sink,
                                     .pat_track = track_of(PID_PAT),
                                     .pmt_track = track_of(PID_NONE),
                                     .video = track_of(PID_NONE),
                                     .last_time = MPEGTS_NO_TIME,
                                     .pes_pts = MPEGTS_NO_TIME,
                                     .pes_dts = MPEGTS_NO_TIME};
}

/* Bytes that are needed before anything can be said: a packet, and the sync
 * byte of the next one where it is not certain that this is one. */
static size_t needed(const struct mpegts_reader *reader)
{
    return MPEGTS_PACKET_BYTES + (reader->hunting ? 1 : 0);
}

static bool is_packet(const struct mpegts_reader *reader, const uint8_t *bytes)
{
    return bytes[0] == SYNC_BYTE &&
           (!reader->hunting || bytes[MPEGTS_PACKET_BYTES] == SYNC_BYTE);
}

/*
 * Takes one packet, or skips to where the next one may begin. BYTES are
 * needed() many and no more are looked at, so that what follows from them does
 * not depend on how many happen to be there. Returns how many were used.
 */
static size_t step(struct mpegts_reader *reader, const uint8_t *bytes)
{
    if (is_packet(reader, bytes)) {
        reader->hunting = false;
        reader->packet_end += MPEGTS_PACKET_BYTES;
        read_packet(reader, bytes);
        return MPEGTS_PACKET_BYTES;
    }
    size_t length = needed(reader);
    const uint8_t *next = memchr(bytes + 1, SYNC_BYTE, length - 1);
    size_t skipped = next ? (size_t)(next - bytes) : length;
    reader->counts.sync_losses += !reader->hunting;
    reader->hunting = true;
    reader->counts.skipped_bytes += skipped;
    reader->packet_end += skipped;
    return skipped;
}

/* Moves bytes of the chunk behind those carried until a step can be made;
 * returns how many. */
static size_t fill_carry(struct mpegts_reader *reader, const uint8_t *bytes,
                         size_t length)
{
    size_t more = needed(reader) - reader->carried;
    if (more > length)
        more = length;
    memcpy(reader->carry + reader->carried, bytes, more);
    reader->carried += more;
    return more;
}

static void step_carry(struct mpegts_reader *reader)
{
    size_t used = step(reader, reader->carry);
    reader->carried -= used;
    memmove(reader->carry, reader->carry + used, reader->carried);
}

void mpegts_read(struct mpegts_reader *reader, const uint8_t *bytes,
                 size_t length, int64_t stamp_us)
{
    reader->stamp_us = stamp_us;
    reader->counts.bytes += length;
    while (length > 0) {
        size_t used;
        if (reader->carried || length < needed(reader)) {
            used = fill_carry(reader, bytes, length);
            while (reader->carried >= needed(reader))
                step_carry(reader);
        } else {
            used = step(reader, bytes);
        }
        bytes += used;
        length -= used;
    }
}

void mpegts_segment_end(struct mpegts_reader *reader, bool cut)
{
    reader->counts.skipped_bytes += reader->carried;
    bool half_packet = reader->carried && !reader->hunting;
    if (half_packet || cut)
        damage(reader);
    release_held(reader);
    finish_unit(reader, reader->video_end, reader->video_stamp_us);
    reader->packet_end += reader->carried;
    reader->carried = 0;
    reader->hunting = false;
    reader->in_pes = false;
    reader->pat_track.counter_known = false;
    reader->pmt_track.counter_known = false;
    reader->video.counter_known = false;
    reader->pat.length = reader->pat.wanted = 0;
    reader->pmt.length = reader->pmt.wanted = 0;
}

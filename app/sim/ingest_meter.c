/*
 * ingest_meter.c: see ingest_meter.h.
 *
 * Jitter is RFC 3550 §6.4.1's: of two packets in a row, the difference between
 * how far apart they came and how far apart they are by their timestamps goes
 * in with a sixteenth. All packets of a frame come together, and only the first
 * of each counts here.
 */
#include "sim/ingest_meter.h"

enum { PACKET_BYTES = 1200, US_PER_MS = 1000, US_PER_S = 1000000 };

static const double gain = 1.0 / 16;

void ingest_meter_frame(struct ingest_meter *meter, int64_t due_us,
                        int64_t at_us, size_t bytes)
{
    if (meter->packets) {
        int64_t off_us =
            (at_us - meter->last_us) - (due_us - meter->last_due_us);
        double size_us = (double)(off_us < 0 ? -off_us : off_us);
        meter->jitter_us += (size_us - meter->jitter_us) * gain;
    } else {
        meter->first_us = at_us;
    }
    meter->last_us = at_us;
    meter->last_due_us = due_us;
    meter->bytes += bytes;
    meter->packets += (bytes + PACKET_BYTES - 1) / PACKET_BYTES;
}

static void add_video(const struct ingest_meter *meter,
                      struct json_writer *writer)
{
    double passed_s = (double)(meter->last_us - meter->first_us) / US_PER_S;
    json_begin(writer, '{');
    json_member_string(writer, "type", "video");
    json_member_double(writer, "jitter", meter->jitter_us / US_PER_MS);
    json_member_int(writer, "packets_lost", 0);
    json_member_int(writer, "packets_received", (int64_t)meter->packets);
    json_member_int(writer, "packet_loss_pct", 0);
    json_member_int(writer, "rtt", 0);
    json_member_double(writer, "last_input_ts", passed_s);
    json_member_int(writer, "last_output_ts", 0);
    json_member_int(writer, "latency", 0);
    json_end(writer, '}');
}

void ingest_meter_write(const struct ingest_meter *meter,
                        struct json_writer *writer)
{
    json_begin(writer, '{');
    json_key(writer, "peer_conn_stats");
    json_begin(writer, '{');
    json_member_string(writer, "ID", "iceTransport");
    json_member_int(writer, "BytesReceived", (int64_t)meter->bytes);
    json_member_int(writer, "BytesSent", 0);
    json_end(writer, '}');
    json_key(writer, "track_stats");
    json_begin(writer, '[');
    add_video(meter, writer);
    json_end(writer, ']');
    json_member_string(writer, "conn_quality", "good");
    json_end(writer, '}');
}

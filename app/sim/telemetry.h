/*
 * telemetry.h: events of a gateway, as go-livepeer sends them to Kafka
 * (livepeer-protocols.md §5.3), on their way to a file and to servers that
 * take them over HTTP.
 *
 * Events gather for a quarter of a second. A server that does not answer gets
 * them again until it does, up to a limit; then the oldest are dropped and
 * counted, as a gateway drops what its queue cannot hold.
 */
#ifndef ASSAY_SIM_TELEMETRY_H
#define ASSAY_SIM_TELEMETRY_H

#include "base/json.h"
#include "sim/network.h"

struct telemetry;

enum { TELEMETRY_TARGETS_MAX = 4 };

struct telemetry_target {
    const char *url;   /* "http://127.0.0.1:8080": where /v1/ingest/events is */
    const char *token; /* of scope ingest; "" for none */
};

struct telemetry_settings {
    const char *gateway;     /* its address, in every event */
    const char *events_path; /* null for no file */
    struct telemetry_target targets[TELEMETRY_TARGETS_MAX];
    size_t target_count;
};

/* Any thread, as close. SETTINGS' texts must outlive it. */
MUST_USE enum err telemetry_open(struct telemetry **telemetry,
                                 struct loop *loop,
                                 const struct telemetry_settings *settings);
/* Gives what is left some seconds to arrive. Null is allowed. */
MUST_USE enum err telemetry_close(struct telemetry *telemetry);

/* Puts one event together in OUT: after event_begin the caller writes the value
 * of data, then calls event_end. TYPE as on the wire. */
struct event {
    struct buf *out;
    struct json_writer writer;
};
struct json_writer *event_begin(struct event *event, struct buf *out,
                                const struct telemetry *telemetry,
                                const char *type, int64_t timestamp_ms);
void event_end(struct event *event);

/* Sends the events in LINES. */
void telemetry_add(struct telemetry *telemetry, struct text lines);

#endif

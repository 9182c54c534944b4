/*
 * job.h: starting and steering a live-video-to-video job at an orchestrator,
 * and hearing about it (livepeer-protocols.md §3 and §5.1).
 *
 * Each message is written and read here, so that client and sandbox network
 * speak the same bytes. Everything read is foreign: JSON under the limits of
 * base/json.h and the sizes below, wrong types become absent.
 */
#ifndef ASSAY_LIVEPEER_JOB_H
#define ASSAY_LIVEPEER_JOB_H

#include "livepeer/messages.h"

/* What a body may take before it is not looked at. */
enum {
    JOB_START_BYTES_MAX = 256 << 10,
    JOB_CHANNELS_BYTES_MAX = 64 << 10,
    LIVE_EVENT_BYTES_MAX = 1 << 20, /* restart logs are long */
    JOB_HEADER_BYTES_MAX = 64 << 10
};

/* ---- starting ------------------------------------------------------------ */

#define JOB_PATH_START "/live-video-to-video"
#define JOB_PATH_PAYMENT "/payment"
#define JOB_HEADER_PAYMENT "Livepeer-Payment" /* may be there and empty */
#define JOB_HEADER_SEGMENT "Livepeer-Segment"
/* As gateways send it; orchestrators answer some pipelines otherwise. */
#define JOB_HEADER_AUTHORIZATION "Authorization"
#define JOB_AUTHORIZATION "Livepeer-AI-Worker-1.0"

/* The body of POST {transcoder}/live-video-to-video. */
struct job_start {
    struct text model_id; /* never empty: orchestrators crash without it */
    struct text params;   /* a JSON object, "" for {} */
    struct text gateway_request_id;
    struct text stream_id;
};

void job_start_encode(struct buf *out, const struct job_start *start);
MUST_USE enum err job_start_decode(struct arena *arena, struct text body,
                                   struct job_start *start);

/* Its answer. Texts are as they came: a URL may lack its host, and is then
 * relative to the transcoder. */
struct job_channels {
    struct text publish_url;   /* the client's input goes here */
    struct text subscribe_url; /* its output comes from here */
    struct text control_url;
    struct text events_url;
    struct text manifest_id;
};

void job_channels_encode(struct buf *out, const struct job_channels *channels);
/* ERR_INPUT where a URL or the manifest id is missing: gateways take such an
 * answer for a failure. Only the events' URL may be. */
MUST_USE enum err job_channels_decode(struct arena *arena, struct text body,
                                      struct job_channels *channels);

/* The two headers: base64 of the message. */
struct text segment_header(struct arena *arena,
                           const struct segment_data *segment);
struct text payment_header(struct arena *arena, const struct payment *payment);
MUST_USE enum err segment_header_read(struct arena *arena, struct text header,
                                      struct segment_data *segment);
/* Empty is a payment without anything. */
MUST_USE enum err payment_header_read(struct arena *arena, struct text header,
                                      struct payment *payment);

/* ---- steering ------------------------------------------------------------ */

/* One object a segment of the control channel; new parameters are merged. The
 * keepalive keeps the channel from being swept, and runners ignore it. */
#define CONTROL_KEEPALIVE "{\"keep\":\"alive\"}"
enum { CONTROL_KEEPALIVE_EVERY_MS = 10000 };

/* ---- hearing ------------------------------------------------------------- */

enum live_event_kind {
    LIVE_EVENT_OTHER,
    LIVE_EVENT_STATUS,  /* "status", every 10 s */
    LIVE_EVENT_RESTART, /* "restart" */
    LIVE_EVENT_ERROR,   /* "error" */
    LIVE_EVENT_TRACE,   /* of queue stream_trace */
    LIVE_EVENT_HEARTBEAT,
    LIVE_EVENT_STARTED, /* "stream_started" */
    LIVE_EVENT_STOPPED  /* "stream_stopped" */
};

/* What a runner says; it is its claim, not a measurement. Numbers are absent
 * (base/fields.h) where they are not there, texts empty. */
struct live_event {
    enum live_event_kind kind;
    struct text type;  /* as it came */
    struct text state; /* status: "ONLINE", "DEGRADED_INFERENCE", ... */
    struct text pipeline;
    struct text message;  /* of an error; of a status its last_error */
    int64_t timestamp_ms; /* the runner's clock */
    double input_fps;     /* status: an average over some 11 s */
    double output_fps;
    int64_t last_output_ms; /* status: the runner's clock */
    int64_t restart_count;  /* survives the streams of one container */
};

/* One segment of the events channel. ERR_INPUT where it is no JSON object. */
MUST_USE enum err live_event_read(struct arena *arena, struct text segment,
                                  struct live_event *event);

#endif

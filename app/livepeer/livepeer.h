/*
 * livepeer.h: the network's vocabulary. Pure: no clock, no file, no socket.
 *
 * What a gateway event is called, which ones the publisher accepts, what their
 * fields mean, how pipeline and model hints are normalised, and what a
 * capability snapshot offers. Sections (§) are those of the published metrics'
 * specification, which the README names. messages.h, offer.h and
 * job.h: what gateways, orchestrators and signers say to one another.
 */
#ifndef ASSAY_LIVEPEER_LIVEPEER_H
#define ASSAY_LIVEPEER_LIVEPEER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fields.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/keccak.h"
#include "livepeer/job.h"
#include "livepeer/messages.h"
#include "livepeer/offer.h"
#include "livepeer/request_runs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest time of 13 digits; no event has a later one, none is negative. */
#define EVENT_TIME_MS_MAX INT64_C(9999999999999)

/* ---- records (§1.1) --------------------------------------------------- */

/* The outside of a record; texts are "" where there is none. */
struct envelope {
    struct yyjson_val *root;   /* of the record */
    struct yyjson_val *inside; /* ROOT, or what it wraps */
    struct text id;
    struct text type;
    struct text timestamp;
    struct text gateway;
    struct yyjson_val *data; /* may be null */
    int64_t partition;       /* of the Kafka record; 0 where there was none */
    int64_t offset;
};
/* ROOT must be an object; texts point into it or into ARENA. */
void envelope_read(struct arena *arena, struct yyjson_val *root,
                   struct envelope *envelope);

/* The publisher's timestamp forms (§1.1 with §11); false for any other text. */
bool event_time_parse(struct text text, int64_t *ms);

/* ---- families and the accept list (§1.2) ------------------------------ */

enum family {
    FAMILY_STREAM_TRACE,
    FAMILY_STREAM_STATUS,
    FAMILY_STREAM_EVENT,
    FAMILY_INGEST_METRICS,
    FAMILY_CAPABILITIES,
    FAMILY_DISCOVERY,
    FAMILY_PAYMENT,
    FAMILY_BATCH_REQUEST,
    FAMILY_LLM_REQUEST,
    FAMILY_JOB_GATEWAY,
    FAMILY_JOB_PAYMENT,
    FAMILY_JOB_ORCHESTRATOR,
    FAMILY_JOB_AUTH,
    FAMILY_WORKER,
    FAMILY_UNKNOWN
};

/* The wire's name of a family: "ai_stream_status"; "" for unknown. */
const char *family_name(enum family family);
enum family family_of(struct text type);

enum trace {
    TRACE_RECEIVE_REQUEST,
    TRACE_INGEST_CLOSED,
    TRACE_SEND_FIRST_INGEST,
    TRACE_RECEIVE_FIRST_PROCESSED,
    TRACE_RECEIVE_FEW_PROCESSED,
    TRACE_RECEIVE_FIRST_DATA,
    TRACE_NO_ORCHESTRATORS,
    TRACE_SWAP,
    TRACE_RUNNER_RECEIVE_FIRST_INGEST,
    TRACE_RUNNER_SEND_FIRST_PROCESSED,
    TRACE_UNKNOWN
};

const char *trace_name(enum trace trace);
enum trace trace_of(struct text type);
/* The allow-list without the two runner types (§2.2). */
bool trace_is_canonical(enum trace trace);

/*
 * Null where the publisher accepts the event, else the reason why it ignores
 * it: the first that matches in the order of §1.2.
 */
const char *ignore_reason(struct arena *arena, struct text type,
                          struct yyjson_val *data);

/* Names of ignored families that are counted one by one; "other" for the
 * rest, so that foreign names cannot grow the table without bound. */
const char *ignored_family_label(struct text type);

/* ---- session events (§1.4, §2.1) -------------------------------------- */

enum stream_state {
    STATE_OTHER,
    STATE_LOADING,
    STATE_OFFLINE,
    STATE_ONLINE,
    STATE_DEGRADED_INPUT,
    STATE_DEGRADED_INFERENCE,
    STATE_ERROR
};

const char *stream_state_name(enum stream_state state);

enum session_event_flag {
    EVENT_REMOVED = 1,     /* a later redelivery moved it elsewhere */
    EVENT_LAST_ERROR = 2,  /* status: last_error neither blank nor "null" */
    EVENT_ERROR = 4,       /* stream event of type error, any case */
    EVENT_EXCUSABLE = 8,   /* its message is on the excusable list */
    EVENT_NAMES_SWAP = 16, /* stream event whose type contains "swap" */
    EVENT_HAS_START = 32   /* status: a start_time within 1 .. 9999999999999 */
};

/* What the fold needs of one trace, status or stream event; all texts are
 * borrowed, none is null. */
struct session_event {
    enum family family;
    enum trace trace;        /* FAMILY_STREAM_TRACE only */
    enum stream_state state; /* FAMILY_STREAM_STATUS only */
    unsigned flags;          /* enum session_event_flag */
    int64_t ts;              /* event time, ms */
    int64_t line;            /* evidence line */
    int64_t partition;       /* of the Kafka record; 0 where there was none */
    int64_t offset;
    int64_t start_time; /* runner's start, epoch ms */
    double output_fps;
    double latency_ms;
    struct text id;
    struct text stream_id;
    struct text request_id;
    struct text gateway;
    struct text address;     /* lower case */
    struct text url;         /* lower case */
    struct text pipeline;    /* data.pipeline: a model-like hint */
    struct text pipeline_id; /* data.pipeline_id */
};

/* "org|stream|request" by §2.1; "" where the event belongs to no session. */
struct text session_key(struct arena *arena, struct text org,
                        struct yyjson_val *data);

/* Fills all that lies in DATA; the caller sets ts, line, id and the record's
 * coordinates. FAMILY must be one of the three session families. */
void session_event_read(struct arena *arena, enum family family,
                        struct yyjson_val *data, struct session_event *event);

/* Moves the texts of EVENT into ARENA. */
void session_event_keep(struct arena *arena, struct session_event *event);

/* Events of one part of a session's day: what is read and written at once. */
enum { SESSION_PART_EVENTS = 512 };

/*
 * The stored form: a run of one session's events of one UTC day, strings once
 * each.
 * Texts point into BYTES or lie in ARENA. False where BYTES are not what
 * session_events_encode wrote.
 */
void session_events_encode(struct buf *out, const struct session_event *events,
                           size_t count);
bool session_events_decode(struct arena *arena, struct text bytes,
                           struct session_event **events, size_t *count);

/* ---- events of requests (§1.4, §3.8, §3.9) ----------------------------- */

/* How far before a byoc job's day its worker is looked for (§3.8). */
#define WORKER_REACH_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* What of the families beside streams is read: by data.type where a family has
 * several; what has another one is no fact. */
enum request_kind {
    REQUEST_BATCH_RECEIVED,
    REQUEST_BATCH_COMPLETED,
    REQUEST_LLM,       /* completed, streamed or not */
    REQUEST_SUBMITTED, /* byoc from here to the worker */
    REQUEST_COMPLETED,
    REQUEST_DISCOVERED,
    REQUEST_TOKEN_FETCHED,
    REQUEST_AUTHORISED,
    REQUEST_BYOC_PAYMENT,
    REQUEST_WORKER,
    REQUEST_PAYMENT,
    REQUEST_DISCOVERY, /* one candidate of a list */
    REQUEST_KINDS
};

/* Kinds that are read together are stored together. */
enum request_group {
    GROUP_JOBS,
    GROUP_WORKERS,
    GROUP_PAYMENTS,
    GROUP_DISCOVERY,
    REQUEST_GROUPS
};
enum request_group request_group_of(enum request_kind kind);
/* Whether those of GROUP are kept by their lines (request_runs.h). */
bool request_group_is_by_line(enum request_group group);

enum request_event_flag {
    REQUEST_REMOVED = 1,   /* as EVENT_REMOVED */
    REQUEST_SUCCESS = 2,   /* of a completed or authorised one */
    REQUEST_STREAMING = 4, /* llm */
    REQUEST_CHARGED = 8    /* byoc: charged_compute */
};

/* All texts are borrowed, none is null; what a kind does not have is "" or 0.
 */
struct request_event {
    enum request_kind kind;
    unsigned flags;   /* enum request_event_flag */
    int64_t ts;       /* event time, ms */
    int64_t line;     /* evidence line */
    int64_t position; /* of a candidate in its list */
    struct text id;
    struct text gateway;
    struct text request_id;
    struct text address; /* lower case: orchestrator, recipient */
    struct text url;     /* as given */
    struct text pipeline;
    struct text model;
    struct text capability;
    struct text worker_url; /* as given */
    struct text error_type; /* llm: finish_reason; byoc payment: its type */
    struct text error;
    struct text session_id; /* the last five: of a payment */
    struct text manifest_id;
    struct text sender;   /* lower case */
    struct text win_prob; /* as given, so that it stays exact */
    uint64_t face_value_wei;
    int64_t tries; /* payment: tickets */
    int64_t duration_ms;
    int64_t http_status;
    int64_t prompt_tokens;
    int64_t completion_tokens;
    int64_t total_tokens;
    int64_t ttft_ms;
    int64_t latency_ms;
    int64_t available_capacity;
    double latency_score;
    double price_per_unit; /* payment: wei a pixel */
    double tokens_per_second;
    double amount; /* byoc payment */
    struct text currency;
};

/* The facts in the payload of an accepted event of FAMILY; none where it has
 * none. The caller sets ts, line, id and gateway. */
struct request_event *request_events_read(struct arena *arena,
                                          enum family family,
                                          struct yyjson_val *data,
                                          size_t *count);

/* By ts, id, kind and position: these four are an event's key. */
int request_event_compare(const struct request_event *a,
                          const struct request_event *b);

/* The stored form of one organisation's events of one hour and group; equal
 * contents are stored once. False as session_events_decode. */
void request_events_encode(struct buf *out, const struct request_event *events,
                           size_t count);
bool request_events_decode(struct arena *arena, struct text bytes,
                           struct request_event **events, size_t *count);

/* The texts of EVENT, all but its id. */
enum { REQUEST_TEXTS = 15 };
void request_event_texts(struct request_event *event,
                         struct text *texts[REQUEST_TEXTS]);

/* "2402400000000000 WEI" (§1.4): 0 for anything else or beyond 64 bits. */
uint64_t wei_parse(struct text text);

/* ---- ingest metrics (§1.4) ---------------------------------------------- */

/* Kinds of tracks whose packet jitter is told, apart: audio packets are small
 * and regular, those of a frame of video come together. */
enum ingest_track { INGEST_VIDEO, INGEST_AUDIO, INGEST_TRACKS };

/* The packet jitter (RFC 3550 §6.4.1, in ms) of each kind of track in the
 * payload of a stream_ingest_metrics event; of two of one kind the first. NaN
 * where it is no number, or below 0. */
void ingest_metrics_read(struct arena *arena, struct yyjson_val *data,
                         double jitter_ms[INGEST_TRACKS]);

/* What the reports on one session in one hour add up to. */
struct ingest_hour {
    uint64_t session; /* hash_fast of its key */
    struct {
        int64_t samples;        /* below 0 in what is taken back */
        struct text jitter_sum; /* ms, exact_encode */
    } tracks[INGEST_TRACKS];
};

/* The stored form of one organisation's hour. */
void ingest_hours_encode(struct buf *out, const struct ingest_hour *hours,
                         size_t count);
bool ingest_hours_decode(struct arena *arena, struct text bytes,
                         struct ingest_hour **hours, size_t *count);

/* ---- hints (§2.3) ------------------------------------------------------ */

struct hint {
    struct text pipeline; /* "" or one of the known pipelines */
    struct text model;    /* "" where unknown */
};

struct hint hint_normalise(struct arena *arena, struct text pipeline_hint,
                           struct text model_hint);

/* How far around a pass snapshots are loaded (§2.5), and how late one may come
 * after a selection by lens assay. */
enum {
    SNAPSHOT_BEFORE_MS = 10 * 60 * 1000,
    SNAPSHOT_AFTER_MS = 30 * 1000,
    SNAPSHOT_LATE_MS = 60 * 60 * 1000
};

/* ---- capability snapshots (§1.5, §2.5) --------------------------------- */

/* The catalogue of capabilities (§1.5). */
enum { CAPABILITY_BYOC = 37 };
struct capability {
    int64_t number;
    const char *pipeline; /* "" for byoc, which has none of its own */
    bool supports_stream;
    bool supports_request;
};
/* Null for a number that is not in it. */
const struct capability *capability_numbered(int64_t number);
/* The one whose pipeline is PIPELINE, any case, else byoc; never null. */
const struct capability *capability_offered(struct text pipeline);

/* Where an interval comes from: a pipeline and model that are offered. */
enum capability_source {
    SOURCE_NOTHING,       /* a placeholder: nothing is offered */
    SOURCE_HARDWARE,      /* an entry of hardware[], with a GPU or without */
    SOURCE_PER_CAPABILITY /* a model of a builtin capability */
};

struct capability_interval {
    struct text pipeline;
    struct text model;
    struct text gpu_id;
    struct text gpu_name;       /* "" where there is none, as gpu_id */
    struct text runner_version; /* of the model's runner; "" where not said */
    int64_t gpu_memory_bytes;
    enum capability_source source;
    bool has_hardware;
    bool warm;                  /* SOURCE_PER_CAPABILITY only, as capacity */
    int64_t capacity;           /* advertised; 0 where not said */
    char suffix[MD5_HEX_BYTES]; /* §11 "Hash inputs" */
};

/* What one unit of a capability costs; 0 where it is not said or no int64. */
struct capability_price {
    int64_t capability;
    struct text constraint; /* the model, or byoc's own name */
    int64_t price_per_unit; /* wei */
    int64_t pixels_per_unit;
};

/* One element of a snapshot: what one orchestrator offered. */
struct capability_element {
    struct text address; /* lower case, never "" */
    struct text uri;     /* lower case */
    struct text alias;   /* lower case; "" where there is none */
    char payload[MD5_HEX_BYTES];
    struct capability_interval *intervals; /* at least one */
    size_t interval_count;
    struct capability_price *prices;
    size_t price_count;
};

/* The elements of DATA in order, those without address left out; none where
 * DATA is no array (D3). */
struct capability_element *
capability_read(struct arena *arena, struct yyjson_val *data, size_t *count);

struct capability_snapshot {
    int64_t ts;
    int64_t line;
    bool removed; /* as EVENT_REMOVED */
    struct text id;
    struct capability_element *elements;
    size_t element_count;
};

/* The stored form of one organisation's snapshots of one hour. Equal elements
 * and equal offers are stored once. */
void snapshots_encode(struct buf *out,
                      const struct capability_snapshot *snapshots,
                      size_t count);
bool snapshots_decode(struct arena *arena, struct text bytes,
                      struct capability_snapshot **snapshots, size_t *count);

/* ---- addresses, tickets and prices -------------------------------------- */

enum { ETHEREUM_ADDRESS_TEXT_BYTES = 2 * ETHEREUM_ADDRESS_BYTES + 3 };

/* "0x" and forty digits: with the capitals of EIP-55, or all small. */
void ethereum_address_text(const uint8_t address[ETHEREUM_ADDRESS_BYTES],
                           char text[ETHEREUM_ADDRESS_TEXT_BYTES]);
void ethereum_address_text_lower(const uint8_t address[ETHEREUM_ADDRESS_BYTES],
                                 char text[ETHEREUM_ADDRESS_TEXT_BYTES]);
/* False where TEXT is no address, or mixes cases otherwise than EIP-55. */
bool ethereum_address_parse(struct text text,
                            uint8_t address[ETHEREUM_ADDRESS_BYTES]);
/* Also where there are no bytes at all: off-chain both are seen. */
bool ethereum_address_is_zero(struct text address);

/* What a ticket's signature is over, as it is (EIP-191 follows). EXPIRATION
 * may be null. */
void ticket_hash(const struct ticket_params *params,
                 const struct ticket_expiration *expiration, struct text sender,
                 uint32_t sender_nonce, uint8_t hash[KECCAK_BYTES]);

/* The Keccak-256 of what a segment's signature is over. For segments without
 * full profiles: those of jobs. */
void segment_hash(const struct segment_data *segment,
                  uint8_t hash[KECCAK_BYTES]);

/* Expected value, cut to whole wei; INT64_MAX stands for all that is more. */
int64_t ticket_value_wei(struct text face_value, struct text win_prob);
/* Of all its tickets. */
int64_t payment_value_wei(const struct payment *payment);

/* The same of TICKETS as telemetry reports them: face value * probability *
 * tickets, exact, cut to whole wei, in decimal. False where WIN_PROB is no
 * plain decimal fraction from 0 to 1, like "0.001", of at most sixty digits. */
enum { EXPECTED_VALUE_BYTES = 48 };
bool expected_value_wei(uint64_t face_value_wei, int64_t tickets,
                        struct text win_prob, char text[EXPECTED_VALUE_BYTES]);

/* What an orchestrator bills for one second of live video, whatever its real
 * size: 1280 x 720 at 30 frames a second. The first payment covers a minute. */
#define LIVE_PIXELS_PER_SECOND INT64_C(27648000)
enum { LIVE_FIRST_PAYMENT_S = 60 };

/* Rounded up; INT64_MAX for all that is more, ABSENT_INT where the price is
 * none: negative, or for no pixels. */
int64_t price_of_pixels_wei(const struct price_info *price, int64_t pixels);

/* ---- texts ------------------------------------------------------------- */

/* ASCII only, as the publisher's addresses, URLs and names are. */
struct text text_lower(struct arena *arena, struct text text);
bool text_equal_ignoring_case(struct text a, struct text b);
bool text_contains_ignoring_case(struct text text, const char *lower_part);

#endif

/*
 * run.h: a run, one own measurement of one orchestrator: its row, the closed
 * list of what can become of it, and its raw samples.
 *
 * A probe fills a struct run and returns it by value; nothing here knows how
 * it was measured. What was not measured is absent (base/fields.h), never
 * zero. Every figure has its definition in the registry of metrics.
 */
#ifndef ASSAY_JOURNAL_RUN_H
#define ASSAY_JOURNAL_RUN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what became of it --------------------------------------------------- */

/* Null is not zero, busy is not failed, our fault is not theirs: only OK and
 * FAILED say something about the orchestrator's quality. */
enum outcome {
    OUTCOME_OK,
    OUTCOME_FAILED,         /* theirs */
    OUTCOME_BUSY,           /* it works, and has no room at present */
    OUTCOME_EXCUSED,        /* ours: credentials, money, being stopped */
    OUTCOME_VANTAGE_SUSPECT /* ours: the place we measure from */
};

enum { OUTCOME_COUNT = OUTCOME_VANTAGE_SUSPECT + 1 };

/* "ok", "failed", "busy", "excused", "vantage_suspect" */
const char *outcome_name(enum outcome outcome);
bool outcome_named(struct text name, enum outcome *outcome);

/* Why; the table in run.c gives each its name, outcome and meaning. */
enum reason {
    REASON_NONE, /* outcome ok; the row's reason is null */
    /* failed: the way there */
    REASON_NAME_NOT_RESOLVED,
    REASON_CONNECT_REFUSED,
    REASON_CONNECT_TIMEOUT,
    REASON_UNREACHABLE,
    REASON_TLS_FAILED,
    REASON_CONNECTION_LOST,
    /* failed: the call */
    REASON_CALL_TIMEOUT,
    REASON_CALL_REFUSED,
    REASON_PROTOCOL_ERROR,
    REASON_ANSWER_TOO_LARGE,
    REASON_NO_TRANSCODER,
    /* failed: the job */
    REASON_START_TIMEOUT,
    REASON_START_REFUSED,
    REASON_RUNNER_START_FAILED,
    REASON_AUTH_TOKEN_REFUSED,
    REASON_UNEXPECTED_STATUS,
    REASON_INPUT_NOT_TAKEN,
    REASON_CLOSED_EARLY,
    REASON_NO_OUTPUT,
    REASON_OUTPUT_STOPPED,
    REASON_OUTPUT_INVALID,
    REASON_OUTPUT_TOO_SHORT,
    REASON_RUNNER_ERROR,
    REASON_LIMIT_EXCEEDED,
    /* busy */
    REASON_ORCHESTRATOR_CAPPED,
    REASON_INSUFFICIENT_CAPACITY,
    /* excused */
    REASON_MODEL_NOT_OFFERED,
    REASON_ADDRESS_FORBIDDEN,
    REASON_SIGNATURE_REFUSED,
    REASON_NOT_AUTHORIZED,
    REASON_CREDENTIALS_REFUSED,
    REASON_INSUFFICIENT_SENDER_RESERVE,
    REASON_PAYMENT_NOT_CONFIGURED,
    REASON_PAYMENT_REFUSED,
    REASON_TICKET_REFUSED,
    REASON_INSUFFICIENT_BALANCE,
    REASON_PRICE_ABOVE_LIMIT,
    REASON_SESSION_OUTDATED,
    REASON_SIGNER_FAILED,
    REASON_WEI_CEILING_RUN,
    REASON_WEI_CEILING_DAY,
    REASON_STOPPED,
    /* vantage_suspect */
    REASON_CONTROL_TARGETS_FAILED,
    REASON_FLEET_FAILED,
    REASON_VANTAGE_UNREACHABLE,
    REASON_VANTAGE_OVERLOADED,
    REASON_VANTAGE_FAULT
};

enum { REASON_COUNT = REASON_VANTAGE_FAULT + 1 };

struct reason_entry {
    const char *name; /* "" for REASON_NONE */
    enum outcome outcome;
    const char *meaning; /* a clause for people */
};

const struct reason_entry *reason_entry(enum reason reason);
bool reason_named(struct text name, enum reason *reason);

/* ---- the row ------------------------------------------------------------- */

#define RUN_KIND_REACH "reach"
#define RUN_KIND_LIVE "live"

struct run {
    struct text run_id;
    struct text kind; /* RUN_KIND_... */
    struct text workflow;
    struct text orchestrator_url;
    struct text orchestrator_address; /* recipient of tickets, lower case */
    struct text signing_address;      /* of OrchestratorInfo, lower case */
    struct text pipeline_id;
    struct text model_id;
    struct text gpu_id;
    struct text vantage;
    int64_t started_at; /* wall clock, ms since 1970 */
    struct text outcome;
    struct text reason;     /* null where the outcome is ok */
    double startup_ms;      /* start request sent to accepted */
    double ptff_ms;         /* prompt to first complete output frame */
    double playable_ms;     /* ... to the third output segment */
    double output_fps;      /* (n - 1) / (t_n - t_1) by arrival */
    double jitter_interval; /* sigma / mu of frame intervals */
    double jitter_fps;      /* sigma / mu of frames per second */
    double freeze_ms;       /* longest interval between two frames */
    double e2e_p50_ms;      /* per frame, input sent to output received */
    double e2e_p95_ms;
    double e2e_p99_ms;
    double input_fps;           /* really sent */
    double reported_fps;        /* claimed by the runner meanwhile */
    struct text reported_state; /* its last claim: ONLINE, ... */
    int64_t restarts;           /* of the runner, by its events */
    int64_t segments_in;        /* sent to the orchestrator */
    int64_t segments_out;       /* received from it */
    int64_t bytes_in;
    int64_t bytes_out;
    int64_t cold; /* 1 where the model had to be loaded, 0 where not */
    struct text prompt_id;
    struct text prompt_class;
    int64_t cost_wei; /* expected value of all tickets handed over */
    double dns_ms;
    double connect_ms;
    double tls_ms;
    double rpc_ms;              /* GetOrchestrator, sent to answered */
    struct text tls_key_sha256; /* of the certificate's public key, hex */
    struct text version;
    int64_t idle; /* containers of this model */
    int64_t busy;
    int64_t price_wei; /* of one second of live video (LIVE_PIXELS_PER_SECOND),
                          rounded up */
    struct text plan_hash;
    /* beyond the shared list */
    double first_segment_ms; /* first segment sent to first one received */
    struct text e2e_reason;  /* why there is no e2e figure; else null */
    int64_t frames_in;
    int64_t frames_out;         /* complete ones received */
    struct text samples_sha256; /* of the line of samples, hex */
    /* not exported */
    int64_t line; /* evidence line; absent before it is stored */
};

extern const struct fields run_fields;

/* All fields absent. */
struct run run_empty(void);

/* Sets outcome and reason. */
void run_conclude(struct run *run, enum reason reason);

/* Rounds every figure to what the evidence keeps (whole microseconds,
 * millionths), so that the row in hand is the row that a rebuild gives. */
void run_round(struct run *run);

/* Sixteen random bytes as an RFC 4122 version 4 UUID. */
void run_id_text(const uint8_t random[16], char id[37]);

/* ---- samples ------------------------------------------------------------- */

/* One row of numbers, "frame_arrival_us" say, of any order. */
struct sample_series {
    const char *name;
    const int64_t *values;
    size_t count;
};

/* Bytes as they came: an OrchestratorInfo, an event, an error's body. */
struct received_bytes {
    const char *name;
    int64_t at_us; /* since the run began */
    struct text bytes;
};

struct run_samples {
    const struct sample_series *series;
    size_t series_count;
    const struct received_bytes *received;
    size_t received_count;
};

/* A text of a run; longer ones are cut. */
enum { RUN_TEXT_MAX_BYTES = 1024 };

/* Of all received bytes together; what does not fit is kept by its length and
 * hash alone. */
enum { RUN_RECEIVED_BYTES_MAX = 1 << 20 };

#endif

/*
 * probe_int.h: what the files of this room share about a probe that runs.
 *
 * probe.c holds its beginning and its end; reach.c asks what the orchestrator
 * offers, with which every kind begins; live.c goes on from there. The first
 * reason to conclude decides; what comes later is clearing up.
 */
#ifndef ASSAY_PROBE_PROBE_INT_H
#define ASSAY_PROBE_PROBE_INT_H

#include "media/media.h"
#include "probe/probe.h"

enum { US_PER_MS = 1000, US_PER_SECOND = 1000000 };

struct prober {
    struct loop *loop;
    struct prober_settings settings;
    struct address_policy policy;
    struct http_client *orchestrators;
    struct http_client *signer; /* null where there is none */
    struct url signer_url;
    struct identity identity; /* of the key, unknown without one */
    struct clip clip;
    struct buf packets; /* of the frame that a live run is sending */
    struct arena arena; /* of the texts above */
};

/* Questions that are under way; each null where it is not. */
struct reach {
    struct http_exchange *signing;
    struct grpc_call *call;
};

struct live;

struct probe {
    struct prober *prober;
    struct probe_request request; /* texts in the result's arena */
    struct probe_result *result;
    struct arena *arena; /* the result's */
    struct url url;
    int64_t started_us;
    struct payer *payer;
    struct reach reach;
    struct live *live; /* null for other kinds, and before */
    struct loop_timer begin;
    struct loop_timer done;
    bool concluded;
    enum reason reason;
    size_t received_bytes; /* kept in result->samples.received */
};

/* ---- probe.c ------------------------------------------------------------- */

/* Decides what became of the run, unless that is decided, and clears up. The
 * sentence is for a person; with "" the reason's own meaning stands. */
void probe_conclude(struct probe *probe, enum reason reason, const char *format,
                    ...) PRINTF_LIKE(3, 4);

/* All is cleared up: has on_done called soon. */
void probe_finish(struct probe *probe);

/* The phase that begins now, and ends the one before; null: none begins. */
void probe_enter(struct probe *probe, const char *phase);
/* One that is known only afterwards, by instants of the monotonic clock. */
void probe_add_phase(struct probe *probe, const char *name, int64_t from_us,
                     int64_t to_us);

/* Keeps BYTES as evidence, with the moment. */
void probe_keep(struct probe *probe, const char *name, struct text bytes);

/* Why an exchange without an answer failed; TIMED_OUT where it was too slow. */
enum reason probe_reason_of(const struct http_answer *answer,
                            enum reason timed_out);

/* The TLS key that an answer came under. */
void probe_note_key(struct probe *probe, const struct http_answer *answer);

/* ---- reach.c ------------------------------------------------------------- */

/* Fills the run with what is offered; then concludes, or starts what the run
 * is of. */
void reach_start(struct probe *probe);
void reach_cancel(struct probe *probe);

/* Asks GetOrchestrator about the run's model. */
struct grpc_call *ask_about_model(
    struct probe *probe, bool ignore_capacity_check,
    void (*on_done)(void *context, const struct grpc_answer *answer));

/* Where payer_step is PAYER_SIGN or PAYER_GENERATE: asks the signer. */
struct http_exchange *
ask_signer(struct probe *probe, const char *path,
           void (*on_done)(void *context, const struct http_answer *answer));

/* ---- live.c -------------------------------------------------------------- */

/* The terms are known: pays where it must, and starts the job. */
void live_start(struct probe *probe);
/* Its time is over now. */
void live_enough(struct probe *probe);
/* Stops what runs at the orchestrator, then calls probe_finish. */
void live_close(struct probe *probe);
/* Sets the run's figures; after live_close. */
void live_result(struct probe *probe);
void live_free(struct live *live);

#endif

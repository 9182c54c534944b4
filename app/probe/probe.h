/*
 * probe.h: measuring an orchestrator, one run at a time or many.
 *
 * A prober lives on a loop and holds what its probes share: connections,
 * credentials, the clip. A probe is one measurement: `reach` asks an
 * orchestrator what it offers, `live` sends a test stream through it. It ends
 * in a result, whatever happens: a struct run with an outcome, the raw samples
 * behind its figures, and what a person wants to see of it.
 *
 *     err = prober_open(&prober, loop, &settings);
 *     loop_call(loop, begin, ...)      which calls probe_start(prober,
 * &request)
 *     ... request.on_done(context, result) ...   probe_result_free(result)
 *     prober_close(prober);
 *
 * Promises: a probe ends within its limits of time and bytes, and leaves
 * nothing running at the orchestrator that it can stop. What it costs is
 * bounded before it is spent (payment.h). It writes nothing and knows no
 * store: what is kept is the caller's business.
 *
 * Parts: measure.h the figures, payment.h money, identity.h signatures,
 * refusal.h what errors mean. Probes run on the loop's thread.
 */
#ifndef ASSAY_PROBE_PROBE_H
#define ASSAY_PROBE_PROBE_H

#include "journal/journal.h"
#include "livepeer/livepeer.h"
#include "probe/identity.h"
#include "probe/measure.h"
#include "probe/payment.h"
#include "probe/refusal.h"
#include "wire/wire.h"

struct prober;
struct probe;

struct prober_settings {
    const struct address_policy *policy; /* for orchestrators; copied */
    const struct ethereum_key *key;      /* borrowed; null for none */
    const char *signer_url; /* of a remote signer; null for none. The operator
                               chose it, so any address may be its. */
    const char *signer_authorization; /* header Authorization; null or "" for
                                         none */
    struct text ca_bundle; /* for the signer's certificate; borrowed */
    const char *vantage;   /* where we measure from; null for "" */
};

/* Any thread but the loop's. */
MUST_USE enum err prober_open(struct prober **prober, struct loop *loop,
                              const struct prober_settings *settings);
/* The same; all its probes must have ended. Null is allowed. */
void prober_close(struct prober *prober);

/* ---- results ------------------------------------------------------------- */

enum { PROBE_PHASES_MAX = 12, PROBE_DETAIL_BYTES = 256 };

/* A stretch of the run, in microseconds since it began. */
struct probe_phase {
    const char *name; /* "connect", "start", "first frame" */
    int64_t from_us;
    int64_t to_us;
};

/* Everything lives in .arena. */
struct probe_result {
    struct arena arena;
    struct run run;
    struct run_samples samples;
    struct probe_phase phases[PROBE_PHASES_MAX];
    size_t phase_count;
    double *rates; /* output frames in each whole second */
    size_t rate_count;
    const struct orchestrator_info *info; /* what it offers; null: unknown */
    bool key_changed;                     /* it showed more than one TLS key */
    char detail[PROBE_DETAIL_BYTES];      /* what went wrong, in a sentence */
};

void probe_result_free(struct probe_result *result);

/* How far a probe has come. */
struct probe_progress {
    const char *phase;
    int64_t elapsed_us;
    uint64_t frames_in;
    uint64_t frames_out;
    double fps; /* output of about the last second, 0 before */
};

/* ---- probes -------------------------------------------------------------- */

enum probe_kind { PROBE_REACH, PROBE_LIVE };

/* What to measure. Texts are copied; null ones are absent. */
struct probe_request {
    enum probe_kind kind;
    const char *url; /* of the orchestrator, as url_of_orchestrator reads it */
    const char *model; /* null: one that it offers */

    /* Live only. */
    const char *params;  /* the job's, a JSON object */
    int64_t measure_us;  /* how long output is measured; 0 means 10 s */
    int64_t patience_us; /* for the first frame; 0 means 60 s */
    int64_t run_max_wei; /* see payment.h; 0 pays nobody */
    int64_t day_left_wei;

    /* Copied into the run. */
    const char *workflow;
    const char *prompt_id;
    const char *prompt_class;
    const char *plan_hash;

    void *context;
    /* Several times a second; may be null. */
    void (*on_progress)(void *context, const struct probe_progress *progress);
    /* The last call, once; RESULT is the callee's to free. */
    void (*on_done)(void *context, struct probe_result *result);
};

/* Never fails, and never calls back before it has returned. */
struct probe *probe_start(struct prober *prober,
                          const struct probe_request *request);

/* Ends it early for REASON, in order; on_done follows. */
void probe_stop(struct probe *probe, enum reason reason);

/* What a live run has measured is enough, or its patience is: it ends as if its
 * time were over. Nothing changes for what has ended, or not begun. */
void probe_enough(struct probe *probe);

#endif

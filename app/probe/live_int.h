/*
 * live_int.h: a live run: a job at an orchestrator, with the clip going in and
 * frames coming out (livepeer-protocols.md §3 and §4).
 *
 *     live.c         its beginning, its limits and its end
 *     live_job.c     credentials, the start request, paying on the way
 *     live_input.c   the clip, a frame at a time
 *     live_output.c  frames out of what comes back
 *     live_events.c  what the runner claims, and the control channel
 */
#ifndef ASSAY_PROBE_LIVE_INT_H
#define ASSAY_PROBE_LIVE_INT_H

#include "probe/probe_int.h"

enum { STATE_TEXT_BYTES = 48 };

/* What the runner says of itself. */
struct claims {
    double fps;
    char state[STATE_TEXT_BYTES];
    int64_t restarts;
    bool loading;                   /* it said that it was */
    char error[PROBE_DETAIL_BYTES]; /* its last one, "" for none */
};

struct live {
    struct probe *probe;

    /* The job. */
    struct url transcoder;        /* without a slash at its end */
    struct http_exchange *asking; /* signer, start, or payment */
    struct grpc_call *terms;      /* asked for anew */
    bool starting;                /* the start request is on its way */
    bool running;                 /* the job was accepted */
    struct job_channels channels; /* with whole URLs */

    /* Input. */
    struct trickle_publisher *input;
    struct publisher clip;
    struct loop_timer frame;
    int64_t input_began_us;
    int64_t late_us; /* the most that a frame left after it was due */

    /* Output. */
    struct trickle_subscriber *output;
    struct mpegts_reader reader;
    uint64_t output_bytes;
    int64_t last_bytes_us;
    unsigned segments_out;

    /* Beside. */
    struct trickle_subscriber *events;
    struct trickle_publisher *control;
    struct loop_timer keepalive;
    struct buf event; /* the segment that is being read */
    struct claims claims;

    /* Limits and end. */
    struct live_stamps stamps;
    struct loop_timer tick;
    int64_t patience_until_us;
    int64_t silence_us;         /* that output may keep at the end */
    bool cut_short;             /* by us, before its length was over */
    uint64_t frames_at_tick[4]; /* of the last second, for progress */
    unsigned ticks;
    unsigned closing;          /* channels whose deletion is not answered yet */
    struct loop_timer give_up; /* on a start that is not answered */
    struct loop_timer verdict; /* on a channel that was closed */
};

/* ---- live_job.c ---------------------------------------------------------- */

/* Does what the payer wants next, unless it is being done: up to the start,
 * and for as long as the job runs. */
void live_pay(struct live *live);

/* ---- live.c -------------------------------------------------------------- */

/* The job was accepted; its channels are known. */
void live_accepted(struct live *live);

/* The input's or output's channel was closed: a moment later the run ends, and
 * what the runner says meanwhile may tell why. */
void live_was_closed(struct live *live);

/* When measuring ends: so long after the first frame, or when patience is at
 * its end. */
int64_t live_end_us(const struct live *live);

/* ---- live_input.c -------------------------------------------------------- */

void input_start(struct live *live);

/* ---- live_output.c ------------------------------------------------------- */

void output_start(struct live *live);

/* ---- live_events.c ------------------------------------------------------- */

void events_start(struct live *live);
void control_start(struct live *live);

#endif

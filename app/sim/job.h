/*
 * job.h: one live-video-to-video job: its channels, the runner that makes its
 * output, and its reports. For the files of this room.
 */
#ifndef ASSAY_SIM_JOB_H
#define ASSAY_SIM_JOB_H

#include "livepeer/livepeer.h"
#include "sim/network.h"

struct admission;

/* ---- reading a channel from within --------------------------------------- */

/* Reads a channel's segments one after the other, as a subscriber would, with
 * nothing in between. No callback may stop another follower of the channel. */
struct follower {
    struct trickle_channel *channel; /* null once it has ended */
    struct trickle_reader reader;
    void (*bytes)(void *context, const char *bytes, size_t length);
    void (*segment_end)(void *context);
    void (*ended)(void *context); /* the channel was closed */
    void *context;
};

/* From the newest segment on. The callbacks are set; none is called before
 * this returns unless there is something already. */
void follower_start(struct follower *follower, struct trickle_channel *channel);
void follower_stop(struct follower *follower);

/* ---- the runner ---------------------------------------------------------- */

enum { RATE_WINDOW = 512 };

/* The newest instants of something, for rates over the last seconds. */
struct rate {
    int64_t times_us[RATE_WINDOW];
    uint64_t count;
};

void rate_add(struct rate *rate, int64_t at_us);
/* Per second, over those of the last eleven seconds, first to last. */
double rate_now(const struct rate *rate, int64_t now_us);

struct frame;
struct sent_frame;

struct runner {
    struct job *job;
    struct retimer retimer;
    double fps;          /* highest output rate of this job */
    double latency_ms;   /* from frame in to frame out */
    struct draw jitter;  /* of its frames */
    struct frame *first; /* waiting to go out, in order */
    struct frame *last;
    struct loop_timer due; /* of the first */
    int64_t schedule_us;   /* when the last frame was due, before jitter */
    int64_t ready_us;      /* no output before: it warms up, or restarts */
    struct buf key;        /* the last keyframe, to begin output with */

    struct mpegts_writer writer;
    struct trickle_channel *output; /* held */
    struct trickle_writer segment;  /* with a channel while one is open */
    int64_t next_seq;
    size_t segment_bytes;
    struct buf packets;
    struct sent_frame *sent_first; /* written, but not yet with the kernel */
    struct sent_frame *sent_last;

    struct rate input_rate;
    struct rate output_rate;
    int64_t first_input_us; /* 0 before there is any, as the next three */
    int64_t last_input_us;
    int64_t first_output_us;
    int64_t last_output_us;
    uint64_t frames_in;
    uint64_t frames_out;
    uint64_t segments_in;
    bool segment_has_input; /* of the one being read */
    int64_t freeze_us;      /* when the next begins; INT64_MAX for never */
    int64_t restart_us;     /* the same */
    int64_t stop_us;        /* when a job that fails does so; the same */
    bool is_stopped;
    bool needs_key; /* the next frame out must be one */
};

void runner_start(struct runner *runner, struct job *job,
                  struct trickle_channel *output);
/* Frees; nothing more comes out. */
void runner_free(struct runner *runner);

/* Bytes of the input, and the end of one of its segments. */
void runner_input(struct runner *runner, const char *bytes, size_t length);
void runner_input_end(struct runner *runner);

/* The kernel has segment SEQ up to OFFSET since AT_US. */
void runner_sent(struct runner *runner, int64_t seq, size_t offset,
                 int64_t at_us);

/* ---- reports ------------------------------------------------------------- */

struct report {
    struct job *job;
    struct trickle_channel *events; /* held */
    struct loop_timer next;         /* status */
    int64_t params_us;              /* 0 before there were any */
    bool tell_params;               /* in the next status */
    int64_t restarted_us;           /* 0 before the first, as the next */
    int64_t error_us;
    char *error; /* owned, null before the first */
};

void report_start(struct report *report, struct job *job,
                  struct trickle_channel *events);
void report_free(struct report *report);

void report_params(struct report *report);
void report_restart(struct report *report);
void report_error(struct report *report, const char *sentence);

/* ---- the job ------------------------------------------------------------- */

struct job {
    struct orchestrator *orchestrator;
    struct job *before; /* others of the same orchestrator */
    struct job *after;
    uint64_t number;
    char id[ID_BYTES]; /* of its manifest, and of its channels */
    struct arena arena;
    const char *request_id;
    const char *stream_id;
    char *params; /* JSON, owned, null for none */
    struct container *container;
    bool cold;
    bool fails;
    int64_t received_us;
    int64_t accepted_us;

    bool is_billed;
    int64_t balance_wei;
    int64_t billed_us; /* until when; 0 before the first input */

    struct follower input;
    struct follower control;
    struct buf control_document; /* being read */
    struct runner runner;
    struct report report;
    const char *end_reason; /* null while it runs */
    struct loop_timer end;  /* is due when it has been given up */
    struct loop_timer no_input;
};

/* What a start asks for; borrowed. */
struct job_request {
    struct text request_id;
    struct text stream_id;
    struct text params; /* JSON, without bytes for none */
};

/* In the container that ADMISSION took; FAILS: it was drawn to fail later. */
struct job *job_begin(const struct admission *admission, bool fails);

/* Ends it, soon: at the bottom of the stack. The first reason counts. */
void job_give_up(struct job *job, const char *reason);
/* Ends it at once; only at the bottom of the stack. */
void job_end(struct job *job, const char *reason);

/* Begins a line of truth about JOB. */
struct json_writer *job_truth(struct job *job, const char *kind, int64_t at_us);

#endif

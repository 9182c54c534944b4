/*
 * measure.h: from stamps to the figures of a live run. Pure functions; the
 * registry of metrics (`assay metrics`) gives each figure's definition for
 * people, and says the same.
 *
 * A stamp is an instant on the monotonic clock in microseconds. An input frame
 * is sent when its last transport packet has been handed to the kernel, an
 * output frame arrives when its last transport packet arrives. Damaged frames
 * are none. Of frames only the differences are kept, 8 bytes each, and of no
 * more than FRAME_STAMPS_MAX: a run's memory is bounded, whatever comes.
 *
 * Jitter. Two definitions are in use, and both are computed, with the
 * population's standard deviation (divided by n), as the publisher's queries
 * have it (stddevPop):
 *   - of frame intervals: sigma / mu of the times between arrivals
 *     (publisher's metrics and SLA reference §2.2);
 *   - of frames per second: sigma / mu of the rates of whole seconds
 *     (publisher's query sets; NaaP RFC, section 4).
 * A rate counted in whole frames would jump by one frame wherever a second's
 * edge falls; so the number of frames that have arrived is taken to rise
 * linearly between two arrivals, and a steady stream has a steady rate.
 */
#ifndef ASSAY_PROBE_MEASURE_H
#define ASSAY_PROBE_MEASURE_H

#include "base/arena.h"
#include "journal/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An instant that did not come, a timestamp that was not given. */
#define NO_STAMP INT64_MIN

enum {
    FRAME_STAMPS_MAX = 16384, /* 11 minutes at 24 a second; 128 KB */
    MEASURE_SECONDS_MAX = 600
};

/* When frames were sent, or arrived. Zero-initialised: none. */
struct frame_stamps {
    int64_t first_us;
    int64_t first_pts; /* ticks of 90 kHz; NO_STAMP where it had none */
    int64_t last_us;
    int64_t last_pts;  /* the last one that was given */
    int64_t newest_us; /* of all frames; last_us is of those that are kept */
    size_t count;      /* frames that are kept, the first so many */
    uint64_t total;    /* frames there were */
    size_t capacity;
    int32_t *gaps_us;  /* to the frame before; 0 for the first */
    int32_t *gaps_pts; /* the same of timestamps; INT32_MIN: had none, or one
                          more than six hours off */
};

/* AT_US must not go back. */
void frame_stamps_add(struct frame_stamps *stamps, int64_t at_us, int64_t pts);
void frame_stamps_free(struct frame_stamps *stamps);

/* ---- single figures; NaN where there are too few frames ------------------ */

/* (n - 1) / (t_n - t_1), per second. */
double measure_fps(const struct frame_stamps *stamps);

/* The rates of the whole seconds from the first frame on, up to MAX of them;
 * returns how many. */
size_t measure_seconds(const struct frame_stamps *stamps, double *rates,
                       size_t max);

/* sigma / mu of the intervals; needs two of them. */
double measure_jitter_interval(const struct frame_stamps *stamps);

/* sigma / mu of the whole seconds' rates; needs two of them. */
double measure_jitter_fps(const struct frame_stamps *stamps);

/* The longest interval, ms. */
double measure_freeze_ms(const struct frame_stamps *stamps);

/* ---- latency ------------------------------------------------------------- */

/* Why output frames cannot be told to be of which input frames. */
enum latency_reason {
    LATENCY_MEASURED,
    LATENCY_NO_OUTPUT,          /* fewer than two frames came */
    LATENCY_NO_TIMESTAMPS,      /* frames came without any */
    LATENCY_TIMESTAMPS_SHIFTED, /* moved by an unknown constant, or others
                                   that keep the step of ours */
    LATENCY_TIMESTAMPS_RENEWED  /* others, counted at a rate of their own */
};

/* "timestamps_shifted"; null for LATENCY_MEASURED. */
const char *latency_reason_name(enum latency_reason reason);

struct latency {
    enum latency_reason reason;
    size_t matched; /* input frames that came back */
    double p50_ms;  /* order statistics of rank floor(q (n - 1)), from 0 */
    double p95_ms;
    double p99_ms;
};

/*
 * An output frame is of the input frame whose presentation timestamp it has,
 * both taken modulo 2^33, to within half a millisecond, because containers on
 * the way may count in milliseconds. Each input frame counts once, when it
 * first comes back. At least nine tenths of the output frames must match an
 * input frame that was sent before, no more than four of them the same one on
 * average; otherwise the runner makes timestamps of its own, and frames that
 * match do so by chance.
 */
struct latency measure_latency(struct arena *arena,
                               const struct frame_stamps *sent,
                               const struct frame_stamps *received);

/* ---- the whole ----------------------------------------------------------- */

/* What happened in a live run; NO_STAMP where it did not. */
struct live_stamps {
    int64_t request_us;  /* the start request, which has the prompt, is sent */
    int64_t accepted_us; /* its answer is there, and accepts */
    int64_t first_segment_sent_us;     /* the first input segment is sent to its
                                          end */
    int64_t first_segment_received_us; /* the first output segment is there to
                                          its end */
    int64_t third_segment_received_us;
    struct frame_stamps sent;
    struct frame_stamps received;
};

void live_stamps_init(struct live_stamps *stamps);
void live_stamps_free(struct live_stamps *stamps);

/* Sets the figures of RUN that follow from STAMPS: startup_ms to e2e_p99_ms,
 * e2e_reason, input_fps, first_segment_ms, frames_in and frames_out. ARENA is
 * for the work alone: nothing of RUN lies in it. */
void measure_live(struct arena *arena, const struct live_stamps *stamps,
                  struct run *run);

enum { LIVE_SERIES_COUNT = 4 };

/* The raw samples: sent_us, sent_pts, received_us, received_pts, allocated in
 * ARENA. Stamps since the start request; timestamps in ticks, -1 where a frame
 * had none. */
void live_series(struct arena *arena, const struct live_stamps *stamps,
                 struct sample_series series[LIVE_SERIES_COUNT]);

#endif

/*
 * own.c: the figures of one own measurement, a run.
 */
#include "metrics/metrics_int.h"

const struct metric own_metrics[] = {
    {.name = "outcome",
     .sets = METRIC_RUN,
     .title = "what became of the run",
     .unit = "text",
     .definition =
         "One of five words. ok: everything asked for was measured. failed: "
         "the orchestrator is the cause. busy: it works and has no room. "
         "excused: we are the cause (credentials, money, being stopped). "
         "vantage_suspect: the place we measure from was in doubt at the time, "
         "by the rule for control targets. Rates of success are made of ok and "
         "failed alone.",
     .source = "this program"},
    {.name = "reason",
     .sets = METRIC_RUN,
     .title = "why it became that",
     .unit = "text",
     .definition = "One word of the closed list below; the first thing that "
                   "went wrong decides.",
     .null_when = "the outcome is ok",
     .source = "this program; messages and codes of go-livepeer "
               "(server/ai_http.go, server/rpc.go, remote_signer.go)"},

    {.name = "startup_ms",
     .sets = METRIC_RUN,
     .title = "start accepted",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .definition =
         "From sending the start request (POST /live-video-to-video) to the "
         "arrival of the answer that accepts it. The published startup latency "
         "goes on to the first output segment and includes the gateway's "
         "selection; it is another quantity.",
     .formula = "t(answer has arrived) - t(request handed to the kernel)",
     .null_when = "the job was not accepted, or the kind of run starts none",
     .source = "this program"},
    {.name = "ptff_ms",
     .sets = METRIC_RUN,
     .title = "prompt to first frame",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "avg_prompt_to_first_frame_ms",
     .definition =
         "From sending the start request, which carries the prompt, to the "
         "arrival of the first complete output frame. A frame is complete when "
         "its last transport packet has arrived and nothing of it is missing. "
         "The network's own figure ends at the third output segment and "
         "begins at the runner's start time; see playable_ms and the published "
         "definition. It is compared with recomputed rows only, because no "
         "published row carries it.",
     .formula = "t(last packet of the first output frame) - t(start request "
                "handed to the kernel)",
     .null_when = "no complete frame arrived",
     .source = "NaaP RFC, section 4 (prompt-to-first-frame); publisher's "
               "metrics and SLA reference §2.6"},
    {.name = "playable_ms",
     .sets = METRIC_RUN,
     .title = "prompt to playable",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .definition =
         "From sending the start request to the end of the third output "
         "segment: what gateways call playable "
         "(gateway_receive_few_processed_segments).",
     .formula = "t(third output segment has ended) - t(start request handed to "
                "the kernel)",
     .null_when = "fewer than three output segments arrived whole",
     .source = "go-livepeer (server/ai_live_video.go); NaaP metrics "
               "scratchpad (prompt to playable)"},
    {.name = "output_fps",
     .sets = METRIC_RUN,
     .title = "output frames per second, as delivered",
     .unit = "1/s",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "avg_output_fps",
     .definition =
         "The rate at which complete output frames arrived, from the first to "
         "the last, freezes included. Timestamps in the stream play no part: "
         "they say what the encoder meant, not what was delivered. What the "
         "runner reports about itself is reported_fps.",
     .formula = "(n - 1) / (t_n - t_1), t_i the arrival of frame i",
     .null_when = "fewer than two frames arrived, or all at one instant",
     .source = "NaaP RFC, section 4 (output FPS)"},
    {.name = "jitter_interval",
     .sets = METRIC_RUN,
     .title = "jitter coefficient of frame intervals",
     .unit = "ratio",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .counterpart = "fps_jitter_coefficient",
     .target = "at most 0.1 (publisher's metrics and SLA reference §2.2)",
     .definition =
         "The coefficient of variation of the times between arrivals of "
         "consecutive complete output frames, with the population's standard "
         "deviation (divided by n, not n - 1). A stream that arrives in bursts "
         "of whole segments has a high value even where its mean rate is "
         "right. The published field of this name is always null.",
     .formula = "sigma(d) / mu(d), d_i = t_(i+1) - t_i",
     .null_when = "fewer than two intervals, or all frames at one instant",
     .source = "publisher's metrics and SLA reference §2.2; its selection of "
               "intervals as in RFC 3393"},
    {.name = "jitter_fps",
     .sets = METRIC_RUN,
     .title = "jitter coefficient of frames per second",
     .unit = "ratio",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .counterpart = "fps_jitter_coefficient",
     .target = "at most 0.1 (NaaP RFC, section 4)",
     .definition =
         "The coefficient of variation of the rates of the whole seconds from "
         "the first frame's arrival on, with the population's standard "
         "deviation (the publisher's queries: stddevPop). Between two arrivals "
         "the number of frames is taken to rise linearly, so that a steady "
         "stream has a steady rate wherever the edges of seconds fall; counted "
         "in whole frames, a steady 24 would show a jitter of up to 0.02. "
         "The second that the last frame lies in is left out. The publisher "
         "applies the same formula to the runner's own reports of ten seconds "
         "each.",
     .formula = "sigma(r) / mu(r), r_k = N(t_1 + k + 1 s) - N(t_1 + k s), N "
                "piecewise linear with N(t_i) = i",
     .null_when = "fewer than two whole seconds",
     .source = "NaaP RFC, section 4 (jitter coefficient); publisher's query "
               "sets"},
    {.name = "freeze_ms",
     .sets = METRIC_RUN,
     .title = "longest freeze",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .definition = "The longest time between two consecutive arrivals of "
                   "complete output frames. Waiting for the first frame is "
                   "ptff_ms, and silence after the last one is the outcome "
                   "output_stopped; neither counts here.",
     .formula = "max(t_(i+1) - t_i)",
     .null_when = "fewer than two frames arrived",
     .source = "this program"},
    {.name = "e2e_p50_ms",
     .sets = METRIC_RUN,
     .title = "median latency of frames",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'Q',
     .comparability = '-',
     .target = "at most 3000 on average (publisher's metrics and SLA reference "
               "§2.3)",
     .definition =
         "From sending an input frame to the arrival of the output frame with "
         "the same presentation timestamp (modulo 2^33, to within half a "
         "millisecond), last packet to last packet, on one clock. Each input "
         "frame counts once, at its first return; frames that never return "
         "do not count here but show in the rate. If fewer than nine tenths of "
         "the output frames match, the runner makes timestamps of its own, and "
         "there is no figure. This is not the published avg_e2e_latency_ms; "
         "see first_segment_ms.",
     .formula = "order statistic of rank floor(0.5 (n - 1)), counted from 0",
     .null_when = "timestamps cannot be matched; e2e_reason says why",
     .source = "NaaP RFC, section 4 (E2E stream latency); RFC 7679 for "
               "the clock and what counts as sent"},
    {.name = "e2e_p95_ms",
     .sets = METRIC_RUN,
     .title = "95th percentile of the latency of frames",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'Q',
     .comparability = '-',
     .definition = "As e2e_p50_ms.",
     .formula = "order statistic of rank floor(0.95 (n - 1)), counted from 0",
     .null_when = "timestamps cannot be matched; e2e_reason says why",
     .source = "as e2e_p50_ms"},
    {.name = "e2e_p99_ms",
     .sets = METRIC_RUN,
     .title = "99th percentile of the latency of frames",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'Q',
     .comparability = '-',
     .definition = "As e2e_p50_ms.",
     .formula = "order statistic of rank floor(0.99 (n - 1)), counted from 0",
     .null_when = "timestamps cannot be matched; e2e_reason says why",
     .source = "as e2e_p50_ms"},
    {.name = "e2e_reason",
     .sets = METRIC_RUN,
     .title = "why there is no latency of frames",
     .unit = "text",
     .definition =
         "no_output: fewer than two frames came. no_timestamps: more than half "
         "of them had none. timestamps_shifted: they are an unknown constant "
         "away from ours, or count anew in the same steps. timestamps_renewed: "
         "they count at a rate of their own, or leap, or stand still.",
     .null_when = "latencies were measured, or the kind of run has none",
     .source = "this program"},
    {.name = "first_segment_ms",
     .sets = METRIC_RUN,
     .title = "first segment sent to first segment received",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = 'B',
     .counterpart = "avg_e2e_latency_ms",
     .definition =
         "From the moment the first input segment has been sent to its end to "
         "the moment the first output segment has arrived to its end: what the "
         "publisher measures where a gateway reports no latency of its own, "
         "seen from outside. It contains the length of a segment and the "
         "loading of the model, and is not the latency of a frame.",
     .formula = "t(first output segment has ended) - t(first input segment "
                "has ended)",
     .null_when = "one of them did not end, or the output ended first",
     .source = "publisher's resolver (e2e latency of sessions): first ingest "
               "segment sent to first processed segment"},
    {.name = "input_fps",
     .sets = METRIC_RUN,
     .title = "input frames per second, as sent",
     .unit = "1/s",
     .direction = NEITHER_IS_BETTER,
     .comparability = '-',
     .statistics = '-',
     .definition = "The rate at which we really sent frames, by the instants "
                   "at which their last packets were handed to the kernel. "
                   "Where it is not near the clip's 24, the run says little "
                   "about output_fps.",
     .formula = "(n - 1) / (t_n - t_1)",
     .null_when = "fewer than two frames were sent",
     .source = "this program"},
    {.name = "frames_in",
     .sets = METRIC_RUN,
     .title = "frames sent",
     .unit = "count",
     .definition = "Input frames whose last packet was handed to the kernel.",
     .null_when = "the kind of run sends none",
     .source = "this program"},
    {.name = "frames_out",
     .sets = METRIC_RUN,
     .title = "frames received",
     .unit = "count",
     .direction = HIGHER_IS_BETTER,
     .definition = "Complete output frames that arrived. Damaged ones, of "
                   "which packets are missing, are not among them.",
     .null_when = "the kind of run receives none",
     .source = "this program"},
    {.name = "segments_in",
     .sets = METRIC_RUN,
     .title = "segments sent",
     .unit = "count",
     .definition = "Input segments that were sent to their end.",
     .formula = "count of segments that were answered 200",
     .null_when = "the kind of run sends none",
     .source = "trickle protocol"},
    {.name = "segments_out",
     .sets = METRIC_RUN,
     .title = "segments received",
     .unit = "count",
     .definition = "Output segments that arrived to their end.",
     .formula = "count of whole segments",
     .null_when = "the kind of run receives none",
     .source = "trickle protocol"},
    {.name = "bytes_in",
     .sets = METRIC_RUN,
     .title = "bytes of video sent",
     .unit = "bytes",
     .definition = "Bytes of input segments, without the protocol around them.",
     .null_when = "the kind of run sends none",
     .source = "this program"},
    {.name = "bytes_out",
     .sets = METRIC_RUN,
     .title = "bytes of video received",
     .unit = "bytes",
     .definition =
         "Bytes of output segments, without the protocol around them.",
     .null_when = "the kind of run receives none",
     .source = "this program"},

    {.name = "reported_fps",
     .sets = METRIC_RUN,
     .title = "output frames per second, as claimed",
     .unit = "1/s",
     .direction = HIGHER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .counterpart = "output_fps",
     .definition = "What the runner said of itself: inference_status.fps of "
                   "its last status event during the run. Kept beside "
                   "output_fps; a difference is a finding.",
     .formula = "inference_status.fps of the last status event that has one",
     .null_when = "no status event with a rate arrived",
     .source = "runner's status events (ai-runner, "
               "runner/src/runner/live/process/status.py)"},
    {.name = "reported_state",
     .sets = METRIC_RUN,
     .title = "state, as claimed",
     .unit = "text",
     .definition = "The state of the runner's last status event during the "
                   "run: LOADING, OFFLINE, ONLINE, DEGRADED_INPUT, "
                   "DEGRADED_INFERENCE, ERROR, or another word.",
     .null_when = "no status event arrived",
     .source = "runner's status events"},
    {.name = "restarts",
     .sets = METRIC_RUN,
     .title = "restarts of the runner",
     .unit = "count",
     .direction = LOWER_IS_BETTER,
     .definition = "Restart events of the runner during the run. The runner's "
                   "own restart_count goes on over streams and is not used.",
     .formula = "count of restart events",
     .null_when = "the events channel was never open",
     .source = "runner's restart events"},
    {.name = "cold",
     .sets = METRIC_RUN,
     .title = "whether the model had to be loaded",
     .unit = "0 or 1",
     .definition =
         "1 where the orchestrator said before the run that the model "
         "is not warm, or the runner reported the state LOADING "
         "during it; else 0. Cold and warm runs are never averaged "
         "together.",
     .formula = "1 where not warm before, or LOADING during the run, else 0",
     .null_when = "it does not offer the model, and no runner reported",
     .source = "runner's status events; GetOrchestrator, model constraints"},

    {.name = "cost_wei",
     .sets = METRIC_RUN,
     .title = "cost of the run",
     .unit = "wei",
     .direction = LOWER_IS_BETTER,
     .definition = "The expected value of all tickets that were handed over "
                   "for the run, winning or not.",
     .formula = "sum of face value * win probability / (2^256 - 1)",
     .null_when = "nothing was asked for: off-chain, or never started",
     .source = "Livepeer probabilistic micropayments (TicketBroker)"},
    {.name = "price_wei",
     .sets = METRIC_RUN,
     .title = "price of a second",
     .unit = "wei",
     .direction = LOWER_IS_BETTER,
     .definition = "What the orchestrator asks for one second of live video, "
                   "which it bills as 27,648,000 pixels (1280 x 720 at 30 a "
                   "second) whatever the format is; rounded up.",
     .formula = "ceil(27648000 * price per unit / pixels per unit)",
     .null_when = "it named no price: off-chain",
     .source = "GetOrchestrator, price_info; go-livepeer "
               "(server/live_payment.go)"},

    {.name = "dns_ms",
     .sets = METRIC_RUN,
     .title = "name looked up",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .definition =
         "Time that name servers took to give the addresses of the host's "
         "name, by the kernel's stamps of questions and answers. A name that "
         "stands in a file takes the processor time of looking there.",
     .formula = "t(last answer has arrived) - t(first question has left)",
     .null_when = "the URL holds an address, a connection was kept, or no "
                  "address was found",
     .source = "this program"},
    {.name = "connect_ms",
     .sets = METRIC_RUN,
     .title = "connection made",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .definition = "Time from asking for the TCP connection to having it: one "
                   "round trip, and the best plain measure of distance. Where "
                   "a packet had to be repeated, the time that passed until "
                   "the connection was used.",
     .formula = "t(SYN-ACK has arrived) - t(SYN has left)",
     .null_when = "a connection was kept, or none came about",
     .source = "this program"},
    {.name = "tls_ms",
     .sets = METRIC_RUN,
     .title = "TLS handshake",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .definition = "From the first byte of the handshake sent to its last byte "
                   "received, the arithmetic of both sides included.",
     .formula = "t(last handshake bytes have arrived) - t(first ones have "
                "left)",
     .null_when = "a connection was kept, is not encrypted, or the handshake "
                  "did not succeed",
     .source = "RFC 8446"},
    {.name = "rpc_ms",
     .sets = METRIC_RUN,
     .title = "GetOrchestrator answered",
     .unit = "ms",
     .direction = LOWER_IS_BETTER,
     .statistics = 'M',
     .comparability = '-',
     .definition = "From the first byte of the call GetOrchestrator sent, on a "
                   "connection that stands, to the last byte of its answer, by "
                   "the kernel's stamps where it gives them.",
     .formula = "t(last bytes of the answer have arrived) - t(first bytes of "
                "the call have left)",
     .null_when = "the call was not answered",
     .source = "go-livepeer (net/lp_rpc.proto)"},
    {.name = "tls_key_sha256",
     .sets = METRIC_RUN,
     .title = "certificate key",
     .unit = "text",
     .definition = "SHA-256 of the certificate's public key "
                   "(SubjectPublicKeyInfo), hexadecimal. Orchestrators make a "
                   "new key at every start, so a change tells of a restart.",
     .null_when = "no handshake took place",
     .source = "RFC 7469 §2.4 (pins)"},
    {.name = "version",
     .sets = METRIC_RUN,
     .title = "version, as claimed",
     .unit = "text",
     .definition = "The version in the orchestrator's capabilities.",
     .null_when = "it named none",
     .source = "GetOrchestrator, capabilities.version"},
    {.name = "idle",
     .sets = METRIC_RUN,
     .title = "idle containers",
     .unit = "count",
     .direction = HIGHER_IS_BETTER,
     .definition = "Containers of this model that the orchestrator says are "
                   "idle, asked before the run.",
     .null_when = "it does not offer the model",
     .source = "GetOrchestrator, ModelConstraint.capacity"},
    {.name = "busy",
     .sets = METRIC_RUN,
     .title = "busy containers",
     .unit = "count",
     .definition = "Containers of this model that the orchestrator says are in "
                   "use, asked before the run.",
     .null_when = "it does not offer the model",
     .source = "GetOrchestrator, ModelConstraint.capacityInUse"},

#define SHARE(field, phrase, of)                                               \
    {                                                                          \
        .name = field "_share", .sets = METRIC_PROMPTS, .title = phrase,       \
        .unit = "ratio", .statistics = '-', .comparability = '-',              \
        .definition =                                                          \
            "Share of the variance of " of " between runs of a model on one "  \
            "orchestrator that their prompts explain: the intraclass "         \
            "correlation of random prompts beside fixed blocks, over runs "    \
            "that are ok; a block is an orchestrator from one vantage, cold "  \
            "and warm apart. Prompts and blocks are fitted at once, so that "  \
            "it does not matter which prompts an orchestrator happened to "    \
            "get. Unlike a plain share of squares it is not raised by chance " \
            "where runs are few, and may come out below 0, which means that "  \
            "no share can be told.",                                           \
        .formula =                                                             \
            "(F - 1) / (F + n0 - 1), F = (q'C^-q / r) / (W / f), with "        \
            "C = diag(n_g) - N diag(1/n_b) N' for N runs of prompt g in "      \
            "block b, q a prompt's sum of values less their block's mean, "    \
            "r = rank C, n0 = tr C / r, W the sum of squares that the fit "    \
            "leaves, and f = runs - blocks - r",                               \
        .null_when = "fewer than 3 prompts can be compared within blocks (or " \
                     "there are more than 512), f is below 10, or nothing "    \
                     "differs within prompts",                                 \
        .source = "Henderson 1953, method 3; Searle, Casella and McCulloch "   \
                  "1992, chapter 5"                                            \
    }
#define SHARE_END(field, phrase, tail)                                         \
    {                                                                          \
        .name = field, .sets = METRIC_PROMPTS, .title = phrase,                \
        .unit = "ratio", .statistics = '-', .comparability = '-',              \
        .definition =                                                          \
            "End of the 95 % interval of that share, by the F distribution "   \
            "with r and f degrees of freedom; exact for normal figures where " \
            "every prompt ran equally often in every block, else an "          \
            "approximation (91 to 97 % in simulations of prompts drawn at "    \
            "random).",                                                        \
        .formula = "(F / p - 1) / (F / p + n0 - 1), p the " tail               \
                   " quantile of the F distribution",                          \
        .null_when = "the share is null",                                      \
        .source = "Shrout and Fleiss 1979, with n0 for the size"               \
    }
    SHARE("output_fps", "prompts' share of the frame rate", "output_fps"),
    SHARE_END("output_fps_share_low", "the same, at the least", "97.5 %"),
    SHARE_END("output_fps_share_high", "the same, at the most", "2.5 %"),
    SHARE("ptff_ms", "prompts' share of prompt to first frame", "ptff_ms"),
    SHARE_END("ptff_ms_share_low", "the same, at the least", "97.5 %"),
    SHARE_END("ptff_ms_share_high", "the same, at the most", "2.5 %"),
    {.name = "runs",
     .sets = METRIC_PROMPTS,
     .title = "runs",
     .unit = "count",
     .definition = "Live runs of the model that are ok and had a prompt.",
     .source = "this program"},
    {.name = "prompts",
     .sets = METRIC_PROMPTS,
     .title = "prompts",
     .unit = "count",
     .definition = "Different prompts among those runs.",
     .source = "this program"},
    {.name = "orchestrators",
     .sets = METRIC_PROMPTS,
     .title = "orchestrators",
     .unit = "count",
     .definition = "Different orchestrators among those runs, by their URL.",
     .source = "this program"},
    {.name = NULL},
};

/*
 * days.c: seeded days of the network's telemetry, as gateways tell it.
 *
 *     days SEED FIRST COUNT EVENTS
 *
 * Writes COUNT days from the FIRST-th of 2026 on, about EVENTS events each, as
 * lines to standard output: each day's sessions with all that becomes of them
 * (some run past midnight) and its capability snapshots, in the order of time.
 * A day depends on SEED and its number alone, the orchestrators on SEED.
 *
 * Shapes and frequencies of events are those of the network's published
 * samples: a session has about a hundred events, every 5 s one on its input,
 * every 10 s a status, every 30 s a payment; orchestrators are chosen by a law
 * in which few have most; every ten minutes some of them tell what they offer,
 * every six hours all.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ORCHESTRATORS = 100,
    MODELS = 5,
    GPUS = 8,
    GATEWAYS = 4,
    EVENTS_PER_SESSION = 98,
    SNAPSHOT_EVERY_MS = 600000,
    SNAPSHOTS_FULL = 36, /* one in so many tells all */
    OUTPUT_BYTES = 1 << 18
};

static const int64_t DAY_MS = 86400000;
static const int64_t YEAR_START_MS = 1767225600000; /* 2026 */

static const char *const models[MODELS] = {
    "streamdiffusion-sdxl-faceid", "streamdiffusion-sdxl",
    "streamdiffusion-sdturbo-v2v", "comfyui", "noop"};
static const double model_fps[MODELS] = {17.5, 19, 24, 14, 29.5};
static const double model_latency_ms[MODELS] = {780, 690, 420, 1150, 160};
static const double model_share[MODELS] = {0.4, 0.25, 0.2, 0.1, 0.05};

static const struct gpu {
    const char *name;
    int64_t memory_bytes;
    double slowness;
} gpus[GPUS] = {{"NVIDIA GeForce RTX 5090", 34190917632, 0.8},
                {"NVIDIA GeForce RTX 4090", 25757220864, 1},
                {"NVIDIA GeForce RTX 3090", 25769803776, 1.35},
                {"NVIDIA L40S", 48305799168, 1.05},
                {"NVIDIA H100 80GB HBM3", 85520809984, 0.78},
                {"NVIDIA A100-SXM4-80GB", 85899345920, 0.95},
                {"NVIDIA RTX 6000 Ada Generation", 51527024640, 1.02},
                {"NVIDIA L4", 24152899584, 1.7}};

static const char *const gateways[GATEWAYS] = {
    "", "10.0.1.42:8935", "10.0.1.43:8935", "gw-eu-1.livepeer.cloud:8935"};

/* ---- chance -------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
struct chance {
    uint64_t state;
};

static uint64_t draw(struct chance *chance)
{
    uint64_t word = chance->state += 0x9e3779b97f4a7c15;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
    word = (word ^ word >> 27) * 0x94d049bb133111eb;
    return word ^ word >> 31;
}

static double uniform(struct chance *chance)
{
    return (double)(draw(chance) >> 11) * 0x1p-53;
}

/* From LEAST up to, not with, END. */
static int64_t between(struct chance *chance, int64_t least, int64_t end)
{
    return least + (int64_t)(draw(chance) % (uint64_t)(end - least));
}

static double gauss(struct chance *chance)
{
    double radius = sqrt(-2 * log(1 - uniform(chance)));
    return radius * cos(6.283185307179586 * uniform(chance));
}

static bool happens(struct chance *chance, double probability)
{
    return uniform(chance) < probability;
}

/* The number of the first share that is not spent. */
static int choose(struct chance *chance, const double *shares, int count)
{
    double left = uniform(chance);
    for (int i = 0; i < count; i++)
        if ((left -= shares[i]) < 0)
            return i;
    return count - 1;
}

static void draw_hex(struct chance *chance, char *out, int digits)
{
    for (int i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[draw(chance) >> 60];
    out[digits] = '\0';
}

static void draw_uuid(struct chance *chance, char out[37])
{
    draw_hex(chance, out, 36);
    out[8] = out[13] = out[18] = out[23] = '-';
    out[14] = '4';
}

/* ---- orchestrators ------------------------------------------------------- */

struct orchestrator {
    char address[43]; /* the recipient of tickets */
    char signing[43]; /* what traces tell */
    char url[64];
    char gpu_ids[4][41];
    int gpu_count;
    int gpu;
    bool offers[MODELS];
    double slowness;
    double failing;
    int64_t price_wei;
    double share; /* of the sessions of each model, before the others' */
};

static struct orchestrator orchestrators[ORCHESTRATORS];
static char senders[GATEWAYS][43];

static void draw_address(struct chance *chance, char out[43])
{
    memcpy(out, "0x", 2);
    draw_hex(chance, out + 2, 40);
}

static void make_orchestrator(struct chance *chance, int number)
{
    struct orchestrator *one = &orchestrators[number];
    draw_address(chance, one->address);
    draw_address(chance, one->signing);
    snprintf(one->url, sizeof one->url, "https://orch-%d.example.network:%d",
             number, 8935 + number % 50);
    one->gpu_count = (int[]){1, 1, 1, 2, 2, 4}[between(chance, 0, 6)];
    for (int i = 0; i < one->gpu_count; i++) {
        memcpy(one->gpu_ids[i], "GPU-", 4);
        draw_uuid(chance, one->gpu_ids[i] + 4);
    }
    one->gpu = (int)between(chance, 0, GPUS);
    for (int64_t left = between(chance, 1, 4); left; left--)
        one->offers[between(chance, 0, MODELS)] = true;
    one->slowness = exp(0.25 * gauss(chance)) * gpus[one->gpu].slowness;
    one->failing = fmin(0.5, -log(1 - uniform(chance)) / 30);
    one->price_wei = between(chance, 800, 2400);
    one->share = pow(number + 1, -0.7);
}

static void make_network(uint64_t seed)
{
    struct chance chance = {seed};
    for (int i = 0; i < ORCHESTRATORS; i++)
        make_orchestrator(&chance, i);
    for (int i = 0; i < MODELS; i++)
        orchestrators[i].offers[i] = true; /* each is offered by somebody */
    for (int i = 0; i < GATEWAYS; i++)
        draw_address(&chance, senders[i]);
}

static const struct orchestrator *choose_orchestrator(struct chance *chance,
                                                      int model)
{
    double shares[ORCHESTRATORS];
    double all = 0;
    for (int i = 0; i < ORCHESTRATORS; i++)
        all += orchestrators[i].offers[model] ? orchestrators[i].share : 0;
    for (int i = 0; i < ORCHESTRATORS; i++)
        shares[i] =
            orchestrators[i].offers[model] ? orchestrators[i].share / all : 0;
    return &orchestrators[choose(chance, shares, ORCHESTRATORS)];
}

/* ---- events of one session ----------------------------------------------- */

enum kind {
    REQUEST,
    DISCOVERY,
    NONE_AVAILABLE,
    FIRST_INGEST,
    RUNNER_INGEST,
    RUNNER_PROCESSED,
    FIRST_PROCESSED,
    FEW_PROCESSED,
    INPUT,
    STATUS,
    PAYMENT,
    SWAP,
    CLOSED,
    KINDS
};

static const char *const trace_types[KINDS] = {
    [REQUEST] = "gateway_receive_stream_request",
    [NONE_AVAILABLE] = "gateway_no_orchestrators_available",
    [FIRST_INGEST] = "gateway_send_first_ingest_segment",
    [RUNNER_INGEST] = "runner_receive_first_ingest_segment",
    [RUNNER_PROCESSED] = "runner_send_first_processed_segment",
    [FIRST_PROCESSED] = "gateway_receive_first_processed_segment",
    [FEW_PROCESSED] = "gateway_receive_few_processed_segments",
    [SWAP] = "orchestrator_swap",
    [CLOSED] = "gateway_ingest_stream_closed"};

/* When each kind comes next; INT64_MAX for never. */
struct session {
    struct chance chance;
    int64_t next_ms[KINDS];
    int64_t due_ms; /* the least of them */
    int64_t began_ms;
    const struct orchestrator *orchestrator;
    int gateway;
    int model;
    bool failing;
    char stream[24];
    char request[9];
    char payment_session[9];
    char parameters_hash[33];
    int64_t parameters_ms;
    int64_t received_bytes;
    int64_t sent_bytes;
    int restarts;
};

static void begin_line(struct session *session, int64_t ms, const char *type)
{
    char id[37];
    draw_uuid(&session->chance, id);
    printf("{\"id\":\"%s\",\"type\":\"%s\",\"timestamp\":\"%lld\","
           "\"gateway\":\"%s\",\"data\":",
           id, type, (long long)ms, gateways[session->gateway]);
}

static void write_trace(struct session *session, int64_t ms, enum kind kind)
{
    bool chosen = kind >= FIRST_INGEST && kind != CLOSED;
    begin_line(session, ms, "stream_trace");
    printf("{\"orchestrator_info\":{\"address\":\"%s\",\"url\":\"%s\"},"
           "\"pipeline_id\":\"\",\"request_id\":\"%s\",\"stream_id\":\"%s\","
           "\"timestamp\":%lld,\"type\":\"%s\"%s}}\n",
           chosen ? session->orchestrator->signing : "",
           chosen ? session->orchestrator->url : "", session->request,
           session->stream, (long long)ms, trace_types[kind],
           kind == SWAP ? ",\"pipeline\":\"live-video-to-video\",\"message\":"
                          "\"trickle subscribe error, swapping: EOF\""
                        : "");
}

static void write_discovery(struct session *session, int64_t ms)
{
    int64_t count = (int64_t[]){1, 2, 3, 5}[between(&session->chance, 0, 4)];
    begin_line(session, ms, "discovery_results");
    for (int64_t i = 0; i < count; i++) {
        const struct orchestrator *one =
            i ? choose_orchestrator(&session->chance, session->model)
              : session->orchestrator;
        printf("%s{\"address\":\"%s\",\"latency_ms\":\"%lld\",\"url\":\"%s\"}",
               i ? "," : "[", one->signing,
               (long long)between(&session->chance, 15, 400), one->url);
    }
    puts("]}");
}

static void write_payment(struct session *session, int64_t ms)
{
    const struct orchestrator *one = session->orchestrator;
    begin_line(session, ms, "create_new_payment");
    printf("{\"capability\":\"\",\"clientIP\":\"\",\"faceValue\":"
           "\"2402400000000000 WEI\",\"manifestID\":\"35_%s\","
           "\"numTickets\":\"%lld\",\"orchestrator\":\"%s\",\"price\":"
           "\"%.3f wei/pixel\",\"recipient\":\"%s\",\"requestID\":\"%s\","
           "\"sender\":\"%s\",\"sessionID\":\"%s\",\"winProb\":"
           "\"0.0009990010\"}}\n",
           models[session->model], (long long)between(&session->chance, 1, 4),
           one->url, (double)one->price_wei * 1.0105, one->address,
           session->request, senders[session->gateway],
           session->payment_session);
}

static void write_input(struct session *session, int64_t ms)
{
    struct chance *chance = &session->chance;
    double seconds = (double)(ms - session->began_ms) / 1000;
    int64_t lost = happens(chance, 0.04) ? between(chance, 1, 30) : 0;
    double round_trip_ms = happens(chance, 0.7) ? 0 : 8 + 172 * uniform(chance);
    session->received_bytes += between(chance, 300000, 700000);
    session->sent_bytes += between(chance, 2000, 6000);
    begin_line(session, ms, "stream_ingest_metrics");
    printf("{\"pipeline_id\":\"\",\"request_id\":\"%s\",\"stats\":{"
           "\"peer_conn_stats\":{\"ID\":\"iceTransport\",\"BytesReceived\":"
           "%lld,\"BytesSent\":%lld},\"track_stats\":[{\"type\":\"video\","
           "\"jitter\":%.16g,\"packets_lost\":%lld,\"packets_received\":%lld,"
           "\"packet_loss_pct\":%.16g,\"rtt\":%.1f,\"last_input_ts\":%.4f,"
           "\"last_output_ts\":0,\"latency\":0},",
           session->request, (long long)session->received_bytes,
           (long long)session->sent_bytes, -log(1 - uniform(chance)) / 0.12,
           (long long)lost, (long long)session->received_bytes / 1150,
           (double)lost / 4.13, round_trip_ms, seconds);
    printf("{\"type\":\"audio\",\"jitter\":%.16g,\"packets_lost\":0,"
           "\"packets_received\":%lld,\"packet_loss_pct\":0,\"rtt\":0,"
           "\"last_input_ts\":%.4f,\"last_output_ts\":0,\"latency\":0}],"
           "\"conn_quality\":\"%s\"},\"stream_id\":\"%s\",\"timestamp\":%lld"
           "}}\n",
           -log(1 - uniform(chance)) / 0.06, (long long)(seconds * 50),
           seconds - 0.03, lost > 15 ? "bad" : "good", session->stream,
           (long long)ms);
}

static const char *draw_state(struct session *session)
{
    static const char *const states[] = {"ONLINE", "DEGRADED_INPUT",
                                         "DEGRADED_INFERENCE", "OFFLINE"};
    static const double shares[] = {0.96, 0.02, 0.017, 0.003};
    if (session->failing)
        return "LOADING";
    return states[choose(&session->chance, shares, 4)];
}

static const char *draw_error(struct session *session)
{
    static const char *const errors[] = {
        "\"pipeline failed: CUDA out of memory\"",
        "\"inference timeout after 30s\"", "\"trickle subscribe error: EOF\"",
        "\"failed to decode frame: invalid NAL unit\""};
    if (!happens(&session->chance, session->failing ? 0.25 : 0.006))
        return "null";
    return errors[between(&session->chance, 0, 4)];
}

static void write_status(struct session *session, int64_t ms)
{
    struct chance *chance = &session->chance;
    const struct orchestrator *one = session->orchestrator;
    const char *state = draw_state(session);
    const char *error = draw_error(session);
    double fps = model_fps[session->model] / sqrt(one->slowness) *
                 (state[0] == 'D' ? 0.6 : 1) * (1 + 0.05 * gauss(chance));
    double latency_ms = model_latency_ms[session->model] * one->slowness *
                        exp(0.18 * gauss(chance));
    char error_time[24] = "null";
    if (error[0] != 'n')
        snprintf(error_time, sizeof error_time, "%lld", (long long)ms - 300);
    session->restarts += happens(chance, 0.01);
    if (happens(chance, 0.05)) {
        draw_hex(chance, session->parameters_hash, 32);
        session->parameters_ms = ms;
    }
    begin_line(session, ms, "ai_stream_status");
    printf("{\"inference_status\":{\"fps\":%.16g,\"last_error\":%s,"
           "\"last_error_time\":%s,\"last_output_time\":%lld,"
           "\"last_params\":{\"height\":512,\"width\":512},"
           "\"last_params_hash\":\"%s\",\"last_params_update_time\":%lld,"
           "\"last_restart_logs\":null,\"last_restart_time\":null,"
           "\"latency_ms\":%.3f,\"restart_count\":%d},",
           session->failing ? 0 : fmax(0, fps), error, error_time,
           (long long)(ms - between(chance, 20, 120)), session->parameters_hash,
           (long long)session->parameters_ms, session->failing ? 0 : latency_ms,
           session->restarts);
    printf("\"input_status\":{\"fps\":%.16g,\"last_input_time\":%lld},"
           "\"last_state_update_time\":%lld,\"last_status_timestamp\":%lld,"
           "\"orchestrator_info\":{\"address\":\"%s\",\"url\":\"%s\"},"
           "\"pipeline\":\"%s\",\"pipeline_id\":\"\",\"request_id\":\"%s\","
           "\"start_time\":%lld,\"state\":\"%s\",\"stream_id\":\"%s\","
           "\"timestamp\":%lld,\"type\":\"status\"}}\n",
           fmax(0, 24 + 2.5 * gauss(chance)),
           (long long)(ms - between(chance, 15, 110)),
           (long long)session->began_ms + 7900, (long long)ms - 10000,
           one->signing, one->url, models[session->model], session->request,
           (long long)session->began_ms, state, session->stream, (long long)ms);
}

/* ---- the course of one session ------------------------------------------- */

static void find_due(struct session *session)
{
    session->due_ms = INT64_MAX;
    for (int kind = 0; kind < KINDS; kind++)
        if (session->next_ms[kind] < session->due_ms)
            session->due_ms = session->next_ms[kind];
}

/* What comes of a session that found an orchestrator. */
static void plan_stream(struct session *session, int64_t ms)
{
    struct chance *chance = &session->chance;
    int64_t *next = session->next_ms;
    int64_t length_ms =
        5000 + (int64_t)fmin(7200000, 1000 * exp(4.9 + 1.2 * gauss(chance)));
    int64_t began_ms = ms + between(chance, 800, 3500);
    session->began_ms = session->parameters_ms = began_ms;
    next[PAYMENT] = ms + 1;
    next[FIRST_INGEST] = began_ms;
    next[RUNNER_INGEST] = began_ms + between(chance, 1, 30);
    next[INPUT] = began_ms + 3000;
    next[STATUS] = began_ms + 8000;
    next[CLOSED] = began_ms + length_ms;
    session->failing = happens(chance, session->orchestrator->failing);
    if (happens(chance, 0.03))
        next[SWAP] = began_ms + between(chance, 4000, 5000 + length_ms);
    if (session->failing)
        return;
    next[RUNNER_PROCESSED] = began_ms + between(chance, 60, 500);
    next[FIRST_PROCESSED] = began_ms + between(chance, 560, 1100);
    next[FEW_PROCESSED] = began_ms + between(chance, 3000, 7000);
}

static void begin_session(struct session *session, uint64_t seed, int64_t ms)
{
    static const double gateway_shares[] = {0.5, 0.2, 0.2, 0.1};
    *session = (struct session){.chance = {seed}};
    struct chance *chance = &session->chance;
    for (int kind = 0; kind < KINDS; kind++)
        session->next_ms[kind] = INT64_MAX;
    session->gateway = choose(chance, gateway_shares, GATEWAYS);
    session->model = choose(chance, model_share, MODELS);
    session->orchestrator = choose_orchestrator(chance, session->model);
    memcpy(session->stream, "stream-", 7);
    draw_hex(chance, session->stream + 7, 16);
    draw_hex(chance, session->request, 8);
    draw_hex(chance, session->payment_session, 8);
    draw_hex(chance, session->parameters_hash, 32);
    session->next_ms[REQUEST] = ms;
    ms += between(chance, 80, 400);
    session->next_ms[DISCOVERY] = ms;
    if (happens(chance, 0.02)) {
        session->next_ms[NONE_AVAILABLE] = ms + between(chance, 500, 3000);
        session->next_ms[CLOSED] = session->next_ms[NONE_AVAILABLE] + 30;
    } else {
        plan_stream(session, ms);
    }
    find_due(session);
}

static void write_event(struct session *session, int64_t ms, enum kind kind)
{
    if (kind == DISCOVERY)
        write_discovery(session, ms);
    else if (kind == INPUT)
        write_input(session, ms);
    else if (kind == STATUS)
        write_status(session, ms);
    else if (kind == PAYMENT)
        write_payment(session, ms);
    else
        write_trace(session, ms, kind);
    if (kind == SWAP)
        session->orchestrator =
            choose_orchestrator(&session->chance, session->model);
}

/* What is due, and when that kind comes again. */
static void advance(struct session *session)
{
    struct chance *chance = &session->chance;
    int64_t ms = session->due_ms;
    enum kind kind = REQUEST;
    while (session->next_ms[kind] != ms)
        kind++;
    write_event(session, ms, kind);
    session->next_ms[kind] =
        kind == INPUT     ? ms + between(chance, 4997, 5004)
        : kind == STATUS  ? ms + between(chance, 9996, 10005)
        : kind == PAYMENT ? ms + between(chance, 28000, 32000)
                          : INT64_MAX;
    find_due(session);
    if (kind == CLOSED)
        session->due_ms = INT64_MAX;
}

/* ---- snapshots ----------------------------------------------------------- */

static void write_gpus(struct chance *chance, const struct orchestrator *one)
{
    for (int i = 0; i < one->gpu_count; i++)
        printf("%s\"%d\":{\"id\":\"%s\",\"name\":\"%s\",\"major\":8,"
               "\"minor\":9,\"memory_free\":%lld,\"memory_total\":%lld}",
               i ? "," : "", i, one->gpu_ids[i], gpus[one->gpu].name,
               (long long)(gpus[one->gpu].memory_bytes -
                           between(chance, 0, (int64_t)1 << 33)),
               (long long)gpus[one->gpu].memory_bytes);
}

static void write_offers(struct chance *chance, const struct orchestrator *one)
{
    bool first = true;
    for (int i = 0; i < MODELS; i++) {
        if (!one->offers[i])
            continue;
        printf("%s\"%s\":{\"warm\":%s,\"runnerVersion\":\"0.14.0\","
               "\"capacityInUse\":%lld}",
               first ? "" : ",", models[i],
               happens(chance, 0.8) ? "true" : "false",
               (long long)between(chance, 0, 3));
        first = false;
    }
    printf("}}}}},\"capabilities_prices\":[");
    first = true;
    for (int i = 0; i < MODELS; i++) {
        if (!one->offers[i])
            continue;
        printf("%s{\"pricePerUnit\":%lld,\"pixelsPerUnit\":1,"
               "\"capability\":35,\"constraint\":\"%s\"}",
               first ? "" : ",", (long long)one->price_wei, models[i]);
        first = false;
    }
}

static void write_element(struct chance *chance, const struct orchestrator *one)
{
    bool first = true;
    printf("{\"address\":\"%s\",\"local_address\":\"%s\",\"orch_uri\":\"%s\","
           "\"capabilities\":{\"bitstring\":[34426871807],\"capacities\":{"
           "\"0\":1,\"1\":1,\"26\":1,\"35\":%d},\"version\":\"0.8.10\","
           "\"constraints\":{\"PerCapability\":{\"35\":{\"models\":{",
           one->address, one->signing, one->url, one->gpu_count);
    write_offers(chance, one);
    printf("],\"hardware\":[");
    for (int i = 0; i < MODELS; i++) {
        if (!one->offers[i])
            continue;
        printf("%s{\"pipeline\":\"live-video-to-video\",\"model_id\":\"%s\","
               "\"gpu_info\":{",
               first ? "" : ",", models[i]);
        write_gpus(chance, one);
        printf("}}");
        first = false;
    }
    printf("]}");
}

static void write_snapshot(struct chance *chance, int64_t ms, bool full)
{
    char id[37];
    draw_uuid(chance, id);
    int64_t count = full ? ORCHESTRATORS
                         : (int64_t[]){1, 1, 2, 3, 8}[between(chance, 0, 5)];
    printf("{\"id\":\"%s\",\"type\":\"network_capabilities\",\"timestamp\":"
           "\"%lld\",\"gateway\":\"\",\"data\":[",
           id, (long long)ms);
    for (int64_t i = 0; i < count; i++) {
        if (i)
            putchar(',');
        int64_t which = full ? i : between(chance, 0, ORCHESTRATORS);
        write_element(chance, &orchestrators[which]);
    }
    puts("]}");
}

/* ---- a day --------------------------------------------------------------- */

/* A heap of sessions by when they are due; the first is the next. */
static struct session **heap;
static size_t heap_count;

static void sift_down(size_t at)
{
    struct session *moved = heap[at];
    for (size_t child; (child = 2 * at + 1) < heap_count; at = child) {
        if (child + 1 < heap_count &&
            heap[child + 1]->due_ms < heap[child]->due_ms)
            child++;
        if (heap[child]->due_ms >= moved->due_ms)
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static void push(struct session *session)
{
    size_t at = heap_count++;
    for (; at && heap[(at - 1) / 2]->due_ms > session->due_ms;
         at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = session;
}

static int compare_times(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* Starts of sessions, in order: more in the evening than in the morning. */
static int64_t *draw_starts(struct chance *chance, int64_t day_ms, size_t count)
{
    int64_t *starts = calloc(count + 1, sizeof *starts);
    if (!starts)
        abort();
    for (size_t i = 0; i < count; i++) {
        double of_day;
        do
            of_day = uniform(chance);
        while (!happens(chance,
                        0.6 + 0.4 * sin(6.283185307179586 * (of_day - 0.3))));
        starts[i] = day_ms + (int64_t)(of_day * (double)DAY_MS);
    }
    qsort(starts, count, sizeof *starts, compare_times);
    starts[count] = INT64_MAX;
    return starts;
}

/* Everything that is due before MS. */
static void run_until(int64_t ms)
{
    while (heap_count && heap[0]->due_ms < ms) {
        advance(heap[0]);
        if (heap[0]->due_ms == INT64_MAX) {
            free(heap[0]);
            heap[0] = heap[--heap_count];
        }
        if (heap_count)
            sift_down(0);
    }
}

static void add_session(struct chance *chance, int64_t ms)
{
    struct session *session = malloc(sizeof *session);
    if (!session)
        abort();
    begin_session(session, draw(chance), ms);
    push(session);
}

static void write_day(uint64_t seed, int64_t number, size_t sessions)
{
    struct chance chance = {seed + (uint64_t)(number + 1) * 0x632be59bd9b4e019};
    int64_t day_ms = YEAR_START_MS + number * DAY_MS;
    int64_t *starts = draw_starts(&chance, day_ms, sessions);
    int64_t snapshot_ms = day_ms + 1000;
    int64_t snapshots = 0;
    size_t next = 0;
    heap = calloc(sessions + 1, sizeof(struct session *));
    if (!heap)
        abort();
    while (next < sessions || snapshot_ms < day_ms + DAY_MS) {
        bool is_session = starts[next] < snapshot_ms;
        run_until(is_session ? starts[next] : snapshot_ms);
        if (is_session) {
            add_session(&chance, starts[next++]);
            continue;
        }
        write_snapshot(&chance, snapshot_ms, snapshots++ % SNAPSHOTS_FULL == 0);
        snapshot_ms += SNAPSHOT_EVERY_MS;
    }
    run_until(INT64_MAX);
    free(heap);
    free(starts);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "days SEED FIRST COUNT EVENTS\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    int64_t first = strtoll(argv[2], NULL, 10);
    int64_t count = strtoll(argv[3], NULL, 10);
    size_t sessions = strtoull(argv[4], NULL, 10) / EVENTS_PER_SESSION;
    setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);
    make_network(seed);
    for (int64_t i = 0; i < count; i++)
        write_day(seed, first + i, sessions);
    return fflush(stdout) ? 1 : 0;
}

/*
 * probe.c: `assay probe`: measures orchestrators now, and shows it.
 *
 * Probes run on a loop of their own; this thread waits, shows how far they
 * have come, and passes on what asks to stop. All URLs are measured at once;
 * when the last has ended, their runs are kept, printed in the order of the
 * URLs and forgotten, and with --repeat the next round begins.
 */
#include "probe/probe.h"
#include "base/arena.h"
#include "base/ca_bundle.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/field_rows.h"
#include "cli/probe_summary.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "ingest/ingest.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    URLS_MAX = 256,
    SECONDS_MAX = 600,
    SECONDS_USUAL = 10,
    PATIENCE_USUAL_S = 60,
    REPEAT_MAX = 1000000,
    WAIT_NS = 50000000,
    SPREAD_US = 15000
};

static const struct option options[] = {
    {.name = "--kind",
     .value = "reach|live",
     .type = OPTION_CHOICE,
     .help = "ask what it offers (default), or send a test stream through it"},
    {.name = "--model",
     .value = "NAME",
     .type = OPTION_TEXT,
     .help = "model to ask for (default: one that it offers)"},
    {.name = "--prompt",
     .value = "TEXT",
     .type = OPTION_TEXT,
     .help = "prompt of a live run"},
    {.name = "--params",
     .value = "JSON",
     .type = OPTION_TEXT,
     .help = "parameters of the model, a JSON object"},
    {.name = "--seconds",
     .value = "N",
     .type = OPTION_INT,
     .help = "how long output is measured (default 10)",
     .least = 1,
     .most = SECONDS_MAX},
    {.name = "--patience",
     .value = "N",
     .type = OPTION_INT,
     .help = "seconds to wait for the first frame (default 60)",
     .least = 1,
     .most = SECONDS_MAX},
    {.name = "--repeat",
     .value = "N",
     .type = OPTION_INT,
     .help = "measure each so many times, one after the other (default 1)",
     .least = 1,
     .most = REPEAT_MAX},
    {.name = "--allow-cidr",
     .value = "RANGE",
     .type = OPTION_TEXT,
     .help = "connect also to these addresses, as 127.0.0.0/8",
     .repeated = true},
    {.name = "--vantage",
     .value = "NAME",
     .type = OPTION_TEXT,
     .help = "what to call the place that is measured from (default local)"},
    {0}};

static const struct example examples[] = {
    {"assay probe https://orchestrator.example:8935",
     "what does it offer, and how fast does it say so"},
    {"assay probe --kind live --model noop --seconds 20 HOST:8935",
     "send it a test stream and measure what comes back"},
    {"assay probe --allow-cidr 127.0.0.0/8 --json https://127.0.0.1:8935",
     "one on this machine, as JSON"},
    {0}};

struct target {
    struct session *session;
    struct probe_request request;
    struct probe *probe;         /* the loop's */
    struct probe_result *result; /* null while it runs */
    struct probe_progress progress;
};

struct session {
    struct store *store; /* null where nothing is kept */
    struct loop *loop;
    struct prober *prober;
    struct target targets[URLS_MAX];
    size_t count;
    size_t started;          /* the loop's, of this round */
    struct loop_timer start; /* of the next one */
    int64_t rounds;
    size_t outcomes[OUTCOME_COUNT]; /* of all rounds */
    pthread_mutex_t mutex;          /* of results, progress, and left */
    size_t left;
};

/* ---- on the loop --------------------------------------------------------- */

static void on_progress(void *context, const struct probe_progress *progress)
{
    struct target *target = context;
    pthread_mutex_lock(&target->session->mutex);
    target->progress = *progress;
    pthread_mutex_unlock(&target->session->mutex);
}

static void on_done(void *context, struct probe_result *result)
{
    struct target *target = context;
    pthread_mutex_lock(&target->session->mutex);
    target->probe = NULL;
    target->result = result;
    target->session->left--;
    pthread_mutex_unlock(&target->session->mutex);
}

static void start_one(struct session *session)
{
    struct target *target = &session->targets[session->started++];
    target->probe = probe_start(session->prober, &target->request);
}

/* Streams begin one after another: each shakes hands half a dozen times, and
 * hundreds of handshakes at once would hold up the frames of all. */
static void start_next(void *context)
{
    struct session *session = context;
    bool spread = session->targets[0].request.kind == PROBE_LIVE;
    do
        start_one(session);
    while (!spread && session->started < session->count);
    if (session->started < session->count)
        loop_timer_after(&session->start, SPREAD_US);
}

static void start_all(void *context)
{
    struct session *session = context;
    session->started = 0;
    loop_timer_init(&session->start, session->loop, start_next, session);
    start_next(session);
}

static void stop_all(void *context)
{
    struct session *session = context;
    loop_timer_stop(&session->start);
    while (session->started < session->count)
        start_one(session); /* to be stopped in order */
    for (size_t i = 0; i < session->count; i++) {
        if (session->targets[i].probe)
            probe_stop(session->targets[i].probe, REASON_STOPPED);
    }
}

/* ---- waiting ------------------------------------------------------------- */

/* How far the first one has come that still runs. */
static void show(struct session *session, struct progress *line)
{
    char what[120] = "measuring";
    uint64_t frames = 0;
    for (size_t i = 0; i < session->count; i++) {
        const struct target *target = &session->targets[i];
        frames += target->progress.frames_out;
        if (!target->result && target->progress.phase)
            snprintf(what, sizeof what, "%zu running, %s, %.1f s, %.0f fps",
                     session->left, target->progress.phase,
                     (double)target->progress.elapsed_us / 1e6,
                     target->progress.fps);
    }
    progress_show(line, what, 0, 0, frames, "frames");
}

static void wait_for_all(const struct invocation *invocation,
                         struct session *session)
{
    const struct timespec pause = {.tv_nsec = WAIT_NS};
    struct progress line = progress_start(invocation);
    int stops = 0;
    size_t left;
    do {
        if (stop_count() > stops) {
            stops = stop_count();
            loop_post(session->loop, stop_all, session);
        }
        nanosleep(&pause, NULL);
        pthread_mutex_lock(&session->mutex);
        left = session->left;
        show(session, &line);
        pthread_mutex_unlock(&session->mutex);
    } while (left);
    progress_end(&line);
}

/* ---- keeping ------------------------------------------------------------- */

/* All runs with their samples as evidence, together. Runs become what the
 * evidence says of them. */
static enum err keep_results(struct arena *arena, struct session *session)
{
    struct journal_entry *entries =
        arena_array(arena, session->count, sizeof *entries);
    for (size_t i = 0; i < session->count; i++) {
        struct probe_result *result = session->targets[i].result;
        entries[i] = run_entry(arena, &result->run, &result->samples);
    }
    return session->store
               ? journal_append(session->store, entries, session->count)
               : ERR_NONE;
}

/* Whether there is who pays, and what may be spent. */
static bool may_pay(const struct config *config)
{
    return config->payment_day_max_wei && *config->payment_signer_url;
}

/* What each may be paid today; nothing where it is not known what was paid.
 * They run at once, and none knows what the others spend. */
static enum err share_day_left(const struct invocation *invocation,
                               struct session *session)
{
    const struct config *config = invocation->config;
    int64_t day_ms = clock_day_start(clock_wall_ms());
    int64_t left_wei = config->payment_day_max_wei;
    int64_t spent_wei = 0;
    if (!may_pay(config) || !session->store)
        return ERR_NONE;
    enum err err = journal_spent_wei(session->store, day_ms,
                                     day_ms + MS_PER_DAY, &spent_wei);
    left_wei = left_wei > spent_wei ? left_wei - spent_wei : 0;
    for (size_t i = 0; i < session->count && !err; i++)
        session->targets[i].request.day_left_wei =
            left_wei / (int64_t)session->count;
    return err;
}

/* ---- printing ------------------------------------------------------------ */

static enum err print_json(const struct session *session)
{
    struct field_rows rows;
    enum err err = ERR_NONE;
    field_rows_open(&rows, run_fields, TABLE_NDJSON);
    for (size_t i = 0; i < session->count && !err; i++)
        err = field_rows_print(&rows, &session->targets[i].result->run);
    enum err closed = table_close(rows.table);
    return err ? err : closed;
}

static enum err print_results(const struct invocation *invocation,
                              const struct session *session)
{
    if (invocation->json)
        return print_json(session);
    for (size_t i = 0; i < session->count; i++) {
        if (session->count == 1 && session->rounds == 1)
            probe_summary_print(stdout, session->targets[i].result);
        else
            probe_summary_line(stdout, session->targets[i].result);
    }
    return ERR_NONE;
}

static void count_outcomes(struct session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        for (size_t j = 0; j < OUTCOME_COUNT; j++)
            session->outcomes[j] +=
                text_is(session->targets[i].result->run.outcome,
                        outcome_name((enum outcome)j));
    }
}

/* A finding counts more than our own fault, and that more than none. */
static enum err verdict(const struct session *session)
{
    static const struct {
        enum outcome outcome;
        enum err err;
        const char *what;
    } order[] = {{OUTCOME_FAILED, ERR_FINDING, "failed"},
                 {OUTCOME_VANTAGE_SUSPECT, ERR_NETWORK, "in doubt"},
                 {OUTCOME_BUSY, ERR_EVIDENCE, "busy"},
                 {OUTCOME_EXCUSED, ERR_EVIDENCE, "excused"}};
    size_t all = 0;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        all += session->outcomes[i];
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        size_t count = session->outcomes[order[i].outcome];
        if (count)
            return err_set(order[i].err, "of %zu measured, %s: %zu", all,
                           order[i].what, count);
    }
    return ERR_NONE;
}

/* ---- what was asked for -------------------------------------------------- */

/* The members of --params, and --prompt with them. */
static enum err read_params(struct invocation *invocation, const char **params)
{
    const char *given = option_text(invocation, "--params");
    const char *prompt = option_text(invocation, "--prompt");
    struct arena *arena = &invocation->arena;
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    struct text name;
    struct yyjson_val *value;
    struct yyjson_val *object =
        given ? json_parse(arena, given, strlen(given)) : NULL;
    if (given && !json_is_object(object))
        return err_set(ERR_USAGE, "--params takes a JSON object, as "
                                  "{\"strength\":0.8}");
    struct json_iterator members = json_iterate(object);
    json_begin(&writer, '{');
    while ((value = json_next(&members, &name))) {
        if (prompt && text_is(name, "prompt"))
            continue;
        json_key(&writer, arena_text(arena, name.data, name.length));
        json_raw(&writer, json_compact(arena, value, false));
    }
    if (prompt) {
        json_key(&writer, "prompt");
        json_string(&writer, prompt);
    }
    json_end(&writer, '}');
    *params = arena_text(arena, text.data, text.length);
    buf_free(&text);
    return ERR_NONE;
}

static enum err read_requests(struct invocation *invocation,
                              struct session *session)
{
    const char *kind = option_text(invocation, "--kind");
    struct probe_request request = {
        .kind = kind && strcmp(kind, "live") == 0 ? PROBE_LIVE : PROBE_REACH,
        .model = option_text(invocation, "--model"),
        .measure_us = option_int(invocation, "--seconds", SECONDS_USUAL) *
                      (int64_t)1000000,
        .patience_us = option_int(invocation, "--patience", PATIENCE_USUAL_S) *
                       (int64_t)1000000,
        .run_max_wei = invocation->config->payment_run_max_wei,
        .on_progress = on_progress,
        .on_done = on_done};
    enum err err = read_params(invocation, &request.params);
    if (err)
        return err;
    if (may_pay(invocation->config) && !session->store)
        log_message(LOG_WARNING,
                    "nothing is paid without --data: only a store knows what "
                    "was paid today");
    session->rounds = option_int(invocation, "--repeat", 1);
    session->count = invocation->argument_count;
    for (size_t i = 0; i < session->count; i++) {
        struct url url;
        request.url = invocation->arguments[i];
        if (url_of_orchestrator(&invocation->arena, request.url, &url))
            return err_wrap(ERR_USAGE, "URL %zu", i + 1);
        request.context = &session->targets[i];
        session->targets[i] =
            (struct target){.session = session, .request = request};
    }
    return ERR_NONE;
}

static enum err read_policy(struct invocation *invocation,
                            struct address_policy *policy)
{
    struct option_list ranges = option_list(invocation, "--allow-cidr");
    *policy = (struct address_policy){0};
    for (size_t i = 0; i < ranges.count; i++) {
        if (address_allow(policy, ranges.values[i]))
            return err_wrap(ERR_USAGE, "--allow-cidr");
    }
    return ERR_NONE;
}

/* ---- the command --------------------------------------------------------- */

static void forget_results(struct session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        if (session->targets[i].result)
            probe_result_free(session->targets[i].result);
        session->targets[i].result = NULL;
        session->targets[i].progress = (struct probe_progress){0};
    }
}

static enum err measure_round(struct invocation *invocation,
                              struct session *session)
{
    struct arena arena = {0};
    enum err err = share_day_left(invocation, session);
    if (err)
        return err;
    session->left = session->count;
    loop_call(session->loop, start_all, session);
    wait_for_all(invocation, session);
    err = keep_results(&arena, session);
    enum err printed = print_results(invocation, session);
    count_outcomes(session);
    forget_results(session);
    arena_free(&arena);
    return err ? err : printed;
}

static enum err measure(struct invocation *invocation, struct session *session,
                        const struct prober_settings *settings)
{
    stop_catch();
    enum err err = loop_start(&session->loop);
    if (err)
        return err;
    err = prober_open(&session->prober, session->loop, settings);
    if (!err) {
        int64_t left = session->rounds;
        do
            err = measure_round(invocation, session);
        while (!err && --left && !stop_count());
        prober_close(session->prober);
        if (!err)
            err = verdict(session);
    }
    loop_stop(session->loop);
    return err;
}

static enum err run_with_key(struct invocation *invocation,
                             struct session *session,
                             const struct ethereum_key *key)
{
    const struct config *config = invocation->config;
    const char *vantage = option_text(invocation, "--vantage");
    struct address_policy policy;
    struct ca_bundle bundle = {0};
    enum err err = read_policy(invocation, &policy);
    if (!err)
        err = read_requests(invocation, session);
    if (!err && *config->payment_signer_url)
        err = ca_bundle_load(&invocation->arena, config->tls_ca_file, &bundle);
    if (err)
        return err;
    struct prober_settings settings = {
        .policy = &policy,
        .key = key,
        .signer_url =
            *config->payment_signer_url ? config->payment_signer_url : NULL,
        .signer_authorization =
            config->payment_signer_authorization_file.secret,
        .ca_bundle = bundle.pem,
        .vantage = vantage ? vantage : "local"};
    return measure(invocation, session, &settings);
}

static enum err run(struct invocation *invocation)
{
    const char *secret = invocation->config->ethereum_key_file.secret;
    struct ethereum_key *key = NULL;
    struct session *session = arena_alloc(&invocation->arena, sizeof *session);
    enum err err = ERR_NONE;
    pthread_mutex_init(&session->mutex, NULL);
    if (*secret)
        err = ethereum_key_parse(text_of(secret), &key);
    if (!err && option_given(invocation, "--data"))
        err =
            store_open(&session->store, invocation->config->data, STORE_WRITE);
    if (!err && session->store)
        err = store_refuse_simulation(session->store, "a measurement");
    if (!err)
        err = run_with_key(invocation, session, key);
    store_close(session->store);
    ethereum_key_free(key);
    pthread_mutex_destroy(&session->mutex);
    return err;
}

const struct command command_probe = {
    .name = "probe",
    .summary = "measure orchestrators now",
    .arguments = "URL...",
    .about =
        "Asks each orchestrator what it offers, and with --kind live sends a "
        "test stream through it and measures what comes back: time to the "
        "first frame, frames per second, jitter, freezes, latency of frames. "
        "`assay metrics` defines every figure.\n\n"
        "With --data the runs and their raw samples are kept as evidence; else "
        "nothing is written.\n\n"
        "A URL may be shortened to HOST or HOST:PORT. Several are measured at "
        "once, and with --repeat again when the last of them has ended. Only "
        "addresses of the public Internet are connected to, unless "
        "--allow-cidr names their range.\n\n"
        "Orchestrators that want a signature get one by the key of "
        "ethereum.key_file or by the signer of payment.signer_url; those that "
        "want to be paid are paid through the signer, within "
        "payment.run_max_wei and payment.day_max_wei, and only with --data.",
    .options = options,
    .examples = examples,
    .exits = "0  all were measured, and are well\n"
             "1  one failed\n"
             "2  usage or configuration\n"
             "4  the place that is measured from is in doubt\n"
             "5  busy or excused: nothing is known about quality",
    .least = 1,
    .most = URLS_MAX,
    .prints_json = true,
    .run = run,
};

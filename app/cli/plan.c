/*
 * plan.c: `assay plan`: what is going to be measured, and what was.
 *
 * discover tells whom, make also when; what is written down is the business of
 * plan_books.c. The sources are those of the configuration, or those named
 * by --source, whose kinds are known by how they look: what holds a comma is a
 * list, a URL ending in getNetworkCapabilities is a gateway, any other one
 * answers an array of addresses, a path that exists is a file, and the rest is
 * a list of one.
 */
#include "base/ca_bundle.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "cli/builtin_files.h"
#include "cli/cli.h"
#include "cli/plan_books.h"
#include "cli/table.h"
#include "discover/discover.h"
#include "sched/sched.h"
#include "wire/wire.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES_MAX = 32 };

static const struct option options[] = {
    {.name = "--source",
     .value = "URL|FILE|LIST",
     .type = OPTION_TEXT,
     .help = "where orchestrators are told, in place of the configured "
             "sources",
     .repeated = true},
    {.name = "--allow-cidr",
     .value = "RANGE",
     .type = OPTION_TEXT,
     .help = "ask sources also at these addresses, as 127.0.0.0/8",
     .repeated = true},
    {0}};

static const struct example examples[] = {
    {"assay plan discover --source a.example,b.example:8935",
     "a list, as gateways take it"},
    {"assay plan discover --source http://HOST:5935/getNetworkCapabilities",
     "what a gateway knows"},
    {"assay plan workflow streamdiffusion > mine.yaml",
     "begin a workflow of your own; sched.workflows takes its path"},
    {"assay plan verify", "does what was run follow from the promised seeds"},
    {0}};

struct search {
    struct discover_source sources[SOURCES_MAX];
    size_t count;
    struct address_policy policy;
    struct ca_bundle bundle;
    struct loop *loop;
    struct discover_clients clients;
    struct discoverer *discoverer;
    enum err err; /* of opening, with its sentence */
    char sentence[DISCOVER_PROBLEM_BYTES];
    pthread_mutex_t mutex; /* of done */
    pthread_cond_t changed;
    bool done;
};

/* ---- sources ------------------------------------------------------------- */

static enum err add_source(struct search *search, enum discover_kind kind,
                           const char *place)
{
    if (!*place)
        return ERR_NONE;
    if (search->count == SOURCES_MAX)
        return err_set(ERR_USAGE, "there are more than %d sources",
                       SOURCES_MAX);
    search->sources[search->count++] = (struct discover_source){kind, place};
    return ERR_NONE;
}

static enum discover_kind kind_of(const char *place)
{
    static const char gateway[] = "/getNetworkCapabilities";
    size_t length = strlen(place);
    size_t end = sizeof gateway - 1;
    if (strchr(place, ','))
        return DISCOVER_LIST;
    if (length > end && strcmp(place + length - end, gateway) == 0)
        return DISCOVER_CAPABILITIES;
    if (strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0)
        return DISCOVER_ENDPOINT;
    return access(place, F_OK) == 0 ? DISCOVER_FILE : DISCOVER_LIST;
}

static enum err configured(struct search *search, const struct config *config)
{
    const struct discover_source sources[] = {
        {DISCOVER_LIST, config->discover_static},
        {DISCOVER_FILE, config->discover_file},
        {DISCOVER_WEBHOOK, config->discover_webhook_url},
        {DISCOVER_CAPABILITIES, config->discover_capabilities_url},
        {DISCOVER_ENDPOINT, config->discover_discovery_url}};
    enum err err = ERR_NONE;
    for (size_t i = 0; i < sizeof sources / sizeof *sources && !err; i++)
        err = add_source(search, sources[i].kind, sources[i].place);
    return err;
}

static enum err read_sources(struct invocation *invocation,
                             struct search *search)
{
    struct option_list given = option_list(invocation, "--source");
    struct option_list ranges = option_list(invocation, "--allow-cidr");
    enum err err = ERR_NONE;
    for (size_t i = 0; i < given.count && !err; i++)
        err = add_source(search, kind_of(given.values[i]), given.values[i]);
    if (!err && !given.count)
        err = configured(search, invocation->config);
    for (size_t i = 0; i < ranges.count && !err; i++) {
        if (address_allow(&search->policy, ranges.values[i]))
            return err_wrap(ERR_USAGE, "--allow-cidr");
    }
    if (!err && !search->count)
        err = err_set(ERR_USAGE, "there is no source: name one by --source, or "
                                 "set discover.* in the configuration");
    if (!err)
        err = ca_bundle_load(&invocation->arena,
                             invocation->config->tls_ca_file, &search->bundle);
    return err;
}

/* ---- on the loop --------------------------------------------------------- */

static void finish(struct search *search)
{
    pthread_mutex_lock(&search->mutex);
    search->done = true;
    pthread_cond_signal(&search->changed);
    pthread_mutex_unlock(&search->mutex);
}

static void on_done(void *context, struct discoverer *discoverer)
{
    (void)discoverer;
    finish(context);
}

static void begin(void *context)
{
    struct search *search = context;
    struct http_settings settings = {.policy = &search->policy,
                                     .ca_bundle = search->bundle.pem};
    search->err =
        http_client_open(&search->clients.verified, search->loop, &settings);
    settings.ca_bundle = (struct text){0};
    if (!search->err)
        search->err = http_client_open(&search->clients.unverified,
                                       search->loop, &settings);
    if (search->err) {
        snprintf(search->sentence, sizeof search->sentence, "%s",
                 err_message());
        finish(search);
        return;
    }
    search->discoverer =
        discoverer_open(&search->clients, search->sources, search->count);
    discoverer_refresh(search->discoverer, clock_monotonic_us(), on_done,
                       search);
}

static void end(void *context)
{
    struct search *search = context;
    discoverer_close(search->discoverer);
    http_client_close(search->clients.verified);
    http_client_close(search->clients.unverified);
}

/* ---- printing ------------------------------------------------------------ */

static void add_capacity(struct json_writer *writer, const char *key,
                         int64_t count)
{
    json_key(writer, key);
    if (count == ABSENT_INT)
        json_null(writer);
    else
        json_int(writer, count);
}

static void add_model(struct json_writer *writer,
                      const struct discovered_model *model)
{
    json_begin(writer, '{');
    json_member_text(writer, "pipeline", model->pipeline);
    json_member_text(writer, "model", model->model_id);
    json_member_bool(writer, "warm", model->warm);
    add_capacity(writer, "idle", model->idle);
    add_capacity(writer, "busy", model->busy);
    json_key(writer, "gpus");
    json_begin(writer, '[');
    for (size_t i = 0; i < model->gpu_count; i++)
        json_text(writer, model->gpu_ids[i]);
    json_end(writer, ']');
    json_end(writer, '}');
}

static void print_json(const struct discovered *one)
{
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    json_begin(&writer, '{');
    json_member_text(&writer, "url", one->url);
    json_member_text(&writer, "orchestrator_address",
                     one->orchestrator_address);
    json_member_text(&writer, "signing_address", one->signing_address);
    json_member_string(&writer, "source", discover_kind_name(one->source));
    json_key(&writer, "models");
    json_begin(&writer, '[');
    for (size_t i = 0; i < one->model_count; i++)
        add_model(&writer, &one->models[i]);
    json_end(&writer, ']');
    json_end(&writer, '}');
    puts(buf_string(&line));
    buf_free(&line);
}

static void print_line(const struct discovered *one)
{
    struct buf line = {0};
    buf_add_for_terminal(&line, one->url);
    for (size_t i = 0; i < one->model_count; i++) {
        const struct discovered_model *model = &one->models[i];
        buf_add_string(&line, "  ");
        buf_add_for_terminal(&line, model->pipeline);
        buf_add_string(&line, "/");
        buf_add_for_terminal(&line, model->model_id);
        if (model->idle != ABSENT_INT)
            buf_printf(&line, " (%lld idle)", (long long)model->idle);
    }
    puts(buf_string(&line));
    buf_free(&line);
}

static void tell_skipped(const struct discovery *found)
{
    for (size_t i = 0; i < DISCOVERY_SKIP_COUNT; i++) {
        if (found->skipped[i])
            log_message(LOG_INFO, "left out as %s: %llu",
                        discovery_skip_name((enum discovery_skip)i),
                        (unsigned long long)found->skipped[i]);
    }
}

/* What all sources tell, in FOUND; how many did not is returned. */
static size_t join_found(const struct search *search, struct discovery *found)
{
    size_t problems = 0;
    for (size_t i = 0; i < search->count; i++) {
        const char *problem = discoverer_problem(search->discoverer, i);
        problems += *problem != '\0';
        if (*problem)
            log_message(LOG_WARNING, "%.200s: %s", search->sources[i].place,
                        problem);
    }
    discoverer_join(search->discoverer, found);
    return problems;
}

static enum err print_found(struct invocation *invocation,
                            const struct search *search)
{
    struct discovery found = {0};
    struct terms terms;
    enum err err = terms_read(&invocation->arena, invocation->config, &terms);
    if (err)
        return err;
    size_t problems = join_found(search, &found);
    for (size_t i = 0; i < found.count; i++) {
        if (invocation->json)
            print_json(&found.orchestrators[i]);
        else
            print_line(&found.orchestrators[i]);
    }
    tell_skipped(&found);
    offers_check(&terms, &found);
    size_t count = found.count;
    discovery_free(&found);
    if (problems)
        return err_set(ERR_NETWORK, "%zu of %zu sources did not tell", problems,
                       search->count);
    return count ? ERR_NONE
                 : err_set(ERR_EVIDENCE, "no orchestrator was found");
}

/* ---- the command --------------------------------------------------------- */

/* What is done with what was found. */
typedef enum err found_use(struct invocation *invocation,
                           const struct search *search);

static enum err look(struct invocation *invocation, struct search *search,
                     found_use *use)
{
    enum err err = loop_start(&search->loop);
    if (err)
        return err;
    loop_call(search->loop, begin, search);
    pthread_mutex_lock(&search->mutex);
    while (!search->done)
        pthread_cond_wait(&search->changed, &search->mutex);
    pthread_mutex_unlock(&search->mutex);
    err = search->err ? err_set(search->err, "%s", search->sentence)
                      : use(invocation, search);
    loop_call(search->loop, end, search);
    loop_stop(search->loop);
    return err;
}

static enum err search_and(struct invocation *invocation, found_use *use)
{
    struct search *search = arena_alloc(&invocation->arena, sizeof *search);
    enum err err = read_sources(invocation, search);
    if (err)
        return err;
    pthread_mutex_init(&search->mutex, NULL);
    pthread_cond_init(&search->changed, NULL);
    err = look(invocation, search, use);
    pthread_cond_destroy(&search->changed);
    pthread_mutex_destroy(&search->mutex);
    return err;
}

static enum err run_discover(struct invocation *invocation)
{
    return search_and(invocation, print_found);
}

/* ---- make ---------------------------------------------------------------- */

static void print_plan(const struct invocation *invocation,
                       const struct plan *plan)
{
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    char until[CLOCK_TEXT_BYTES];
    struct buf line = {0};
    plan_hash(plan, hash);
    hash_hex(hash, sizeof hash, hex);
    if (invocation->json) {
        buf_printf(&line, "{\"plan_hash\":\"%s\",", hex);
        plan_write(&line, plan);
        buf_add_byte(&line, '}');
    } else {
        buf_printf(&line, "plan %s: %lld runs of %zu targets until %s", hex,
                   (long long)plan_run_count(plan), plan->target_count,
                   clock_text_s(plan->ends_at, until));
    }
    puts(buf_string(&line));
    buf_free(&line);
}

/* With --data the plan is the one that a server goes on with. */
static enum err keep_plan(const struct invocation *invocation,
                          struct books_turn *turn, struct books_plan *adding)
{
    struct store *store;
    enum err err = store_open(&store, invocation->config->data, STORE_WRITE);
    if (err)
        return err;
    err = books_turn(turn, store);
    if (!err && turn->open)
        err =
            err_set(ERR_USAGE, "there is a plan already: %s", turn->open->hash);
    if (!err)
        err = books_add_plan(adding, store);
    store_close(store);
    open_plan_free(turn->open);
    open_plan_free(adding->open);
    return err;
}

static enum err make_plan(struct invocation *invocation,
                          const struct search *search)
{
    struct discovery found = {0};
    struct terms terms;
    struct plan plan;
    uint8_t seed[PLAN_SEED_BYTES];
    struct books_turn turn = {.now = clock_wall_ms(), .late = SKIP_MISSED};
    struct books_plan adding = {.plan = &plan, .seed = seed, .now = turn.now};
    enum err err = terms_read(&invocation->arena, invocation->config, &terms);
    if (err)
        return err;
    (void)join_found(search, &found);
    random_bytes(seed, sizeof seed);
    offers_check(&terms, &found);
    offers_tell_left_out(plan_make(&invocation->arena, &terms, &found,
                                   &turn.evidence, turn.now, seed, &plan));
    discovery_free(&found);
    if (!plan.target_count)
        err = err_set(ERR_EVIDENCE, "there is nobody to plan for");
    else if (option_given(invocation, "--data"))
        err = keep_plan(invocation, &turn, &adding);
    evidence_counts_free(&turn.evidence);
    if (!err)
        print_plan(invocation, &plan);
    return err;
}

static enum err run_make(struct invocation *invocation)
{
    return search_and(invocation, make_plan);
}

static enum err run_workflow(struct invocation *invocation)
{
    return print_builtin_files(invocation, 0, workflow_files, "workflow");
}

static enum err run_prompts(struct invocation *invocation)
{
    return print_builtin_files(invocation, 0, prompt_files, "set of prompts");
}

static const struct verb verbs[] = {
    {.name = "discover",
     .arguments = "",
     .summary = "print the orchestrators that the sources tell",
     .run = run_discover},
    {.name = "make",
     .arguments = "",
     .summary = "draw a plan for them; with --data, the next one of its server",
     .run = run_make},
    {.name = "show",
     .arguments = "[HASH]",
     .summary = "list the plans of the store, or print one whole",
     .most = 1,
     .run = plan_show},
    {.name = "verify",
     .arguments = "[HASH]",
     .summary = "derive plans again from their seeds and check their ledgers",
     .most = 1,
     .run = plan_verify_stored},
    {.name = "audit",
     .arguments = "[HASH]",
     .summary = "was any budget passed, anybody starved, any hour left out",
     .most = 1,
     .run = plan_audit},
    {.name = "workflow",
     .arguments = "[NAME]",
     .summary = "list the workflows that are built in, or print one's file",
     .most = 1,
     .run = run_workflow},
    {.name = "prompts",
     .arguments = "[NAME]",
     .summary = "the same of sets of prompts",
     .most = 1,
     .run = run_prompts},
    {0}};

const struct command command_plan = {
    .name = "plan",
    .summary = "what is going to be measured, and whether it was",
    .about =
        "A plan says how many runs each orchestrator gets, and holds the hash "
        "of a secret seed from which their instants follow; the seed is "
        "revealed when the plan is over. The ledger says of every planned run "
        "what became of it. `assay serve` with sched.enabled carries plans "
        "out; `verify` lets anybody check that it did, and `audit` whom and "
        "which hours it reached.\n\n"
        "discover and make find the orchestrators to measure: in a list, a "
        "file with one a "
        "line, the answer of a webhook (-orchWebhookUrl), of a gateway's "
        "getNetworkCapabilities, or of a discovery endpoint "
        "(/discover-orchestrators, /discovery). Each is printed once, with the "
        "models that were told. What is left out is counted by its reason.\n\n"
        "Without --source the sources are those under discover in the "
        "configuration. A URL there is asked for orchestrators; one that is "
        "meant itself is written without its scheme, as HOST:PORT. Sources at "
        "addresses beyond the public Internet are asked only where "
        "--allow-cidr names their range. No orchestrator is connected to.",
    .verbs = verbs,
    .options = options,
    .examples = examples,
    .exits = "0  orchestrators were found; plan and ledger agree\n"
             "1  verify or audit has a finding\n"
             "2  usage or configuration\n"
             "4  a source did not tell; what others tell is printed\n"
             "5  no source tells of any; there is no plan, or none whose seed "
             "is revealed",
    .prints_json = true,
};

/*
 * scenario.c: see scenario.h.
 */
#include "sim/scenario.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define FIELD(name) offsetof(struct behaviour, name)

enum { FPS_MAX = 240, DELAY_MAX_MS = 3600000, SLOTS_MAX = 4096 };
#define DAY_MS ((int64_t)86400000)
#define MEMORY_MAX_BYTES ((int64_t)1 << 50)
#define WEI_MAX 1000000 /* a minute of pixels then still fits 64 bits */

/* The three rows of a distribution. */
#define DISTRIBUTION(section, suffix, field, usual, highest)                   \
    {.path = section ".mean" suffix,                                           \
     .type = CONFIG_NUMBER,                                                    \
     .offset = FIELD(field.mean),                                              \
     .standard = usual,                                                        \
     .most = highest,                                                          \
     .help = "Its mean."},                                                     \
        {.path = section ".deviation" suffix,                                  \
         .type = CONFIG_NUMBER,                                                \
         .offset = FIELD(field.deviation),                                     \
         .standard = "0",                                                      \
         .most = highest,                                                      \
         .help = "Its standard deviation."},                                   \
    {                                                                          \
        .path = section ".shape", .type = CONFIG_CHOICE,                       \
        .offset = FIELD(field.shape), .standard = "normal",                    \
        .choices = DISTRIBUTION_SHAPES,                                        \
        .help = "How it is spread; exponential needs the mean alone."          \
    }

static const struct config_key scenario_options[] = {
    {.path = "name",
     .type = CONFIG_TEXT,
     .offset = FIELD(name),
     .standard = "steady",
     .help = "What it is called in the truth, and in its first line."},
    {.path = "count",
     .type = CONFIG_INT,
     .offset = FIELD(count),
     .standard = "1",
     .least = 1,
     .most = ORCHESTRATORS_MAX,
     .unit = "orchestrators",
     .help = "How many behave like this; they are called name-1, name-2, ..."},
    {.path = "model",
     .type = CONFIG_TEXT,
     .offset = FIELD(model),
     .standard = "streamdiffusion-sdxl",
     .help = "The live-video-to-video model that it offers."},
    {.path = "gpu.name",
     .type = CONFIG_TEXT,
     .offset = FIELD(gpu),
     .standard = "",
     .help = "What its hardware is called; without a name one is drawn of "
             "those that the real network has."},
    {.path = "gpu.memory",
     .type = CONFIG_SIZE,
     .offset = FIELD(gpu_memory_bytes),
     .standard = "0B",
     .most = MEMORY_MAX_BYTES,
     .help = "Memory of its GPU; 0 for what such a GPU has."},
    {.path = "version",
     .type = CONFIG_TEXT,
     .offset = FIELD(version),
     .standard = "0.8.10",
     .help = "The orchestrator's version."},
    {.path = "runner_version",
     .type = CONFIG_TEXT,
     .offset = FIELD(runner_version),
     .standard = "0.14.1",
     .help = "The runner's version."},
    {.path = "works",
     .type = CONFIG_BOOL,
     .offset = FIELD(works),
     .standard = "true",
     .help = "Whether it takes jobs; otherwise it only points to its nodes."},
    {.path = "nodes",
     .type = CONFIG_TEXT,
     .offset = FIELD(nodes),
     .standard = "",
     .help = "Names of orchestrators that it points to, parted by commas."},
    {.path = "slots",
     .type = CONFIG_INT,
     .offset = FIELD(slots),
     .standard = "4",
     .most = SLOTS_MAX,
     .unit = "containers",
     .help = "Jobs that it runs at once."},
    {.path = "price_wei",
     .type = CONFIG_INT,
     .offset = FIELD(price_wei),
     .standard = "0",
     .most = WEI_MAX,
     .unit = "wei",
     .help = "Price of a pixel; 0 makes it off-chain, without payment."},
    {.path = "trusts_senders",
     .type = CONFIG_BOOL,
     .offset = FIELD(trusts_senders),
     .standard = "true",
     .help = "Whether senders have enough reserve; with a price only."},
    {.path = "start",
     .type = CONFIG_DURATION,
     .offset = FIELD(start_ms),
     .standard = "50ms",
     .most = DELAY_MAX_MS,
     .help = "How long its runner takes to accept a job."},
    {.path = "warm_up",
     .type = CONFIG_DURATION,
     .offset = FIELD(warm_up_ms),
     .standard = "0ms",
     .most = DELAY_MAX_MS,
     .help = "How much longer a cold container takes to its first output."},
    {.path = "cools_after",
     .type = CONFIG_DURATION,
     .offset = FIELD(cools_after_ms),
     .standard = "5m",
     .most = DAY_MS,
     .help = "How long a container stays warm after its last job."},
    DISTRIBUTION("fps", "", fps, "24", FPS_MAX),
    DISTRIBUTION("latency", "_ms", latency, "120", DELAY_MAX_MS),
    DISTRIBUTION("jitter", "_ms", jitter, "0", DELAY_MAX_MS),
    {.path = "freeze.every",
     .type = CONFIG_DURATION,
     .offset = FIELD(freeze_every_ms),
     .standard = "0ms",
     .most = DAY_MS,
     .help = "How often its output stands still; 0 for never."},
    {.path = "freeze.length",
     .type = CONFIG_DURATION,
     .offset = FIELD(freeze_length_ms),
     .standard = "1s",
     .most = DAY_MS,
     .help = "For how long."},
    {.path = "restart.every",
     .type = CONFIG_DURATION,
     .offset = FIELD(restart_every_ms),
     .standard = "0ms",
     .most = DAY_MS,
     .help = "How often its pipeline restarts, and says so; 0 for never."},
    {.path = "restart.length",
     .type = CONFIG_DURATION,
     .offset = FIELD(restart_length_ms),
     .standard = "2s",
     .most = DAY_MS,
     .help = "How long a restart takes."},
    {.path = "timestamps",
     .type = CONFIG_CHOICE,
     .offset = FIELD(timestamps),
     .standard = "kept",
     .choices = "kept|dropped",
     .help = "Whether output frames carry the timestamps of their input."},
    {.path = "status_every",
     .type = CONFIG_DURATION,
     .offset = FIELD(status_every_ms),
     .standard = "10s",
     .least = 100,
     .most = DELAY_MAX_MS,
     .help = "How often its runner reports on the events channel."},
    {.path = "failure.rate",
     .type = CONFIG_NUMBER,
     .offset = FIELD(failure_rate),
     .standard = "0",
     .most = 1,
     .help = "Share of jobs that fail."},
    {.path = "failure.kind",
     .type = CONFIG_CHOICE,
     .offset = FIELD(failure_kind),
     .standard = "start",
     .choices = "start|silent|stop|error",
     .help = "How: the start is refused, nothing comes out, it stops in the "
             "middle, or it reports errors."},
    {.path = "claims.fps",
     .type = CONFIG_NUMBER,
     .offset = FIELD(claims_fps),
     .standard = "0",
     .most = FPS_MAX,
     .help = "Output rate that its status reports; 0 for the true one."},
    {.path = "claims.state",
     .type = CONFIG_CHOICE,
     .offset = FIELD(claims_state),
     .standard = "true",
     .choices = "true|online",
     .help = "State that its status reports: the true one, or ONLINE always."},
};

static const char *const behaviour_others[] = {"outages", NULL};

static const struct config_table behaviour_table = {
    .what = "orchestrator",
    .keys = scenario_options,
    .count = sizeof scenario_options / sizeof *scenario_options,
    .others = behaviour_others,
    .advice = "\"assay sim --options\" lists all",
};

static const struct config_key outage_options[] = {
    {.path = "from",
     .type = CONFIG_DURATION,
     .offset = offsetof(struct outage, from_ms),
     .standard = "0ms",
     .most = DAY_MS},
    {.path = "to",
     .type = CONFIG_DURATION,
     .offset = offsetof(struct outage, to_ms),
     .standard = "0ms",
     .most = DAY_MS},
};

static const struct config_table outage_table = {
    .what = "outage",
    .keys = outage_options,
    .count = 2,
    .advice = "an outage has from and to",
};

static const struct config_key top_options[] = {
    {.path = "seed",
     .type = CONFIG_INT,
     .offset = offsetof(struct scenario, seed),
     .standard = "0",
     .most = INT64_MAX},
    {.path = "flatter",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct scenario, flatter),
     .standard = ""},
};

static const char *const top_others[] = {"defaults", "orchestrators", NULL};

static const struct config_table top_table = {
    .what = "scenario",
    .keys = top_options,
    .count = 2,
    .others = top_others,
    .advice = "a scenario has seed, flatter, defaults and orchestrators",
};

/* ---- lists --------------------------------------------------------------- */

/* The first member of what must be a list, or null with a complaint. */
static const struct config_node *list_members(struct config_document *document,
                                              const struct config_node *node)
{
    if (!node || node->kind == CONFIG_NODE_NOTHING)
        return NULL;
    if (node->kind != CONFIG_NODE_LIST)
        config_document_complain(document, node->line,
                                 "%s is a list; its entries begin with \"- \"",
                                 node->key);
    return node->kind == CONFIG_NODE_LIST ? node->members : NULL;
}

static void read_outages(struct config_document *document,
                         const struct config_node *node,
                         struct behaviour *behaviour)
{
    struct outage *outages = NULL;
    size_t count = 0;
    const struct config_node *at = list_members(document, node);
    for (; at && count < OUTAGES_MAX; at = at->next) {
        outages = arena_grow(document->arena, outages, count, sizeof *outages);
        config_table_defaults(document->arena, &outage_table, &outages[count]);
        config_table_read(document, at, &outage_table, &outages[count]);
        if (outages[count].to_ms <= outages[count].from_ms)
            config_document_complain(document, at->line,
                                     "an outage ends (to) after it began "
                                     "(from)");
        count++;
    }
    if (at)
        config_document_complain(document, at->line,
                                 "there are more than %d outages", OUTAGES_MAX);
    if (node) {
        behaviour->outages = outages;
        behaviour->outage_count = count;
    }
}

static void read_behaviour(struct config_document *document,
                           const struct config_node *node,
                           struct behaviour *behaviour)
{
    config_table_read(document, node, &behaviour_table, behaviour);
    read_outages(document, config_node_member(node, "outages"), behaviour);
    if (behaviour->freeze_every_ms &&
        behaviour->freeze_length_ms >= behaviour->freeze_every_ms)
        config_document_complain(document, node->line,
                                 "freeze.length is shorter than freeze.every");
    if (behaviour->restart_every_ms &&
        behaviour->restart_length_ms >= behaviour->restart_every_ms)
        config_document_complain(
            document, node->line,
            "restart.length is shorter than restart.every");
}

/* ---- orchestrators ------------------------------------------------------- */

static bool is_taken(const struct scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->orchestrator_count; i++) {
        if (strcmp(scenario->orchestrators[i].name, name) == 0)
            return true;
    }
    return false;
}

/* As many as BEHAVIOUR counts; false where they are too many or a name is
 * taken. */
static bool add_orchestrators(struct scenario *scenario,
                              const struct behaviour *behaviour)
{
    for (int64_t i = 0; i < behaviour->count; i++) {
        const char *name = behaviour->name;
        if (behaviour->count > 1)
            name = arena_printf(&scenario->arena, "%s-%lld", name,
                                (long long)(i + 1));
        if (scenario->orchestrator_count == ORCHESTRATORS_MAX ||
            is_taken(scenario, name))
            return false;
        scenario->orchestrators = arena_grow(
            &scenario->arena, scenario->orchestrators,
            scenario->orchestrator_count, sizeof *scenario->orchestrators);
        struct behaviour *added =
            &scenario->orchestrators[scenario->orchestrator_count++];
        *added = *behaviour;
        added->name = name;
        added->count = 1;
    }
    return true;
}

static void read_orchestrators(struct config_document *document,
                               struct scenario *scenario,
                               const struct behaviour *defaults)
{
    const struct config_node *node =
        config_node_member(document->root, "orchestrators");
    const struct config_node *at = list_members(document, node);
    for (; at; at = at->next) {
        struct behaviour behaviour = *defaults;
        read_behaviour(document, at, &behaviour);
        if (add_orchestrators(scenario, &behaviour))
            continue;
        if (scenario->orchestrator_count < ORCHESTRATORS_MAX)
            config_document_complain(document, at->line,
                                     "another orchestrator is called %s; give "
                                     "this one a name of its own",
                                     behaviour.name);
        else
            config_document_complain(document, at->line,
                                     "there are more than %d orchestrators",
                                     ORCHESTRATORS_MAX);
    }
    if (!scenario->orchestrator_count && !document->problems->count)
        config_document_complain(document, node ? node->line : 1,
                                 "the list of orchestrators is empty");
}

/* A name that others give must be one. */
static void check_name(struct config_document *document,
                       const struct scenario *scenario, const char *option,
                       const char *name)
{
    const char *names[ORCHESTRATORS_MAX];
    if (!*name || is_taken(scenario, name))
        return;
    for (size_t i = 0; i < scenario->orchestrator_count; i++)
        names[i] = scenario->orchestrators[i].name;
    const char *near = nearest_word(name, names, scenario->orchestrator_count);
    config_document_complain(document, 1,
                             "%s names %.60s, but no orchestrator is called "
                             "that%s%s%s",
                             option, name, near ? "; did you mean " : "",
                             near ? near : "", near ? "?" : "");
}

static void check_names(struct config_document *document,
                        const struct scenario *scenario)
{
    check_name(document, scenario, "flatter", scenario->flatter);
    for (size_t i = 0; i < scenario->orchestrator_count; i++) {
        const char *at = scenario->orchestrators[i].nodes;
        while (*at) {
            size_t length = strcspn(at, ",");
            check_name(document, scenario, "nodes",
                       arena_text(document->arena, at, length));
            at += length + (at[length] == ',');
        }
    }
}

/* ---- files --------------------------------------------------------------- */

static enum err read_document(struct scenario *scenario,
                              struct config_document *document)
{
    struct behaviour defaults = {0};
    config_table_defaults(&scenario->arena, &top_table, scenario);
    scenario->seed = -1;
    config_table_read(document, document->root, &top_table, scenario);
    config_table_defaults(&scenario->arena, &behaviour_table, &defaults);
    const struct config_node *node =
        config_node_member(document->root, "defaults");
    if (node)
        read_behaviour(document, node, &defaults);
    read_orchestrators(document, scenario, &defaults);
    check_names(document, scenario);
    return config_problems_verdict(&scenario->problems, "mend this one first");
}

static struct config_document document_of(struct scenario *scenario)
{
    *scenario = (struct scenario){0};
    return (struct config_document){.arena = &scenario->arena,
                                    .problems = &scenario->problems};
}

enum err scenario_load(struct scenario *scenario, const char *path)
{
    struct config_document document = document_of(scenario);
    config_document_load(&document, path);
    return read_document(scenario, &document);
}

enum err scenario_load_bytes(struct scenario *scenario, const char *name,
                             const char *bytes, size_t length)
{
    struct config_document document = document_of(scenario);
    config_document_read(&document, name, bytes, length);
    return read_document(scenario, &document);
}

void scenario_steady(struct scenario *scenario, size_t count)
{
    struct behaviour behaviour = {0};
    *scenario = (struct scenario){.seed = -1, .flatter = ""};
    config_table_defaults(&scenario->arena, &behaviour_table, &behaviour);
    behaviour.count = (int64_t)count;
    /* They are called alike in any number: the last part tells them apart. */
    (void)add_orchestrators(scenario, &behaviour);
}

void scenario_free(struct scenario *scenario)
{
    arena_free(&scenario->arena);
    *scenario = (struct scenario){0};
}

void scenario_default_yaml(struct buf *out)
{
    config_table_yaml(out, &behaviour_table,
                      "Every option of an orchestrator with its default. A "
                      "scenario sets them under defaults, for all, or in an "
                      "entry of the list orchestrators, for one; outages is a "
                      "list of entries {from: 2m, to: 3m}.");
}

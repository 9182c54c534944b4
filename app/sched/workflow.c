/*
 * workflow.c: reading workflows and prompts, see workflow.h.
 */
#include "sched/workflow.h"

#include "base/json.h"
#include "rollup/rollup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define OPTION(name, of_type, of, usual, words)                                \
    .path = name, .type = of_type, .offset = of, .standard = usual,            \
    .help = words

static const char *const class_words[] = {"good", "random", "bad"};

const char *prompt_class_name(enum prompt_class class)
{
    return class_words[class];
}

/* ---- tables -------------------------------------------------------------- */

#define IN_WORKFLOW(member) offsetof(struct workflow, member)

static const struct config_key workflow_options[] = {
    {OPTION("name", CONFIG_TEXT, IN_WORKFLOW(name), "",
            "What it is called in plans and runs.")},
    {OPTION("pipeline", CONFIG_TEXT, IN_WORKFLOW(pipeline),
            "live-video-to-video", "The network's pipeline.")},
    {OPTION("model", CONFIG_TEXT, IN_WORKFLOW(model), "",
            "The model that a job asks for.")},
    {OPTION("image", CONFIG_TEXT, IN_WORKFLOW(image), "",
            "A note for people: no message tells which image runs.")},
    {OPTION("prompts", CONFIG_TEXT, IN_WORKFLOW(prompts), "bootstrap",
            "A built-in set of prompts, or the path of a file.")},
    {OPTION("prompt_parameter", CONFIG_TEXT, IN_WORKFLOW(prompt_parameter),
            "prompt", "The parameter that takes a prompt.")},
    {OPTION("price_ceiling_wei", CONFIG_INT, IN_WORKFLOW(price_ceiling_wei),
            "0", "What one run may cost."),
     .most = INT64_MAX, .unit = "wei"},
    {OPTION("targets.success_rate", CONFIG_NUMBER,
            IN_WORKFLOW(targets.success_rate), "0",
            "Share of runs that succeed, at the least."),
     .most = 1},
    {OPTION("targets.ptff_ms", CONFIG_NUMBER, IN_WORKFLOW(targets.ptff_ms), "0",
            "Prompt to first frame, at the most."),
     .most = 3600000},
    {OPTION("targets.output_fps", CONFIG_NUMBER,
            IN_WORKFLOW(targets.output_fps), "0",
            "Frames per second, at the least."),
     .most = 1000},
    {OPTION("targets.jitter_fps", CONFIG_NUMBER,
            IN_WORKFLOW(targets.jitter_fps), "0",
            "Deviation of frames per second over their mean, at the most."),
     .most = 1000},
};
static const char *const workflow_others[] = {"parameters", "metrics", "report",
                                              NULL};
static const struct config_table workflow_table = {
    "workflow", workflow_options, COUNT_OF(workflow_options), workflow_others,
    "a file that `assay plan workflow NAME` prints shows all"};

static const struct config_key set_options[] = {
    {OPTION("name", CONFIG_TEXT, offsetof(struct prompt_set, name), "",
            "What the set is called.")},
    {OPTION("version", CONFIG_INT, offsetof(struct prompt_set, version), "1",
            "Counts up whenever the set changes."),
     .least = 1, .most = 1000000},
};
static const char *const set_others[] = {"prompts", NULL};
static const struct config_table set_table = {
    "set of prompts", set_options, COUNT_OF(set_options), set_others,
    "a set has name, version and prompts"};

static const struct config_key prompt_options[] = {
    {OPTION("id", CONFIG_TEXT, offsetof(struct prompt, id), "",
            "Its name in runs.")},
    {OPTION("class", CONFIG_CHOICE, offsetof(struct prompt, class), "good",
            "Which kind of prompt it is."),
     .choices = "good|random|bad"},
    {OPTION("text", CONFIG_TEXT, offsetof(struct prompt, text), "",
            "The prompt.")},
};
static const struct config_table prompt_table = {
    "prompt", prompt_options, COUNT_OF(prompt_options), NULL,
    "a prompt has id, class and text"};

/* ---- parameters ---------------------------------------------------------- */

/* YAML does not say of "12" whether it is a number: what is JSON as it stands
 * (a number, true, false, null) stays so, all else is a text. */
static bool is_plain_json(const char *text)
{
    struct arena arena = {0};
    struct yyjson_val *value = json_parse(&arena, text, strlen(text));
    bool plain = value && !json_is_string(value) && !json_is_object(value) &&
                 !json_is_array(value);
    arena_free(&arena);
    return plain;
}

static void write_node(struct json_writer *writer,
                       const struct config_node *node)
{
    bool map = node->kind == CONFIG_NODE_MAP;
    if (map || node->kind == CONFIG_NODE_LIST) {
        json_begin(writer, map ? '{' : '[');
        for (const struct config_node *at = node->members; at; at = at->next) {
            if (map)
                json_key(writer, at->key);
            write_node(writer, at);
        }
        json_end(writer, map ? '}' : ']');
    } else if (node->kind != CONFIG_NODE_SCALAR) {
        json_null(writer);
    } else if (is_plain_json(node->text)) {
        json_raw(writer, text_of(node->text));
    } else {
        json_string(writer, node->text);
    }
}

static const char *parameters_of(struct config_document *file,
                                 const struct config_node *node)
{
    struct buf out = {0};
    struct json_writer writer = {.out = &out};
    if (node && node->kind != CONFIG_NODE_MAP)
        config_document_complain(file, node->line,
                                 "parameters is a section of names and values");
    if (node && node->kind == CONFIG_NODE_MAP)
        write_node(&writer, node);
    else
        buf_add_string(&out, "{}");
    const char *kept = arena_text(file->arena, out.data, out.length);
    buf_free(&out);
    return kept;
}

/* ---- lists of names ------------------------------------------------------ */

enum { ALLOWED_MAX = 80 };

/* Names that a list may hold. */
struct allowed {
    const char *names[ALLOWED_MAX];
    size_t count;
};

static struct allowed allowed_of(struct fields fields, bool figures_only)
{
    struct allowed allowed = {.count = 0};
    for (size_t i = 0; i < fields.exported && allowed.count < ALLOWED_MAX; i++)
        if (!figures_only || fields.list[i].kind == FIELD_DOUBLE ||
            fields.list[i].kind == FIELD_INT)
            allowed.names[allowed.count++] = fields.list[i].name;
    return allowed;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void complain_of_name(struct config_document *file,
                             const struct config_node *node, const char *what,
                             const struct allowed *allowed)
{
    const char *near = nearest_word(node->text, allowed->names, allowed->count);
    config_document_complain(
        file, node->line,
        "%s: nothing of a run is called %.60s%s%s%s; `assay metrics` lists "
        "all figures",
        what, node->text, near ? "; did you mean " : "", near ? near : "",
        near ? "?" : "");
}

static void read_names(struct config_document *file,
                       const struct config_node *node, const char *what,
                       const struct allowed *allowed,
                       const char *names[WORKFLOW_NAMES_MAX])
{
    size_t count = 0;
    names[0] = NULL;
    if (!node)
        return;
    if (node->kind != CONFIG_NODE_LIST) {
        config_document_complain(file, node->line, "%s is a list of names",
                                 what);
        return;
    }
    for (const struct config_node *at = node->members; at; at = at->next) {
        if (at->kind != CONFIG_NODE_SCALAR || count == WORKFLOW_NAMES_MAX - 1) {
            config_document_complain(file, at->line,
                                     "%s holds at most %d names", what,
                                     WORKFLOW_NAMES_MAX - 1);
            return;
        }
        if (!is_among(at->text, allowed->names, allowed->count))
            complain_of_name(file, at, what, allowed);
        if (is_among(at->text, names, count))
            config_document_complain(file, at->line, "%s names %.60s twice",
                                     what, at->text);
        names[count++] = at->text;
        names[count] = NULL;
    }
}

/* Whether the first figure that grows surer with a run's length is the rate.
 */
static bool is_rate_first(const char *const *metrics)
{
    static const char *const lasting[] = {
        "output_fps", "input_fps",  "jitter_fps", "jitter_interval",
        "freeze_ms",  "e2e_p50_ms", "e2e_p95_ms", "e2e_p99_ms"};
    for (; *metrics; metrics++)
        if (is_among(*metrics, lasting, COUNT_OF(lasting)))
            return !strcmp(*metrics, lasting[0]);
    return true;
}

/* ---- files --------------------------------------------------------------- */

static void hash_file(const char *bytes, size_t length,
                      char hex[2 * SHA256_BYTES + 1])
{
    uint8_t hash[SHA256_BYTES];
    hash_sha256(bytes, length, hash);
    hash_hex(hash, sizeof hash, hex);
}

static void want(struct config_document *file, const char *value,
                 const char *what)
{
    if (!*value)
        config_document_complain(file, 1, "%s is missing", what);
}

bool workflow_read(struct config_document *file, const char *bytes,
                   size_t length, struct workflow *workflow)
{
    *workflow = (struct workflow){.name = ""};
    config_table_defaults(file->arena, &workflow_table, workflow);
    config_document_read(file, file->name, bytes, length);
    config_table_read(file, file->root, &workflow_table, workflow);
    workflow->parameters =
        parameters_of(file, config_node_member(file->root, "parameters"));
    const struct allowed figures = allowed_of(run_fields, true);
    const struct allowed columns = allowed_of(run_group_fields, false);
    read_names(file, config_node_member(file->root, "metrics"), "metrics",
               &figures, workflow->metrics);
    read_names(file, config_node_member(file->root, "report"), "report",
               &columns, workflow->report);
    workflow->rate_ends_run = is_rate_first(workflow->metrics);
    want(file, workflow->name, "name");
    want(file, workflow->model, "model");
    hash_file(bytes, length, workflow->sha256);
    return !file->problems->count;
}

static void read_prompt(struct config_document *file,
                        const struct config_node *node, struct prompt *prompt)
{
    config_table_defaults(file->arena, &prompt_table, prompt);
    if (node->kind != CONFIG_NODE_MAP) {
        config_document_complain(file, node->line, "%s", prompt_table.advice);
        return;
    }
    config_table_read(file, node, &prompt_table, prompt);
    if (!*prompt->id || !*prompt->text)
        config_document_complain(file, node->line,
                                 "a prompt needs an id and a text");
    if (strlen(prompt->text) > PROMPT_MAX_BYTES)
        config_document_complain(file, node->line,
                                 "a prompt has at most %d bytes",
                                 PROMPT_MAX_BYTES);
}

static int compare_ids(const void *left, const void *right)
{
    const struct prompt *const *a = left;
    const struct prompt *const *b = right;
    return strcmp((*a)->id, (*b)->id);
}

static void check_ids(struct config_document *file,
                      const struct prompt_set *set)
{
    const struct prompt **order =
        arena_array(file->arena, set->count, sizeof *order);
    for (size_t i = 0; i < set->count; i++)
        order[i] = &set->prompts[i];
    if (set->count)
        qsort(order, set->count, sizeof *order, compare_ids);
    for (size_t i = 1; i < set->count; i++)
        if (!strcmp(order[i - 1]->id, order[i]->id))
            config_document_complain(file, 1, "two prompts have the id %.60s",
                                     order[i]->id);
}

bool prompts_read(struct config_document *file, const char *bytes,
                  size_t length, struct prompt_set *set)
{
    *set = (struct prompt_set){.name = ""};
    config_table_defaults(file->arena, &set_table, set);
    config_document_read(file, file->name, bytes, length);
    config_table_read(file, file->root, &set_table, set);
    const struct config_node *list = config_node_member(file->root, "prompts");
    size_t count = 0;
    bool is_list = list && list->kind == CONFIG_NODE_LIST && list->members;
    for (const struct config_node *at = is_list ? list->members : NULL; at;
         at = at->next)
        count++;
    if (!count || count > PROMPTS_MAX) {
        config_document_complain(file, list ? list->line : 1,
                                 "prompts is a list of 1 to %d", PROMPTS_MAX);
        return false;
    }
    set->prompts = arena_array(file->arena, count, sizeof *set->prompts);
    for (const struct config_node *at = list->members; at; at = at->next)
        read_prompt(file, at, &set->prompts[set->count++]);
    check_ids(file, set);
    want(file, set->name, "name");
    hash_file(bytes, length, set->sha256);
    return !file->problems->count;
}

const char *workflow_parameters(struct arena *arena,
                                const struct workflow *workflow,
                                const struct prompt *prompt)
{
    struct buf out = {0};
    struct text own = text_of(workflow->parameters);
    if (!*workflow->prompt_parameter)
        return workflow->parameters;
    struct json_writer writer = {.out = &out};
    json_begin(&writer, '{');
    json_key(&writer, workflow->prompt_parameter);
    json_string(&writer, prompt->text);
    if (own.length > 2) {
        buf_add_byte(&out, ',');
        buf_add(&out, own.data + 1, own.length - 2);
    }
    buf_add_byte(&out, '}');
    const char *kept = arena_text(arena, out.data, out.length);
    buf_free(&out);
    return kept;
}

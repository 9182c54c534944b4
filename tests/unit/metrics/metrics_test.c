/*
 * No figure without a definition, no definition without a figure.
 */
#include "journal/journal.h"
#include "metrics/metrics.h"
#include "rollup/rollup.h"

#include "harness.h"

#include <string.h>

/* Fields of rows that say what a row is about, and measure nothing. */
static const char *const keys[] = {"run_id",
                                   "kind",
                                   "workflow",
                                   "orchestrator_url",
                                   "signing_address",
                                   "vantage",
                                   "started_at",
                                   "prompt_id",
                                   "prompt_class",
                                   "plan_hash",
                                   "samples_sha256",
                                   "window_start",
                                   "org",
                                   "orchestrator_address",
                                   "gateway",
                                   "region",
                                   "pipeline_id",
                                   "model_id",
                                   "gpu_id",
                                   "gpu_model_name",
                                   "runner_version",
                                   "cuda_version",
                                   "sla_semantics_version",
                                   "execution_mode",
                                   "capability_family",
                                   "capability_name",
                                   "capability_id",
                                   "canonical_pipeline",
                                   "canonical_model",
                                   "orchestrator_uri"};

static bool is_key(const char *name)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], name) == 0)
            return true;
    return false;
}

static bool has_field(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->exported; i++)
        if (strcmp(fields->list[i].name, name) == 0)
            return true;
    return false;
}

static const struct {
    unsigned set;
    const struct fields *fields;
} rows_of_sets[] = {{METRIC_RUN, &run_fields},
                    {METRIC_SLA, &sla_fields},
                    {METRIC_SLA | METRIC_ASSAY, &sla_assay_fields},
                    {METRIC_DEMAND, &demand_fields},
                    {METRIC_GPU, &gpu_fields},
                    {METRIC_REQUESTS, &request_demand_fields},
                    {METRIC_PERCENTILES, &percentile_fields},
                    {METRIC_PROMPTS, &prompt_share_fields}};

TEST(every_figure_of_a_row_has_a_definition)
{
    EACH_ROW (row, rows_of_sets) {
        for (size_t i = 0; i < row->fields->exported; i++) {
            const char *name = row->fields->list[i].name;
            const struct metric *metric = metric_find(name, row->set);
            if (is_key(name) != !metric)
                CHECK_EQ_TEXT(name, metric ? "a key" : "defined");
        }
    }
}

TEST(gpu_hours_add_nothing_that_scores_by_lens_assay_have_not)
{
    for (size_t i = 0; i < gpu_assay_fields.exported; i++) {
        const char *name = gpu_assay_fields.list[i].name;
        if (!is_key(name) && !metric_find(name, METRIC_GPU | METRIC_ASSAY))
            CHECK_EQ_TEXT(name, "defined");
    }
}

/* Every metric of every chapter, as ONE. */
#define EACH_METRIC(one)                                                       \
    for (size_t chapter = 0; metric_chapters[chapter].title; chapter++)        \
        for (const struct metric *one = metric_chapters[chapter].metrics;      \
             one->name; one++)

TEST(every_definition_is_of_a_figure_that_exists)
{
    EACH_METRIC(one)
    {
        CHECK(one->sets != 0);
        EACH_ROW (row, rows_of_sets) {
            if (one->sets & row->set && !has_field(row->fields, one->name))
                CHECK_EQ_TEXT(one->name, "a field of its rows");
        }
    }
}

static bool is_class(const struct metric_class *class, char letter)
{
    if (!letter || letter == '-')
        return true;
    for (; class->letter; class ++)
        if (class->letter == letter)
            return true;
    return false;
}

static bool is_sentence(const char *text)
{
    return text && strlen(text) > 10 && text[strlen(text) - 1] == '.';
}

TEST(definitions_are_whole)
{
    EACH_METRIC(one)
    {
        bool whole = one->title && one->unit && one->source &&
                     is_sentence(one->definition) &&
                     is_class(statistics_classes, one->statistics) &&
                     is_class(comparability_classes, one->comparability);
        if (!whole)
            CHECK_EQ_TEXT(one->name, "a whole definition");
        /* A name has one definition in each set. */
        for (unsigned set = 1; set < METRIC_SETS_END; set <<= 1)
            if (one->sets & set)
                CHECK(metric_find(one->name, set) == one);
    }
}

/* Sums, scores and minutes are always there, and percentiles in their rows. */
static bool may_lack_null_rule(const char *name)
{
    return strstr(name, "_sum") || strstr(name, "_score") ||
           (name[0] == 'p' && name[1] >= '0' && name[1] <= '9') ||
           strcmp(name, "total_minutes") == 0 ||
           strcmp(name, "ticket_face_value_eth") == 0;
}

TEST(figures_that_may_be_null_say_when)
{
    EACH_ROW (row, rows_of_sets) {
        for (size_t i = 0; i < row->fields->exported; i++) {
            const struct field *field = &row->fields->list[i];
            const struct metric *metric = metric_find(field->name, row->set);
            if (field->kind == FIELD_DOUBLE && metric && !metric->null_when &&
                !may_lack_null_rule(field->name))
                CHECK_EQ_TEXT(field->name, "with a rule for null");
        }
    }
}

TEST(sets_and_directions_have_names)
{
    for (unsigned set = 1; set < METRIC_SETS_END; set <<= 1)
        CHECK_EQ_INT(metric_set_named(metric_set_name((enum metric_set)set)),
                     set);
    CHECK_EQ_INT(metric_set_named("banana"), 0);
    CHECK_EQ_TEXT(metric_direction_name(LOWER_IS_BETTER), "lower");
    CHECK(!metric_find("banana", ~0u));
    CHECK(!metric_find("ptff_ms", METRIC_SLA));
}

TEST(the_registry_is_written_as_json_that_reads_back)
{
    struct arena arena = {0};
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    json_begin(&writer, '{');
    metrics_write_json(&writer);
    json_end(&writer, '}');
    struct yyjson_val *root = json_parse(&arena, text.data, text.length);
    REQUIRE(root != NULL);
    size_t count = 0;
    EACH_METRIC(one)
    count++;
    CHECK_EQ_INT(json_count(json_get(root, "metrics")), count);
    CHECK_EQ_INT(json_count(json_get(root, "reasons")), REASON_COUNT - 1);
    CHECK_EQ_INT(json_count(json_get(root, "statistics")), 5);
    CHECK_EQ_INT(json_count(json_get(root, "comparability")), 3);
    buf_free(&text);
    arena_free(&arena);
}

TEST(the_hash_is_over_the_bytes_of_the_member_metrics)
{
    static const char key[] = "\"metrics\":";
    char wanted[2 * SHA256_BYTES + 1];
    char got[2 * SHA256_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    json_begin(&writer, '{');
    metrics_write_json(&writer);
    const char *member = strstr(buf_string(&text), key);
    REQUIRE(member != NULL);
    member += strlen(key);
    hash_sha256(member, (size_t)(text.data + text.length - member), hash);
    hash_hex(hash, sizeof hash, wanted);
    metrics_hash(got);
    CHECK_EQ_TEXT(got, wanted);
    CHECK(strstr(text.data, wanted) != NULL);
    buf_free(&text);
}

TEST(the_document_names_every_metric_and_reason)
{
    struct buf out = {0};
    struct buf heading = {0};
    metrics_write_markdown(&out);
    const char *text = buf_string(&out);
    EACH_METRIC(one)
    {
        buf_clear(&heading);
        buf_printf(&heading, "\n### `%s`: %s\n", one->name, one->title);
        if (!strstr(text, buf_string(&heading)))
            CHECK_EQ_TEXT(one->name, "in the document");
    }
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        buf_clear(&heading);
        buf_printf(&heading, "\n| %s | ", reason_entry((enum reason)i)->name);
        CHECK(strstr(text, buf_string(&heading)) != NULL);
    }
    buf_free(&heading);
    buf_free(&out);
}

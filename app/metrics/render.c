/*
 * render.c: the registry as JSON for programs and as a Markdown document for
 * readers. Both say the same.
 */
#include "metrics/metrics_int.h"

#include "journal/journal.h"

#include <string.h>

/* ---- JSON ---------------------------------------------------------------- */

static void add_text(struct json_writer *writer, const char *key,
                     const char *value)
{
    json_key(writer, key);
    if (value)
        json_string(writer, value);
    else
        json_null(writer);
}

/* Null for the letter of no class. */
static void add_letter(struct json_writer *writer, const char *key, char letter)
{
    const char text[2] = {letter, '\0'};
    add_text(writer, key, letter && letter != '-' ? text : NULL);
}

static void add_sets(struct json_writer *writer, unsigned sets)
{
    json_key(writer, "sets");
    json_begin(writer, '[');
    for (unsigned set = 1; set < METRIC_SETS_END; set <<= 1)
        if (sets & set)
            json_string(writer, metric_set_name((enum metric_set)set));
    json_end(writer, ']');
}

void metric_write_json(struct json_writer *writer, const struct metric *metric)
{
    json_begin(writer, '{');
    add_text(writer, "name", metric->name);
    add_sets(writer, metric->sets);
    add_text(writer, "title", metric->title);
    add_text(writer, "unit", metric->unit);
    add_text(writer, "better", metric_direction_name(metric->direction));
    add_letter(writer, "statistics", metric->statistics);
    add_letter(writer, "comparability", metric->comparability);
    add_text(writer, "counterpart", metric->counterpart);
    add_text(writer, "target", metric->target);
    add_text(writer, "definition", metric->definition);
    add_text(writer, "formula", metric->formula);
    add_text(writer, "null_when", metric->null_when);
    add_text(writer, "source", metric->source);
    json_end(writer, '}');
}

static void add_metrics(struct json_writer *writer)
{
    json_begin(writer, '[');
    for (size_t i = 0; metric_chapters[i].title; i++)
        for (const struct metric *one = metric_chapters[i].metrics; one->name;
             one++)
            metric_write_json(writer, one);
    json_end(writer, ']');
}

void metrics_hash(char hex[2 * SHA256_BYTES + 1])
{
    uint8_t hash[SHA256_BYTES];
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    add_metrics(&writer);
    hash_sha256(text.data, text.length, hash);
    hash_hex(hash, sizeof hash, hex);
    buf_free(&text);
}

static void add_classes(struct json_writer *writer, const char *key,
                        const struct metric_class *class)
{
    json_key(writer, key);
    json_begin(writer, '[');
    for (; class->letter; class ++) {
        json_begin(writer, '{');
        add_letter(writer, "class", class->letter);
        add_text(writer, "name", class->name);
        add_text(writer, "meaning", class->meaning);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static void add_reasons(struct json_writer *writer)
{
    json_key(writer, "reasons");
    json_begin(writer, '[');
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const struct reason_entry *entry = reason_entry((enum reason)i);
        json_begin(writer, '{');
        add_text(writer, "reason", entry->name);
        add_text(writer, "outcome", outcome_name(entry->outcome));
        add_text(writer, "meaning", entry->meaning);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

void metrics_write_json(struct json_writer *writer)
{
    char hex[2 * SHA256_BYTES + 1];
    metrics_hash(hex);
    add_text(writer, "sha256", hex);
    json_key(writer, "rules");
    json_begin(writer, '[');
    for (size_t i = 0; metric_rules[i]; i++)
        json_string(writer, metric_rules[i]);
    json_end(writer, ']');
    add_classes(writer, "statistics", statistics_classes);
    add_classes(writer, "comparability", comparability_classes);
    add_reasons(writer);
    json_key(writer, "metrics");
    add_metrics(writer);
}

/* ---- Markdown ------------------------------------------------------------ */

static void add_bullets(struct buf *out, const struct metric *metric)
{
    const struct {
        const char *label;
        const char *text;
        const char *mark;
    } lines[] = {
        {"Formula", metric->formula, "`"},
        {"Null when", metric->null_when, ""},
        {"Goal", metric->target, ""},
        {"Compared with", metric->counterpart, "`"},
        {"Source", metric->source, ""},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].text)
            buf_printf(out, "- %s: %s%s%s\n", lines[i].label, lines[i].mark,
                       lines[i].text, lines[i].mark);
}

/* "Class P, B." as part of the line of facts. */
static void add_class_facts(struct buf *out, const struct metric *metric)
{
    if (metric->statistics && metric->statistics != '-')
        buf_printf(out, " · statistics %c", metric->statistics);
    if (metric->comparability && metric->comparability != '-')
        buf_printf(out, " · comparability %c", metric->comparability);
}

static void add_set_names(struct buf *out, unsigned sets)
{
    const char *comma = "";
    for (unsigned set = 1; set < METRIC_SETS_END; set <<= 1) {
        if (sets & set) {
            buf_printf(out, "%s%s", comma,
                       metric_set_name((enum metric_set)set));
            comma = ", ";
        }
    }
}

static void add_metric(struct buf *out, const struct metric *metric)
{
    buf_printf(out, "### `%s`: %s\n\n*Rows: ", metric->name, metric->title);
    add_set_names(out, metric->sets);
    buf_printf(out, " · unit %s", metric->unit);
    if (metric->direction != NEITHER_IS_BETTER)
        buf_printf(out, " · %s is better",
                   metric_direction_name(metric->direction));
    add_class_facts(out, metric);
    buf_printf(out, "*\n\n%s\n\n", metric->definition);
    add_bullets(out, metric);
    buf_add_byte(out, '\n');
}

static void add_class_table(struct buf *out, const char *title,
                            const struct metric_class *class)
{
    buf_printf(out, "## %s\n\n| class | name | meaning |\n|---|---|---|\n",
               title);
    for (; class->letter; class ++)
        buf_printf(out, "| %c | %s | %s |\n", class->letter, class->name,
                   class->meaning);
    buf_add_byte(out, '\n');
}

static void add_reason_table(struct buf *out)
{
    buf_add_string(out, "## Reasons and outcomes of runs\n\n"
                        "| reason | outcome | meaning |\n|---|---|---|\n");
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        const struct reason_entry *entry = reason_entry((enum reason)i);
        buf_printf(out, "| %s | %s | %s |\n", entry->name,
                   outcome_name(entry->outcome), entry->meaning);
    }
    buf_add_byte(out, '\n');
}

void metrics_write_markdown(struct buf *out)
{
    char hex[2 * SHA256_BYTES + 1];
    metrics_hash(hex);
    buf_printf(out,
               "# Metrics\n\nWhat every figure means, measured or published. "
               "Made by `assay metrics --markdown` of assay " ASSAY_VERSION
               "; SHA-256 of the definitions (`assay metrics --json`, member "
               "`metrics`):\n`%s`.\n\n## Rules for all of them\n\n",
               hex);
    for (size_t i = 0; metric_rules[i]; i++)
        buf_printf(out, "%zu. %s\n", i + 1, metric_rules[i]);
    buf_add_byte(out, '\n');
    add_class_table(out, "Classes of statistics", statistics_classes);
    add_class_table(out, "Classes of comparability", comparability_classes);
    for (size_t i = 0; metric_chapters[i].title; i++) {
        buf_printf(out, "## %s\n\n%s\n\n", metric_chapters[i].title,
                   metric_chapters[i].about);
        for (const struct metric *one = metric_chapters[i].metrics; one->name;
             one++)
            add_metric(out, one);
    }
    add_reason_table(out);
}

/*
 * metrics.c: `assay metrics`: the definitions by which numbers are computed,
 * from the registry (metrics/metrics.h) and the table of a lens's switches.
 */
#include "metrics/metrics.h"
#include "cli/builtin_files.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "rollup/rollup.h"

#include <string.h>

static const struct option options[] = {
    {.name = "--markdown",
     .type = OPTION_FLAG,
     .help = "all definitions as a document"},
    {.name = "--format",
     .value = TABLE_FORMATS,
     .type = OPTION_CHOICE,
     .help = "of switches: as rows instead of paragraphs"},
    {0}};

static const struct example examples[] = {
    {"assay metrics", "every metric with its unit and classes"},
    {"assay metrics jitter_fps", "one of them in full"},
    {"assay metrics --markdown > metrics.md", "the whole document"},
    {"assay metrics switches",
     "where the publisher's code departs from its documents"},
    {"assay metrics scorecard assay > mine.yaml",
     "begin a scorecard of your own, for `assay export scores`"},
    {0}};

/* ---- switches ------------------------------------------------------------ */

static const struct column switch_columns[] = {
    {"name", COLUMN_TEXT},      {"source", COLUMN_TEXT},
    {"published", COLUMN_TEXT}, {"formula", COLUMN_TEXT},
    {"effect", COLUMN_TEXT},
};

static enum err print_switch_rows(const char *format)
{
    struct table *table =
        table_open(stdout, table_format_named(format), switch_columns, 5);
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < LENS_SWITCHES; i++) {
        const struct lens_departure *one = &lens_departures[i];
        table_text(table, text_of(one->name));
        table_text(table, text_of(one->source));
        table_text(table, text_of(one->published));
        table_text(table, text_of(one->formula));
        table_text(table, text_of(one->effect));
        err = table_end_row(table);
    }
    enum err closed = table_close(table);
    return err ? err : closed;
}

static void print_switch_paragraphs(void)
{
    for (size_t i = 0; i < LENS_SWITCHES; i++) {
        const struct lens_departure *one = &lens_departures[i];
        printf("%s%s\n    source     %s\n    published  %s\n"
               "    formula    %s\n    effect     %s\n",
               i ? "\n" : "", one->name, one->source, one->published,
               one->formula, one->effect);
    }
}

static enum err print_switches(struct invocation *invocation)
{
    const char *format = option_text(invocation, "--format");
    if (invocation->json && !format)
        format = "ndjson";
    if (format)
        return print_switch_rows(format);
    print_switch_paragraphs();
    return ERR_NONE;
}

/* ---- the document -------------------------------------------------------- */

static void add_switches(struct buf *out)
{
    buf_add_string(out, "## Switches of the lens `assay`\n\n"
                        "Where the publisher's code departs from its "
                        "documents. The lens `published` has none of these "
                        "switches on, the lens `assay` all.\n\n");
    for (size_t i = 0; i < LENS_SWITCHES; i++) {
        const struct lens_departure *one = &lens_departures[i];
        buf_printf(out,
                   "### `%s`\n\n- Published: %s\n- Instead: %s\n"
                   "- Effect: %s\n- Source: %s\n%s",
                   one->name, one->published, one->formula, one->effect,
                   one->source, i + 1 < LENS_SWITCHES ? "\n" : "");
    }
}

static void print_markdown(void)
{
    struct buf out = {0};
    metrics_write_markdown(&out);
    add_switches(&out);
    fwrite(out.data, 1, out.length, stdout);
    buf_free(&out);
}

static void print_json(void)
{
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    json_begin(&writer, '{');
    metrics_write_json(&writer);
    json_key(&writer, "switches");
    lens_departures_write(&writer);
    json_end(&writer, '}');
    printf("%s\n", buf_string(&line));
    buf_free(&line);
}

/* ---- metrics ------------------------------------------------------------- */

static void print_list(void)
{
    for (size_t i = 0; metric_chapters[i].title; i++) {
        printf("%s%s\n", i ? "\n" : "", metric_chapters[i].title);
        for (const struct metric *one = metric_chapters[i].metrics; one->name;
             one++)
            printf("  %-36s %-13s %c %c  %s\n", one->name, one->unit,
                   one->statistics ? one->statistics : '-',
                   one->comparability ? one->comparability : '-', one->title);
    }
    printf("\nThe letters are the classes of statistics and of comparability. "
           "`assay metrics NAME`\nshows a definition, `assay metrics "
           "--markdown` all of them.\n");
}

static void print_line(const char *label, const char *text)
{
    enum { LABEL_COLUMNS = 15 };
    if (!text)
        return;
    printf("%-*s", LABEL_COLUMNS, label);
    print_wrapped(stdout, LABEL_COLUMNS, LABEL_COLUMNS, text);
}

static void print_class(const char *label, const struct metric_class *class,
                        char letter)
{
    for (; class->letter; class ++) {
        if (class->letter != letter)
            continue;
        struct buf text = {0};
        buf_printf(&text, "%c, %s: %s", letter, class->name, class->meaning);
        print_line(label, buf_string(&text));
        buf_free(&text);
    }
}

static void print_metric(const char *chapter, const struct metric *metric)
{
    printf("%s: %s\n\n", metric->name, metric->title);
    print_line("chapter", chapter);
    print_line("unit", metric->unit);
    print_line("better", metric_direction_name(metric->direction));
    print_line("definition", metric->definition);
    print_line("formula", metric->formula);
    print_line("null when", metric->null_when);
    print_line("goal", metric->target);
    print_line("compared with", metric->counterpart);
    print_line("source", metric->source);
    print_class("statistics", statistics_classes, metric->statistics);
    print_class("comparability", comparability_classes, metric->comparability);
}

static void print_metric_json(const struct metric *metric)
{
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    metric_write_json(&writer, metric);
    printf("%s\n", buf_string(&line));
    buf_free(&line);
}

static enum err unknown_metric(const char *name)
{
    enum { NAMES_MAX = 256 };
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; metric_chapters[i].title; i++)
        for (const struct metric *one = metric_chapters[i].metrics;
             one->name && count < NAMES_MAX; one++)
            names[count++] = one->name;
    const char *near = nearest_word(name, names, count);
    return err_set(ERR_USAGE,
                   "no metric is called '%.60s'%s%s%s; `assay metrics` lists "
                   "them",
                   name, near ? "; did you mean " : "", near ? near : "",
                   near ? "?" : "");
}

/* A name may stand in several chapters. */
static enum err print_named(const char *name, bool json)
{
    size_t found = 0;
    for (size_t i = 0; metric_chapters[i].title; i++) {
        const struct metric *one = metric_chapters[i].metrics;
        for (; one->name; one++) {
            if (strcmp(one->name, name) != 0)
                continue;
            if (found++ && !json)
                printf("\n");
            if (json)
                print_metric_json(one);
            else
                print_metric(metric_chapters[i].title, one);
        }
    }
    return found ? ERR_NONE : unknown_metric(name);
}

static enum err run(struct invocation *invocation)
{
    const char *name =
        invocation->argument_count ? invocation->arguments[0] : NULL;
    if (name && strcmp(name, "scorecard") == 0)
        return print_builtin_files(invocation, 1, scorecard_files, "scorecard");
    if (invocation->argument_count > 1)
        return err_set(ERR_USAGE, "one name at a time: assay metrics NAME");
    if (name && strcmp(name, "switches") == 0)
        return print_switches(invocation);
    if (option_text(invocation, "--format"))
        return err_set(ERR_USAGE, "--format is for `assay metrics switches`; "
                                  "otherwise there are --json and --markdown");
    if (name)
        return print_named(name, invocation->json);
    if (option_flag(invocation, "--markdown"))
        print_markdown();
    else if (invocation->json)
        print_json();
    else
        print_list();
    return ERR_NONE;
}

const struct command command_metrics = {
    .name = "metrics",
    .summary = "print the definitions behind the numbers",
    .arguments = "[NAME | switches | scorecard [NAME]]",
    .about =
        "Every figure that is measured or published has a definition: unit, "
        "formula, when it is null, where it comes from, how many runs are "
        "judged together (statistics) and what a comparison of our figure with "
        "the published one says (comparability). --json and --markdown print "
        "all of it.\n\n"
        "The lens `published` computes what the publisher's code does; the "
        "lens `assay` turns on, switch by switch, what its documents say. "
        "`switches` names each with its source, what is published, the formula "
        "that takes its place, and its effect. `assay export sla --switch "
        "NAME` shows every row with that one departure corrected.\n\n"
        "`scorecard` lists the scorecards that are built in, or prints the "
        "file of one.",
    .options = options,
    .examples = examples,
    .most = 2,
    .prints_json = true,
    .without_config = true,
    .run = run,
};

/*
 * metrics.c: `assay metrics`: the definitions by which numbers are computed.
 */
#include "cli/cli.h"
#include "cli/table.h"
#include "rollup/rollup.h"

static const struct option options[] = {
    {.name = "--format",
     .value = TABLE_FORMATS,
     .type = OPTION_CHOICE,
     .help = "how rows are printed (default: paragraphs)"},
    {0}};

static const struct example examples[] = {
    {"assay metrics switches",
     "where the publisher's code departs from its documents"},
    {0}};

static const struct column columns[] = {
    {"name", COLUMN_TEXT},      {"source", COLUMN_TEXT},
    {"published", COLUMN_TEXT}, {"formula", COLUMN_TEXT},
    {"effect", COLUMN_TEXT},
};

static enum err print_rows(const char *format)
{
    struct table *table =
        table_open(stdout, table_format_named(format), columns, 5);
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

static void print_paragraphs(void)
{
    for (size_t i = 0; i < LENS_SWITCHES; i++) {
        const struct lens_departure *one = &lens_departures[i];
        printf("%s%s\n    source     %s\n    published  %s\n"
               "    formula    %s\n    effect     %s\n",
               i ? "\n" : "", one->name, one->source, one->published,
               one->formula, one->effect);
    }
}

static enum err run_switches(struct invocation *invocation)
{
    const char *format = option_text(invocation, "--format");
    if (invocation->json && !format)
        format = "ndjson";
    if (format)
        return print_rows(format);
    print_paragraphs();
    return ERR_NONE;
}

static const struct verb verbs[] = {
    {"switches", "",
     "each departure of the publisher's code from its documents, as a switch",
     0, 0, run_switches},
    {0}};

const struct command command_metrics = {
    .name = "metrics",
    .summary = "print the definitions behind the numbers",
    .about =
        "The lens `published` computes what the publisher's code does; the "
        "lens "
        "`assay` turns on, switch by switch, what its documents say. A switch "
        "is named with its source, what is published, the formula that takes "
        "its place, and its effect. `assay export sla --switch NAME` shows "
        "every row with that one departure corrected.",
    .verbs = verbs,
    .options = options,
    .examples = examples,
    .prints_json = true,
    .without_config = true,
};

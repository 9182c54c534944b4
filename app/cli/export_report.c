/*
 * export_report.c: `assay export report --workflow NAME|FILE`: own runs of one
 * workflow as its file wants them shown, held against its targets.
 *
 * A row is an orchestrator's runs of --from to --to, apart by vantage, card and
 * whether they began cold. It has the columns that the workflow's `report`
 * names, then for each of its `targets` the target and whether it was met: null
 * where nothing was measured, since nothing is no miss. The figures are those
 * that scorecards take (run_group.h).
 */
#include "cli/export.h"
#include "sched/sched.h"

#include <math.h>
#include <string.h>

enum { TARGETS = 4, COLUMNS_MAX = WORKFLOW_NAMES_MAX + 2 * TARGETS };

struct target {
    const char *name; /* of the figure */
    const char *target_name;
    const char *met_name;
    double value; /* 0: none */
    bool at_least;
};

struct report {
    struct workflow workflow;
    struct target targets[TARGETS];
    struct column columns[COLUMNS_MAX];
    size_t column_count;
};

static const struct field *field_named(const char *name)
{
    return fields_named(run_group_fields, run_group_fields.exported, name);
}

static void add_column(struct report *report, const char *name,
                       enum column_kind kind)
{
    report->columns[report->column_count++] = (struct column){name, kind};
}

static void plan_columns(struct report *report)
{
    const struct workflow_targets *of = &report->workflow.targets;
    const struct target targets[TARGETS] = {
        {"success_rate", "success_rate_target", "success_rate_met",
         of->success_rate, true},
        {"ptff_ms", "ptff_ms_target", "ptff_ms_met", of->ptff_ms, false},
        {"output_fps", "output_fps_target", "output_fps_met", of->output_fps,
         true},
        {"jitter_fps", "jitter_fps_target", "jitter_fps_met", of->jitter_fps,
         false}};
    memcpy(report->targets, targets, sizeof targets);
    for (const char *const *name = report->workflow.report; *name; name++)
        add_column(report, *name, column_kind_of(field_named(*name)->kind));
    for (size_t i = 0; i < TARGETS; i++) {
        if (targets[i].value <= 0)
            continue;
        add_column(report, targets[i].target_name, COLUMN_DOUBLE);
        add_column(report, targets[i].met_name, COLUMN_FLAG);
    }
}

static void print_target(struct table *table, const struct target *target,
                         const struct run_group *group)
{
    double value = field_double(field_named(target->name), group);
    table_double(table, target->value);
    if (isnan(value))
        table_null(table);
    else
        table_flag(table, target->at_least ? value >= target->value
                                           : value <= target->value);
}

static enum err print_group(const struct report *report, struct table *table,
                            const struct run_group *group)
{
    for (const char *const *name = report->workflow.report; *name; name++)
        field_print(table, field_named(*name), group);
    for (size_t i = 0; i < TARGETS; i++)
        if (report->targets[i].value > 0)
            print_target(table, &report->targets[i], group);
    return table_end_row(table);
}

/* Groups of runs of one workflow. */
struct gathering {
    struct run_groups *groups;
    const struct workflow *workflow;
};

static enum err gather_hour(void *context, const struct run_hour *hour)
{
    const struct gathering *gathering = context;
    if (text_is(hour->workflow, gathering->workflow->name))
        run_groups_take(gathering->groups, hour);
    return ERR_NONE;
}

static enum err print_report(const struct exporting *exporting,
                             const void *context)
{
    const struct report *report = context;
    struct gathering gathering = {run_groups_new(SPLIT_GPU), &report->workflow};
    size_t count;
    enum err err = each_run_hour(exporting->invocation, exporting->store,
                                 gather_hour, &gathering);
    const struct run_group *rows = run_groups_end(gathering.groups, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = print_group(report, exporting->printed->table, &rows[i]);
    run_groups_free(gathering.groups);
    return err;
}

enum err export_report(struct invocation *invocation)
{
    struct report *report = arena_alloc(&invocation->arena, sizeof *report);
    *report = (struct report){.column_count = 0};
    const char *name = option_text(invocation, "--workflow");
    if (!name)
        return err_set(ERR_USAGE, "name the workflow: assay export report "
                                  "--workflow NAME|FILE; `assay plan workflow` "
                                  "lists those that are built in");
    enum err err = workflow_find(&invocation->arena, name, &report->workflow);
    if (!err && !report->workflow.report[0])
        err = err_set(ERR_USAGE,
                      "the workflow %.60s names no columns under "
                      "`report`",
                      report->workflow.name);
    if (err)
        return err;
    plan_columns(report);
    return export_columns(invocation, report->columns, report->column_count,
                          print_report, report);
}

/*
 * terms.c: see terms.h.
 */
#include "sched/terms.h"

#include "base/clock.h"
#include "sched/control_targets.h"

#include <string.h>

enum { WORKFLOWS_MAX = 64 };

static enum err add_workflow(struct arena *arena, struct text name,
                             struct terms_workflow *list, size_t *count)
{
    if (*count == WORKFLOWS_MAX)
        return err_set(ERR_CONFIG, "sched.workflows names more than %d",
                       WORKFLOWS_MAX);
    struct terms_workflow *one = &list[(*count)++];
    const char *copy = arena_text(arena, name.data, name.length);
    enum err err = workflow_find(arena, copy, &one->workflow);
    if (!err)
        err = prompts_find(arena, one->workflow.prompts, &one->prompts);
    return err ? err_wrap(ERR_CONFIG, "sched.workflows") : ERR_NONE;
}

static enum err read_workflows(struct arena *arena, const char *names,
                               struct terms *terms)
{
    struct terms_workflow *list =
        arena_array(arena, WORKFLOWS_MAX, sizeof *list);
    enum err err = ERR_NONE;
    for (const char *at = names; !err && *at;) {
        size_t length = strcspn(at, ",");
        size_t blank = strspn(at, " ");
        if (length > blank)
            err = add_workflow(arena, (struct text){at + blank, length - blank},
                               list, &terms->workflow_count);
        at += length + (at[length] == ',');
    }
    terms->workflows = list;
    if (!err && !terms->workflow_count)
        err = err_set(ERR_CONFIG, "sched.workflows names none");
    return err;
}

enum err terms_read(struct arena *arena, const struct config *config,
                    struct terms *terms)
{
    *terms = (struct terms){.vantage = config->sched_vantage,
                            .hour_ms = config->sched_hour_ms,
                            .span_ms = config->sched_span_hours * MS_PER_HOUR,
                            .run_ms = config->sched_run_ms,
                            .run_spread_ms = config->sched_run_spread_ms,
                            .idle_share_ppm = config->sched_idle_share_ppm,
                            .runs_per_hour = config->sched_runs_per_hour,
                            .run_ms_per_hour = config->sched_run_ms_per_hour,
                            .runs_at_once = config->sched_runs_at_once,
                            .run_wei = config->payment_run_max_wei,
                            .day_wei = config->payment_day_max_wei,
                            .tight_ppm = config->sched_tight_ppm,
                            .control_targets = config->sched_control_targets,
                            .control_fail_ppm = config->sched_control_fail_ppm,
                            .fleet_fail_ppm = config->sched_fleet_fail_ppm,
                            .fleet_window_ms = config->sched_fleet_window_ms};
    if (terms->run_spread_ms >= terms->run_ms)
        return err_set(ERR_CONFIG,
                       "sched.run_spread_ms must be less than sched.run_ms");
    if (MS_PER_DAY % terms->span_ms)
        return err_set(ERR_CONFIG, "sched.span_hours must divide 24");
    enum err err = control_targets_check(terms->control_targets);
    return err ? err : read_workflows(arena, config->sched_workflows, terms);
}

const struct terms_workflow *
terms_workflow(const struct terms *terms, struct text name, struct text sha256)
{
    for (size_t i = 0; i < terms->workflow_count; i++) {
        const struct terms_workflow *one = &terms->workflows[i];
        if (text_is(name, one->workflow.name) &&
            text_is(sha256, one->workflow.sha256))
            return one;
    }
    return NULL;
}

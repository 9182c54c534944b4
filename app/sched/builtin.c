/*
 * builtin.c: the workflows and prompts that the program brings, and finding
 * these and others by name, see workflow.h.
 */
#include "sched/workflow.h"

#define FILES "app/sched/files/"
BUILTIN_FILE(prompts_bootstrap, FILES "bootstrap.prompts.yaml");
BUILTIN_FILE(workflow_noop, FILES "noop.workflow.yaml");
BUILTIN_FILE(workflow_sd, FILES "streamdiffusion.workflow.yaml");
BUILTIN_FILE(workflow_sdxl, FILES "streamdiffusion-sdxl.workflow.yaml");
BUILTIN_FILE(workflow_sdxl_v2v, FILES "streamdiffusion-sdxl-v2v.workflow.yaml");
BUILTIN_FILE(workflow_sdxl_faceid,
             FILES "streamdiffusion-sdxl-faceid.workflow.yaml");

const struct config_builtin workflow_files[] = {
    {"noop", workflow_noop, workflow_noop_end},
    {"streamdiffusion", workflow_sd, workflow_sd_end},
    {"streamdiffusion-sdxl", workflow_sdxl, workflow_sdxl_end},
    {"streamdiffusion-sdxl-v2v", workflow_sdxl_v2v, workflow_sdxl_v2v_end},
    {"streamdiffusion-sdxl-faceid", workflow_sdxl_faceid,
     workflow_sdxl_faceid_end},
    {NULL, NULL, NULL},
};
const struct config_builtin prompt_files[] = {
    {"bootstrap", prompts_bootstrap, prompts_bootstrap_end},
    {NULL, NULL, NULL},
};

enum err workflow_find(struct arena *arena, const char *name,
                       struct workflow *workflow)
{
    struct buf owned = {0};
    struct text bytes;
    struct config_problems problems = {0};
    struct config_document file = {
        .arena = arena, .problems = &problems, .name = name};
    enum err err =
        config_builtin_find(workflow_files, name, "workflow", &owned, &bytes);
    if (!err && !workflow_read(&file, bytes.data, bytes.length, workflow))
        err = config_problems_verdict(&problems, "mend them one by one");
    buf_free(&owned);
    return err;
}

enum err prompts_find(struct arena *arena, const char *name,
                      struct prompt_set *set)
{
    struct buf owned = {0};
    struct text bytes;
    struct config_problems problems = {0};
    struct config_document file = {
        .arena = arena, .problems = &problems, .name = name};
    enum err err = config_builtin_find(prompt_files, name, "set of prompts",
                                       &owned, &bytes);
    if (!err && !prompts_read(&file, bytes.data, bytes.length, set))
        err = config_problems_verdict(&problems, "mend them one by one");
    buf_free(&owned);
    return err;
}

/*
 * builtin.c: the workflows and prompts that the program brings, and finding
 * these and others by name, see workflow.h. The files enter by .incbin, as the
 * clip does.
 */
#include "sched/workflow.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>

#define INCLUDE_FILE(symbol, path)                                             \
    __asm__(".pushsection .rodata." #symbol ", \"a\"\n" #symbol                \
            ": .incbin \"app/sched/files/" path "\"\n" #symbol "_end:\n"       \
            ".popsection\n");                                                  \
    extern const char symbol[];                                                \
    extern const char symbol##_end[]

INCLUDE_FILE(prompts_bootstrap, "bootstrap.prompts.yaml");
INCLUDE_FILE(workflow_noop, "noop.workflow.yaml");
INCLUDE_FILE(workflow_sd, "streamdiffusion.workflow.yaml");
INCLUDE_FILE(workflow_sdxl, "streamdiffusion-sdxl.workflow.yaml");
INCLUDE_FILE(workflow_sdxl_v2v, "streamdiffusion-sdxl-v2v.workflow.yaml");
INCLUDE_FILE(workflow_sdxl_faceid, "streamdiffusion-sdxl-faceid.workflow.yaml");

struct builtin {
    const char *name;
    const char *bytes;
    const char *end;
};

static const struct builtin workflows[] = {
    {"noop", workflow_noop, workflow_noop_end},
    {"streamdiffusion", workflow_sd, workflow_sd_end},
    {"streamdiffusion-sdxl", workflow_sdxl, workflow_sdxl_end},
    {"streamdiffusion-sdxl-v2v", workflow_sdxl_v2v, workflow_sdxl_v2v_end},
    {"streamdiffusion-sdxl-faceid", workflow_sdxl_faceid,
     workflow_sdxl_faceid_end},
    {NULL, NULL, NULL},
};
static const struct builtin prompt_sets[] = {
    {"bootstrap", prompts_bootstrap, prompts_bootstrap_end},
    {NULL, NULL, NULL},
};

const char *const workflow_names[] = {"noop",
                                      "streamdiffusion",
                                      "streamdiffusion-sdxl",
                                      "streamdiffusion-sdxl-v2v",
                                      "streamdiffusion-sdxl-faceid",
                                      NULL};

static const struct builtin *builtin_named(const struct builtin *list,
                                           const char *name)
{
    while (list->name && strcmp(list->name, name) != 0)
        list++;
    return list->name ? list : NULL;
}

/* The bytes of a built-in file, or of one on the disk, owned by OWNED. */
static enum err bytes_of(const struct builtin *list, const char *name,
                         const char *what, struct buf *owned,
                         struct text *bytes)
{
    const struct builtin *found = builtin_named(list, name);
    if (found) {
        *bytes =
            (struct text){found->bytes, (size_t)(found->end - found->bytes)};
        return ERR_NONE;
    }
    if (!file_read(name, CONFIG_FILE_MAX_BYTES, owned))
        return err_set(ERR_CONFIG,
                       "there is no built-in %s called %s, and no file: %s",
                       what, name, strerror(errno));
    if (owned->length > CONFIG_FILE_MAX_BYTES)
        return err_set(ERR_CONFIG, "%s is larger than %d bytes", name,
                       CONFIG_FILE_MAX_BYTES);
    *bytes = (struct text){owned->data, owned->length};
    return ERR_NONE;
}

enum err workflow_find(struct arena *arena, const char *name,
                       struct workflow *workflow)
{
    struct buf owned = {0};
    struct text bytes;
    struct config_problems problems = {0};
    struct config_document file = {
        .arena = arena, .problems = &problems, .name = name};
    enum err err = bytes_of(workflows, name, "workflow", &owned, &bytes);
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
    enum err err =
        bytes_of(prompt_sets, name, "set of prompts", &owned, &bytes);
    if (!err && !prompts_read(&file, bytes.data, bytes.length, set))
        err = config_problems_verdict(&problems, "mend them one by one");
    buf_free(&owned);
    return err;
}

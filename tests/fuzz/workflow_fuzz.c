/*
 * workflow_fuzz.c: any bytes as a workflow and as a set of prompts. What is
 * accepted has parameters that are JSON.
 */
#include "base/json.h"
#include "sched/workflow.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct workflow workflow;
    struct prompt_set set;
    struct config_problems problems = {0};
    struct config_document file = {
        .arena = &arena, .problems = &problems, .name = "fuzz"};
    static const struct prompt prompt = {"id", PROMPT_BAD, "\"\\\n"};
    if (workflow_read(&file, (const char *)data, size, &workflow)) {
        const char *json = workflow_parameters(&arena, &workflow, &prompt);
        if (!json_parse(&arena, json, strlen(json)))
            abort();
    }
    problems = (struct config_problems){0};
    if (prompts_read(&file, (const char *)data, size, &set) && !set.count)
        abort();
    arena_clear(&arena);
    return 0;
}

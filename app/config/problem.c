/*
 * problem.c: what is wrong with a configuration or another file of options,
 * collected.
 */
#include "config/keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PROBLEMS_MAX = 100, SENTENCE_BYTES = 600 };

static void problem_keep(struct arena *arena, struct config_problems *problems,
                         struct config_problem problem)
{
    problems->items = arena_grow(arena, problems->items, problems->count,
                                 sizeof *problems->items);
    problems->items[problems->count++] = problem;
}

void problem_add(struct arena *arena, struct config_problems *problems,
                 const char *where, const char *format, ...)
{
    /* A file that is wrong in every line is not our kind of file at all. */
    if (problems->count >= PROBLEMS_MAX)
        return;
    char what[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    problem_keep(arena, problems,
                 (struct config_problem){
                     .where = arena_text(arena, where, strlen(where)),
                     .what = arena_text(arena, what, strlen(what)),
                 });
}

const char *place_of_line(struct arena *arena, const char *name, size_t line)
{
    return arena_printf(arena, "%s:%zu", name, line);
}

enum err config_problems_verdict(const struct config_problems *problems,
                                 const char *all)
{
    if (!problems->count)
        return ERR_NONE;
    const struct config_problem *first = &problems->items[0];
    if (problems->count == 1)
        return err_set(ERR_CONFIG, "%s: %s", first->where, first->what);
    return err_set(ERR_CONFIG, "%s: %s (and %zu more; %s)", first->where,
                   first->what, problems->count - 1, all);
}

/*
 * lens.c: see lens.h.
 */
#include "cli/lens.h"

#include <string.h>

static enum err turn(struct invocation *invocation, const char *option, bool on,
                     struct lens *lens)
{
    struct option_list list = option_list(invocation, option);
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < list.count; i++)
        err = lens_turn(lens, list.values[i], on);
    return err ? err_wrap(err, "%s", option) : ERR_NONE;
}

enum err lens_from_options(struct invocation *invocation, struct lens *lens,
                           enum rows_source *source)
{
    const char *name = option_text(invocation, "--lens");
    const char *pass = option_text(invocation, "--pass");
    bool assay = name && !strcmp(name, "assay");
    bool whole = pass && !strcmp(pass, "whole");
    *lens = assay ? lens_assay : lens_published;
    *source = whole ? ROWS_COMPUTED : ROWS_SETTLED;
    enum err err = turn(invocation, "--switch", true, lens);
    if (!err)
        err = turn(invocation, "--without", false, lens);
    if (err || (!assay && lens_is_published(lens)))
        return err;
    if (pass && !whole)
        return err_set(ERR_USAGE,
                       "--pass settled: passes by day are the publisher's; "
                       "leave --pass away with another lens or with switches");
    *source = lens_is_assay(lens) && !whole ? ROWS_ASSAY : ROWS_COMPUTED;
    return ERR_NONE;
}

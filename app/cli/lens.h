/*
 * lens.h: by which lens a command folds, from its options.
 */
#ifndef ASSAY_CLI_LENS_H
#define ASSAY_CLI_LENS_H

#include "cli/cli.h"
#include "rollup/rollup.h"

/* The rows of a command that can fold by any lens. */
/* clang-format off */
#define LENS_OPTIONS                                                           \
    {.name = "--lens",                                                         \
     .value = "published|assay",                                               \
     .type = OPTION_CHOICE,                                                    \
     .help = "definitions to fold by: the publisher's code, or its documents " \
             "(default published)"},                                           \
    {.name = "--switch",                                                       \
     .value = "NAME",                                                          \
     .type = OPTION_TEXT,                                                      \
     .repeated = true,                                                         \
     .help = "the lens with this departure corrected, too; "                   \
             "`assay metrics switches` lists them"},                           \
    {.name = "--without",                                                      \
     .value = "NAME",                                                          \
     .type = OPTION_TEXT,                                                      \
     .repeated = true,                                                         \
     .help = "the lens without this correction"},                              \
    {.name = "--pass",                                                         \
     .value = PASS_NAMES,                                                      \
     .type = OPTION_CHOICE,                                                    \
     .help = "one pass per UTC day, or one over everything (default settled; " \
             "lenses other than published are always whole)"}
/* clang-format on */

/* Where the rows come from. */
enum rows_source {
    ROWS_SETTLED, /* stored: lens published, pass settled */
    ROWS_ASSAY,   /* stored: lens assay */
    ROWS_COMPUTED /* now, as one pass over everything */
};

/*
 * What those options say. Lens assay is stored; with `--pass whole` it is
 * computed like any other that is not. ERR_USAGE for a switch there is none of,
 * and for a settled pass of another lens than published.
 */
MUST_USE enum err lens_from_options(struct invocation *invocation,
                                    struct lens *lens,
                                    enum rows_source *source);

#endif

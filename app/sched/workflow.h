/*
 * workflow.h: what is run, as data: a YAML file with a hash.
 *
 * A workflow says which pipeline and model a job asks for, with which
 * parameters and prompts, what it may cost, which targets its figures are held
 * against, and what a report shows. Another workload is another file. Prompts
 * are files of their own, since several workflows share them. Both are known by
 * the SHA-256 of their bytes, which stands in plans and runs, so that old
 * evidence says what it is evidence of.
 *
 * Files for the streamdiffusion family and for noop are built in, with a set of
 * prompts to begin with.
 */
#ifndef ASSAY_SCHED_WORKFLOW_H
#define ASSAY_SCHED_WORKFLOW_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "config/config.h"

#include <stddef.h>
#include <stdint.h>

enum { PROMPTS_MAX = 10000, PROMPT_MAX_BYTES = 4096, WORKFLOW_NAMES_MAX = 32 };

enum prompt_class { PROMPT_GOOD, PROMPT_RANDOM, PROMPT_BAD };

const char *prompt_class_name(enum prompt_class class);

struct prompt {
    const char *id; /* unique in its set */
    enum prompt_class class;
    const char *text;
};

struct prompt_set {
    const char *name;
    int64_t version;
    char sha256[2 * SHA256_BYTES + 1]; /* of the file, hex */
    struct prompt *prompts;
    size_t count; /* at least 1 */
};

/* Held against figures; 0 where there is none. */
struct workflow_targets {
    double success_rate;
    double ptff_ms;    /* at the most */
    double output_fps; /* at the least */
    double jitter_fps; /* at the most */
};

struct workflow {
    const char *name;
    char sha256[2 * SHA256_BYTES + 1]; /* of the file, hex */
    const char *pipeline;
    const char *model;
    const char *image;   /* of the runner; a note, since no message tells it */
    const char *prompts; /* name of the set, or path of its file */
    const char *prompt_parameter; /* where a prompt goes; "" for nowhere */
    const char *parameters;       /* a JSON object */
    int64_t price_ceiling_wei;    /* of one run */
    struct workflow_targets targets;
    /* Figures of runs that are wanted, the most wanted first; ends with null.
     */
    const char *metrics[WORKFLOW_NAMES_MAX];
    const char *report[WORKFLOW_NAMES_MAX]; /* columns; ends with null */
    /* A run may end once its frame rate is known well enough. Of what a run
     * measures from its first to its last frame, the rate alone has an interval
     * before the end: so it ends a run where it is the first such figure that
     * is wanted, or none is named; what else is wanted first takes the whole
     * run. */
    bool rate_ends_run;
};

/*
 * Read what a person wrote: FILE has its name and arena, its problems are what
 * is wrong. False where there were any. Everything lies in the arena.
 */
bool workflow_read(struct config_document *file, const char *bytes,
                   size_t length, struct workflow *workflow);
bool prompts_read(struct config_document *file, const char *bytes,
                  size_t length, struct prompt_set *set);

/* A built-in one by name, or the file at the path NAME. ERR_CONFIG says what is
 * wrong, and what there is. */
MUST_USE enum err workflow_find(struct arena *arena, const char *name,
                                struct workflow *workflow);
MUST_USE enum err prompts_find(struct arena *arena, const char *name,
                               struct prompt_set *set);

/* Those built in; end with a null name. */
extern const struct config_builtin workflow_files[];
extern const struct config_builtin prompt_files[];

/* The job's parameters with PROMPT in its place, as JSON. In ARENA. */
const char *workflow_parameters(struct arena *arena,
                                const struct workflow *workflow,
                                const struct prompt *prompt);

#endif

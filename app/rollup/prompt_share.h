/*
 * prompt_share.h: how much of what differs between runs of a model is due to
 * their prompts.
 */
#ifndef ASSAY_ROLLUP_PROMPT_SHARE_H
#define ASSAY_ROLLUP_PROMPT_SHARE_H

#include "base/arena.h"
#include "base/fields.h"
#include "journal/journal.h"

/* Of runs that are ok and had a prompt, within blocks: an orchestrator from one
 * vantage, cold and warm apart, fitted at once with the prompts (variance_share
 * in stats). Null where there is too little to tell. */
struct prompt_share {
    struct text workflow;
    struct text model_id;
    int64_t runs;
    int64_t prompts;
    int64_t orchestrators;
    double output_fps_share;
    double output_fps_share_low; /* of the 95 % interval */
    double output_fps_share_high;
    double ptff_ms_share;
    double ptff_ms_share_low;
    double ptff_ms_share_high;
};
extern const struct fields prompt_share_fields;

/* In the making: two figures are held of each run, with its prompt and its
 * block as numbers. */
struct prompt_shares;

struct prompt_shares *prompt_shares_new(void);
/* Null is allowed. */
void prompt_shares_free(struct prompt_shares *shares);
/* Texts of RUN are borrowed for the call. */
void prompt_shares_take(struct prompt_shares *shares, const struct run *run);
/* Sorted by workflow and model, in ARENA. */
struct prompt_share *prompt_shares_end(const struct prompt_shares *shares,
                                       struct arena *arena, size_t *count);

#endif

/*
 * scorecard_files.c: the scorecards that the program brings, see scorecard.h.
 */
#include "rollup/scorecard.h"

#define FILES "app/rollup/files/"
BUILTIN_FILE(card_assay, FILES "assay.scorecard.yaml");
BUILTIN_FILE(card_published, FILES "published.scorecard.yaml");
BUILTIN_FILE(card_naap_app, FILES "naap-app.scorecard.yaml");
BUILTIN_FILE(card_transcoding, FILES "leaderboard-transcoding.scorecard.yaml");
BUILTIN_FILE(card_ai, FILES "leaderboard-ai.scorecard.yaml");
BUILTIN_FILE(card_tester_live, FILES "tester-live.scorecard.yaml");

const struct config_builtin scorecard_files[] = {
    {"assay", card_assay, card_assay_end},
    {"published", card_published, card_published_end},
    {"naap-app", card_naap_app, card_naap_app_end},
    {"leaderboard-transcoding", card_transcoding, card_transcoding_end},
    {"leaderboard-ai", card_ai, card_ai_end},
    {"tester-live", card_tester_live, card_tester_live_end},
    {NULL, NULL, NULL},
};

enum err scorecard_find(struct arena *arena, const char *name,
                        struct scorecard *card)
{
    struct buf owned = {0};
    struct text bytes;
    struct config_problems problems = {0};
    struct config_document file = {
        .arena = arena, .problems = &problems, .name = name};
    enum err err =
        config_builtin_find(scorecard_files, name, "scorecard", &owned, &bytes);
    if (!err && !scorecard_read(&file, bytes.data, bytes.length, card))
        err = config_problems_verdict(&problems, "mend them one by one");
    buf_free(&owned);
    return err;
}

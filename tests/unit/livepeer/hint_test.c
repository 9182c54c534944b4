/*
 * N of §2.3; a comment names the step that a row is about.
 */
#include "livepeer/livepeer.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

static const char live[] = "live-video-to-video";

static const char *string(struct text text)
{
    return arena_text(&arena, text.data, text.length);
}

TEST(hints_are_normalised_step_by_step)
{
    static const struct {
        const char *pipeline_hint;
        const char *model_hint;
        const char *pipeline;
        const char *model;
    } rows[] = {
        {"", "", "", ""},
        /* 1: a known pipeline, trimmed and in any case */
        {"text-to-image", "", "text-to-image", ""},
        {" Text-To-IMAGE\t", "m", "text-to-image", "m"},
        {"noop", "", "noop", ""},
        {"text to image", "m", "", "m"},
        {"unknown", "", "", ""},
        {"segment-anything-2", "x", "segment-anything-2", "x"},
        /* 2: the model is trimmed, four names are folded */
        {"llm", "  My/Model ", "llm", "My/Model"},
        {"llm", "StreamDiffusion", "llm", "streamdiffusion"},
        {"llm", "STREAMDIFFUSION-SDXL", "llm", "streamdiffusion-sdxl"},
        {"llm", "streamdiffusion-SDXL-v2v", "llm", "streamdiffusion-sdxl-v2v"},
        {"llm", "Streamdiffusion-sdxl-FaceID", "llm",
         "streamdiffusion-sdxl-faceid"},
        {"llm", "Streamdiffusion-Other", "llm", "Streamdiffusion-Other"},
        /* 3: the pipeline hint as an alias, only without a model */
        {"streamdiffusion", "", live, "streamdiffusion"},
        {"StreamDiffusion-SDXL", " ", live, "streamdiffusion-sdxl"},
        {"streamdiffusion-sdxl-v2v", "", live, "streamdiffusion-sdxl-v2v"},
        {"streamdiffusion-sdxl-faceid", "", live,
         "streamdiffusion-sdxl-faceid"},
        {"pip_sdxl-turbo", "", live, "streamdiffusion-sdxl"},
        {" PIP_SD-turbo ", "", live, "streamdiffusion-sdxl"},
        {"pip_sdxl-turbo-v2v", "", live, "streamdiffusion-sdxl-v2v"},
        {"pip_sdxl-turbo-faceid", "", live, "streamdiffusion-sdxl-faceid"},
        {"pip_sdxl-turbo", "other", "", "other"},
        {"pip_other", "", "", ""},
        {"streamdiffusion-other", "", "", ""},
        /* 4: a streamdiffusion model implies the pipeline */
        {"", "streamdiffusion", live, "streamdiffusion"},
        {"", "StreamDiffusion", live, "streamdiffusion"},
        {"", "streamdiffusion-anything", live, "streamdiffusion-anything"},
        {"", "Streamdiffusion-anything", "", "Streamdiffusion-anything"},
        {"", "streamdiffusio", "", "streamdiffusio"},
        {"unknown", "streamdiffusion-x", live, "streamdiffusion-x"},
        {"upscale", "streamdiffusion", "upscale", "streamdiffusion"},
        /* 5: a pipeline that is the model's name is none */
        {"noop", "noop", "", "noop"},
        {"noop", "NoOp", "", "NoOp"},
        {"noop", "noop2", "noop", "noop2"},
        {"", "Live-Video-To-Video", "", "Live-Video-To-Video"},
    };
    EACH_ROW (row, rows) {
        struct hint hint = hint_normalise(&arena, text_of(row->pipeline_hint),
                                          text_of(row->model_hint));
        CHECK_EQ_TEXT(string(hint.pipeline), row->pipeline);
        CHECK_EQ_TEXT(string(hint.model), row->model);
    }
    arena_free(&arena);
}

TEST(all_twelve_pipelines_are_known)
{
    static const char *const rows[] = {live,
                                       "text-to-image",
                                       "image-to-image",
                                       "image-to-video",
                                       "text-to-video",
                                       "audio-to-text",
                                       "text-to-speech",
                                       "upscale",
                                       "llm",
                                       "image-to-text",
                                       "segment-anything-2",
                                       "noop"};
    EACH_ROW (name, rows) {
        struct hint hint = hint_normalise(&arena, text_of(*name), text_of(""));
        CHECK_EQ_TEXT(string(hint.pipeline), *name);
    }
    arena_free(&arena);
}

TEST(case_is_folded_in_ascii_alone)
{
    CHECK_EQ_TEXT(string(text_lower(&arena, text_of("AZ[@`az\xc3\x84"))),
                  "az[@`az\xc3\x84");
    struct text same = text_of("already lower");
    CHECK(text_lower(&arena, same).data == same.data);
    CHECK(text_equal_ignoring_case(text_of("aBc"), text_of("AbC")));
    CHECK(!text_equal_ignoring_case(text_of("abc"), text_of("abcd")));
    CHECK(!text_equal_ignoring_case(text_of("@"), text_of("`")));
    CHECK(!text_equal_ignoring_case(text_of("\xc3\xa4"), text_of("\xc3\x84")));
    CHECK(text_contains_ignoring_case(text_of("aXYb"), "xy"));
    CHECK(text_contains_ignoring_case(text_of("XY"), "xy"));
    CHECK(text_contains_ignoring_case(text_of("xxy"), "xy"));
    CHECK(text_contains_ignoring_case(text_of(""), ""));
    CHECK(!text_contains_ignoring_case(text_of("x"), "xy"));
    CHECK(!text_contains_ignoring_case(text_of(""), "x"));
    arena_free(&arena);
}

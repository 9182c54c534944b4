/*
 * hint.c: the function N of §2.3, which turns what gateways write into a
 * (pipeline, model) pair. Its five steps stand here in their order.
 */
#include "livepeer/livepeer.h"

#include <string.h>

static const char *const known_pipelines[] = {
    "live-video-to-video",
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
    "noop",
};

static const char *const stream_diffusion[] = {
    "streamdiffusion", "streamdiffusion-sdxl", "streamdiffusion-sdxl-v2v",
    "streamdiffusion-sdxl-faceid"};

static const struct alias {
    const char *name;
    const char *model;
} aliases[] = {
    {"streamdiffusion", "streamdiffusion"},
    {"streamdiffusion-sdxl", "streamdiffusion-sdxl"},
    {"streamdiffusion-sdxl-v2v", "streamdiffusion-sdxl-v2v"},
    {"streamdiffusion-sdxl-faceid", "streamdiffusion-sdxl-faceid"},
    {"pip_sdxl-turbo", "streamdiffusion-sdxl"},
    {"pip_sd-turbo", "streamdiffusion-sdxl"},
    {"pip_sdxl-turbo-v2v", "streamdiffusion-sdxl-v2v"},
    {"pip_sdxl-turbo-faceid", "streamdiffusion-sdxl-faceid"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct text trimmed(struct text text)
{
    while (text.length && is_space(text.data[0])) {
        text.data++;
        text.length--;
    }
    while (text.length && is_space(text.data[text.length - 1]))
        text.length--;
    return text;
}

static struct text known_pipeline(struct text lower)
{
    for (size_t i = 0; i < COUNT_OF(known_pipelines); i++)
        if (text_is(lower, known_pipelines[i]))
            return lower;
    return (struct text){"", 0};
}

static struct text folded_model(struct text model)
{
    for (size_t i = 0; i < COUNT_OF(stream_diffusion); i++)
        if (text_equal_ignoring_case(model, text_of(stream_diffusion[i])))
            return text_of(stream_diffusion[i]);
    return model;
}

static const char *alias_model(struct text lower)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (text_is(lower, aliases[i].name))
            return aliases[i].model;
    return NULL;
}

struct hint hint_normalise(struct arena *arena, struct text pipeline_hint,
                           struct text model_hint)
{
    static const char live[] = "live-video-to-video";
    struct text lower = text_lower(arena, trimmed(pipeline_hint));
    struct hint hint = {known_pipeline(lower),
                        folded_model(trimmed(model_hint))};
    const char *model = hint.model.length ? NULL : alias_model(lower);
    if (model)
        hint = (struct hint){text_of(live), text_of(model)};
    if (!hint.pipeline.length && hint.model.length >= 15 &&
        !memcmp(hint.model.data, "streamdiffusion", 15))
        hint.pipeline = text_of(live);
    if (text_equal_ignoring_case(hint.pipeline, hint.model))
        hint.pipeline = (struct text){"", 0};
    return hint;
}

/*
 * offer.c: see offer.h.
 */
#include "livepeer/offer.h"

const struct capabilities *capabilities_for_model(struct arena *arena,
                                                  uint32_t capability,
                                                  struct text model)
{
    struct wanted {
        struct capabilities capabilities;
        struct capability_constraints constraints;
        struct capability_models models;
        struct model_offer offer;
        struct capacity capacity;
    } *wanted = arena_alloc(arena, sizeof *wanted);
    wanted->offer.model_id = model;
    wanted->models = (struct capability_models){capability, &wanted->offer, 1};
    wanted->constraints.per_capability = &wanted->models;
    wanted->constraints.per_capability_count = 1;
    wanted->capacity = (struct capacity){capability, 1};
    wanted->capabilities.capacities = &wanted->capacity;
    wanted->capabilities.capacity_count = 1;
    wanted->capabilities.constraints = &wanted->constraints;
    return &wanted->capabilities;
}

static bool has_bit(const uint64_t *words, size_t count, uint32_t bit)
{
    return bit / 64 < count && (words[bit / 64] >> (bit % 64) & 1);
}

bool capabilities_have_bit(const struct capabilities *capabilities,
                           uint32_t capability)
{
    return has_bit(capabilities->bitstring, capabilities->bitstring_count,
                   capability);
}

/* ---- looking up ---------------------------------------------------------- */

static const struct capability_models *
models_of(const struct capabilities *offered, uint32_t capability)
{
    const struct capability_constraints *constraints =
        offered ? offered->constraints : NULL;
    size_t count = constraints ? constraints->per_capability_count : 0;
    while (count--)
        if (constraints->per_capability[count].capability == capability)
            return &constraints->per_capability[count];
    return NULL;
}

static const struct model_offer *
model_in(const struct capability_models *models, struct text model)
{
    size_t count = models ? models->model_count : 0;
    while (count--)
        if (text_equal(models->models[count].model_id, model))
            return &models->models[count];
    return NULL;
}

const struct model_offer *offer_of_model(const struct capabilities *offered,
                                         uint32_t capability, struct text model)
{
    return model_in(models_of(offered, capability), model);
}

const struct price_info *price_of_model(const struct orchestrator_info *info,
                                        uint32_t capability, struct text model)
{
    for (size_t i = 0; i < info->capabilities_price_count; i++) {
        const struct price_info *price = &info->capabilities_prices[i];
        if (price->capability == capability &&
            text_equal(price->constraint, model))
            return price;
    }
    return NULL;
}

/* ---- versions ------------------------------------------------------------ */

enum { VERSION_PARTS = 3, VERSION_DIGITS_MAX = 9 };

/* The digits at AT as a number; false where there are none or too many. */
static bool read_part(struct text *rest, int64_t *part)
{
    size_t digits = 0;
    *part = 0;
    while (digits < rest->length && rest->data[digits] >= '0' &&
           rest->data[digits] <= '9' && digits < VERSION_DIGITS_MAX)
        *part = *part * 10 + (rest->data[digits++] - '0');
    *rest = (struct text){rest->data + digits, rest->length - digits};
    return digits > 0;
}

/* "1.2.3", "v1.2.3-dirty", "1.2"; missing parts are 0. */
static bool read_version(struct text text, int64_t parts[VERSION_PARTS])
{
    if (text.length && text.data[0] == 'v')
        text = (struct text){text.data + 1, text.length - 1};
    for (size_t i = 0; i < VERSION_PARTS; i++)
        parts[i] = 0;
    for (size_t i = 0; i < VERSION_PARTS; i++) {
        if (!read_part(&text, &parts[i]))
            return false;
        if (!text.length || text.data[0] == '-' || text.data[0] == '+')
            return true;
        if (text.data[0] != '.')
            return false;
        text = (struct text){text.data + 1, text.length - 1};
    }
    return false;
}

bool version_reaches(struct text version, struct text least)
{
    int64_t has[VERSION_PARTS];
    int64_t wants[VERSION_PARTS];
    if (!least.length)
        return true;
    if (!read_version(version, has) || !read_version(least, wants))
        return false;
    for (size_t i = 0; i < VERSION_PARTS; i++)
        if (has[i] != wants[i])
            return has[i] > wants[i];
    return true;
}

/* ---- fitting ------------------------------------------------------------- */

static bool bits_fit(const struct capabilities *wanted,
                     const struct capabilities *offered)
{
    if (wanted->bitstring_count > offered->bitstring_count)
        return false;
    for (size_t i = 0; i < wanted->bitstring_count; i++)
        if (wanted->bitstring[i] & ~offered->bitstring[i])
            return false;
    return true;
}

static bool mandatories_fit(const struct capabilities *wanted,
                            const struct capabilities *offered)
{
    for (size_t i = 0; i < offered->mandatory_count; i++) {
        uint64_t has = i < wanted->bitstring_count ? wanted->bitstring[i] : 0;
        if (offered->mandatories[i] & ~has)
            return false;
    }
    return true;
}

static const char *models_misfit(const struct capability_models *wanted,
                                 const struct capability_models *offered)
{
    for (size_t i = 0; i < wanted->model_count; i++) {
        const struct model_offer *want = &wanted->models[i];
        const struct model_offer *offer = model_in(offered, want->model_id);
        if (!offer)
            return "it does not offer the model";
        if (want->warm && !offer->warm)
            return "it does not keep the model warm";
        if (!version_reaches(offer->runner_version, want->runner_version))
            return "its runner is older than wanted";
    }
    return NULL;
}

const char *capabilities_misfit(const struct capabilities *wanted,
                                const struct capabilities *offered)
{
    const struct capability_constraints *constraints = wanted->constraints;
    const char *misfit = NULL;
    if (!offered)
        return "it names no capabilities";
    if (!bits_fit(wanted, offered))
        return "it lacks a capability";
    if (!mandatories_fit(wanted, offered))
        return "it insists on a capability that was not asked for";
    if (!constraints)
        return NULL;
    if (!version_reaches(offered->version, constraints->min_version))
        return "it is older than wanted";
    for (size_t i = 0; !misfit && i < constraints->per_capability_count; i++) {
        const struct capability_models *want = &constraints->per_capability[i];
        const struct capability_models *offer =
            models_of(offered, want->capability);
        misfit = offer ? models_misfit(want, offer) : NULL;
    }
    return misfit;
}

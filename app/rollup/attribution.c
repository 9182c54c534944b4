/*
 * attribution.c: which orchestrator, model and GPU a selection event chose
 * (§2.6 with §11), step by step as the publisher decides it:
 *
 *   key -> freshness class -> compatibility -> identity type -> ambiguity
 *
 * Freshness comes before compatibility: a fresh interval of the wrong model
 * hides a slightly older one of the right model. That is the publisher's way.
 *
 * Two switches act here. late_snapshot (published metrics §2.6, §2.11): a
 * gateway lists the network every 25 minutes, so a session may begin before the
 * first list that names its orchestrator; the publisher looks 30 seconds ahead
 * and leaves it blank. The switch adds a last class, `late`: where there is no
 * other, the next version within 60 minutes, two missed lists. multi_gpu: see
 * gpus_of.
 */
#include "rollup/capability_index.h"
#include "rollup/hour_extras.h"

#include <stdlib.h>
#include <string.h>

enum { FRESH_MS = 10 * 60 * 1000, FUTURE_MS = 30 * 1000 };

/* Best first. */
enum freshness {
    FRESHNESS_EXACT,
    FRESHNESS_PRIOR,
    FRESHNESS_FUTURE,
    FRESHNESS_STALE,
    FRESHNESS_LATE, /* by late_snapshot only */
    FRESHNESS_CLASSES
};

static const char *const freshness_names[] = {"exact", "prior", "future",
                                              "stale", "late"};
static const char *const identity_names[] = {"uri", "address", "alias"};

struct match {
    const struct capability_version *version;
    const struct capability_interval *interval;
    enum identity_type type;
    enum freshness freshness;
    char hash[MD5_HEX_BYTES];
};

struct matches {
    struct arena *arena;
    struct match *list;
    size_t count;
};

/* ---- freshness ----------------------------------------------------------- */

/* valid_from of the buckets around T among one key's versions. */
struct buckets {
    bool at;
    bool has_previous;
    bool has_next;
    int64_t previous;
    int64_t next;
};

static struct buckets buckets_around(const struct capability_index *index,
                                     enum identity_type type, struct text key,
                                     int64_t t)
{
    struct buckets buckets = {0};
    for (size_t at = capability_first(index, type, key); at;
         at = index->chains[type].next[at - 1]) {
        int64_t from = index->versions[at - 1].valid_from;
        if (from == t) {
            buckets.at = true;
        } else if (from < t) {
            if (!buckets.has_previous || from > buckets.previous)
                buckets.previous = from;
            buckets.has_previous = true;
        } else {
            if (!buckets.has_next || from < buckets.next)
                buckets.next = from;
            buckets.has_next = true;
        }
    }
    return buckets;
}

/* The class of the first version after T, which begins at FROM. */
static enum freshness freshness_ahead(const struct lens *lens, int64_t from,
                                      int64_t t)
{
    if (from - t <= FUTURE_MS)
        return FRESHNESS_FUTURE;
    bool late =
        lens_has(lens, LENS_LATE_SNAPSHOT) && from - t <= SNAPSHOT_LATE_MS;
    return late ? FRESHNESS_LATE : FRESHNESS_CLASSES;
}

/* The class of VERSION, FRESHNESS_CLASSES where it is out of reach. */
static enum freshness freshness_of(const struct lens *lens,
                                   const struct capability_version *version,
                                   const struct buckets *buckets, int64_t t)
{
    if (buckets->at)
        return version->valid_from == t ? FRESHNESS_EXACT : FRESHNESS_CLASSES;
    if (buckets->has_previous && version->valid_from == buckets->previous) {
        if (t - version->valid_from > FRESH_MS)
            return FRESHNESS_STALE;
        return t < version->valid_to ? FRESHNESS_EXACT : FRESHNESS_PRIOR;
    }
    if (buckets->has_next && version->valid_from == buckets->next)
        return freshness_ahead(lens, version->valid_from, t);
    return FRESHNESS_CLASSES;
}

static void add_match(struct matches *matches,
                      const struct capability_version *version, const char *id,
                      const struct capability_interval *interval,
                      enum identity_type type, enum freshness freshness)
{
    matches->list = arena_grow(matches->arena, matches->list, matches->count,
                               sizeof *matches->list);
    struct match *match = &matches->list[matches->count++];
    *match = (struct match){version, interval, type, freshness, ""};
    struct text parts[] = {text_of(id), text_of(interval->suffix)};
    hash_md5_joined(parts, 2, match->hash);
}

static void add_key(struct matches *matches,
                    const struct capability_index *index,
                    enum identity_type type, struct text key, int64_t t)
{
    struct buckets buckets = buckets_around(index, type, key, t);
    for (size_t at = capability_first(index, type, key); at;
         at = index->chains[type].next[at - 1]) {
        const struct capability_version *version = &index->versions[at - 1];
        enum freshness freshness =
            freshness_of(index->lens, version, &buckets, t);
        if (freshness == FRESHNESS_CLASSES)
            continue;
        char id[MD5_HEX_BYTES];
        capability_version_id(index, version, id);
        const struct capability_element *element = version->element;
        for (size_t i = 0; i < element->interval_count; i++)
            add_match(matches, version, id, &element->intervals[i], type,
                      freshness);
    }
}

/* ---- narrowing ------------------------------------------------------------
 */

typedef bool match_test(const struct match *match, const void *context);

/* Keeps the matches that pass, in place. */
static void keep(struct matches *matches, match_test *test, const void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < matches->count; i++)
        if (test(&matches->list[i], context))
            matches->list[kept++] = matches->list[i];
    matches->count = kept;
}

static bool has_freshness(const struct match *match, const void *context)
{
    return match->freshness == *(const enum freshness *)context;
}

static bool has_type(const struct match *match, const void *context)
{
    return match->type == *(const enum identity_type *)context;
}

static bool is_compatible(const struct match *match, const void *context)
{
    const struct selection_row *selection = context;
    struct text pipeline = selection->pipeline_hint;
    struct text model = selection->model_hint;
    return (!pipeline.length ||
            text_equal_ignoring_case(pipeline, match->interval->pipeline)) &&
           (!model.length ||
            text_equal_ignoring_case(model, match->interval->model));
}

static void keep_best_freshness(struct matches *matches)
{
    enum freshness best = FRESHNESS_CLASSES;
    for (size_t i = 0; i < matches->count; i++)
        if (matches->list[i].freshness < best)
            best = matches->list[i].freshness;
    keep(matches, has_freshness, &best);
}

/* Where nothing is compatible, all stay. */
static void keep_compatible(struct matches *matches,
                            const struct selection_row *selection)
{
    for (size_t i = 0; i < matches->count; i++) {
        if (is_compatible(&matches->list[i], selection)) {
            keep(matches, is_compatible, selection);
            return;
        }
    }
}

static int compare_matches(const void *left, const void *right)
{
    const struct match *a = left;
    const struct match *b = right;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->version->valid_from != b->version->valid_from)
        return a->version->valid_from > b->version->valid_from ? -1 : 1;
    return strcmp(a->hash, b->hash);
}

/* ---- decision --------------------------------------------------------------
 */

static bool same_surface(const struct match *a, const struct match *b)
{
    return text_equal(a->version->element->address,
                      b->version->element->address) &&
           text_equal(a->version->element->uri, b->version->element->uri) &&
           text_equal_ignoring_case(a->interval->pipeline,
                                    b->interval->pipeline) &&
           text_equal_ignoring_case(a->interval->model, b->interval->model);
}

static bool is_ambiguous(const struct matches *matches)
{
    for (size_t i = 1; i < matches->count; i++)
        if (!same_surface(&matches->list[0], &matches->list[i]))
            return true;
    return false;
}

/* True where every interval is hardware of a named surface and they name more
 * than one GPU: then none is named (§11, 2.6). */
static bool has_several_gpus(const struct matches *matches)
{
    struct text gpu = {"", 0};
    bool several = false;
    for (size_t i = 0; i < matches->count; i++) {
        const struct capability_interval *interval = matches->list[i].interval;
        if (!interval->has_hardware || !interval->pipeline.length ||
            !interval->model.length)
            return false;
        if (!interval->gpu_id.length)
            continue;
        several |= gpu.length && !text_equal(gpu, interval->gpu_id);
        gpu = interval->gpu_id;
    }
    return several;
}

static void set_outcome(struct selection_row *selection, const char *status,
                        const char *reason, const char *method,
                        const char *confidence)
{
    selection->attribution_status = text_of(status);
    selection->attribution_reason = text_of(reason);
    selection->attribution_method = text_of(method);
    selection->attribution_confidence = text_of(confidence);
}

static void set_nothing_chosen(struct selection_row *selection)
{
    selection->attribution_snapshot_ts = ABSENT_INT;
    selection->orchestrator_address = text_of("");
    selection->orchestrator_uri = text_of("");
    selection->pipeline_id = text_of("");
    selection->model_id = (struct text){NULL, 0};
    selection->gpu_id = (struct text){NULL, 0};
    selection->card = card_unknown;
}

/* Whether anything is known under KEY: as published, in the whole pass; by
 * late_snapshot, up to its reach after T, so that what comes later does not
 * change the reason. */
static bool is_known(const struct capability_index *index,
                     enum identity_type type, struct text key, int64_t t)
{
    bool reach = lens_has(index->lens, LENS_LATE_SNAPSHOT);
    for (size_t at = capability_first(index, type, key); at;
         at = index->chains[type].next[at - 1])
        if (!reach ||
            index->versions[at - 1].valid_from <= t + SNAPSHOT_LATE_MS)
            return true;
    return false;
}

/* Why nothing was found (§2.6 step 1). */
static const char *missing_reason(const struct capability_index *index,
                                  const struct selection_row *selection)
{
    int64_t t = selection->selection_ts;
    if (!selection->observed_url.length ||
        is_known(index, IDENTITY_URI, selection->observed_url, t))
        return "missing_candidate";
    struct text address = selection->observed_address;
    if (is_known(index, IDENTITY_ALIAS, address, t))
        return "missing_uri_snapshot_local_alias_present";
    if (is_known(index, IDENTITY_ADDRESS, address, t))
        return "missing_uri_snapshot_address_match_present";
    return "missing_candidate";
}

static struct text null_if_blank(struct text text)
{
    return text.length ? text : (struct text){NULL, 0};
}

static int compare_texts(const void *left, const void *right)
{
    return text_compare(*(const struct text *)left,
                        *(const struct text *)right);
}

/* The distinct ones of TEXTS that are not blank, sorted by bytes and joined
 * with
 * '+'; sorts TEXTS. */
static struct text joined(struct arena *arena, struct text *texts, size_t count)
{
    struct buf bytes = {0};
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (!texts[i].length || (i && text_equal(texts[i], texts[i - 1])))
            continue;
        if (bytes.length)
            buf_add_byte(&bytes, '+');
        buf_add(&bytes, texts[i].data, texts[i].length);
    }
    struct text all = {arena_text(arena, bytes.data, bytes.length),
                       bytes.length};
    buf_free(&bytes);
    return all;
}

/*
 * The switch multi_gpu (published metrics §2.6 step 5, §7): of a session on an
 * orchestrator with several cards no event says which card worked, and the
 * publisher names none, so that such orchestrators are missing from its GPU
 * metrics. Here they are named as the set they are: the distinct ids of the
 * chosen surface, sorted by bytes and joined with '+'.
 */
static struct text gpus_of(struct arena *arena, const struct matches *matches)
{
    struct text *ids = arena_array(arena, matches->count, sizeof *ids);
    for (size_t i = 0; i < matches->count; i++)
        ids[i] = matches->list[i].interval->gpu_id;
    return joined(arena, ids, matches->count);
}

/* ---- cards -----------------------------------------------------------------
 */

static bool is_first_of_gpu(const struct matches *matches, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (text_equal(matches->list[i].interval->gpu_id,
                       matches->list[at].interval->gpu_id))
            return false;
    return true;
}

/* Of all GPUs among MATCHES, each once. */
static struct card card_of(struct arena *arena, const struct matches *matches)
{
    struct text *names = arena_array(arena, matches->count, sizeof *names);
    struct card card = card_unknown;
    for (size_t i = 0; i < matches->count; i++) {
        const struct capability_interval *one = matches->list[i].interval;
        int64_t before = card.gpu_memory_bytes_total;
        names[i] = one->gpu_name;
        if (!card.runner_version.data)
            card.runner_version = null_if_blank(one->runner_version);
        if (!one->gpu_id.length || !is_first_of_gpu(matches, i) ||
            one->gpu_memory_bytes <= 0)
            continue;
        if (before == ABSENT_INT)
            before = 0;
        if (one->gpu_memory_bytes <= INT64_MAX - before)
            card.gpu_memory_bytes_total = before + one->gpu_memory_bytes;
    }
    card.gpu_model_name = null_if_blank(joined(arena, names, matches->count));
    return card;
}

static void set_outcome_of_class(struct arena *arena,
                                 struct selection_row *selection,
                                 const struct match *first)
{
    static const char *const reasons[] = {"matched", "matched_prior",
                                          "future_skew", "stale_candidate",
                                          "late_snapshot"};
    const char *method =
        arena_printf(arena, "%s_interval_%s", identity_names[first->type],
                     freshness_names[first->freshness]);
    bool stale = first->freshness == FRESHNESS_STALE;
    bool late = first->freshness == FRESHNESS_LATE;
    if (first->interval->has_hardware)
        set_outcome(selection, stale ? "stale" : "resolved",
                    reasons[first->freshness], method,
                    stale || late ? "medium" : "high");
    else
        set_outcome(selection, "hardware_less", "matched_without_hardware",
                    method, "high");
}

static void choose(struct arena *arena, const struct lens *lens,
                   struct selection_row *selection,
                   const struct matches *matches)
{
    const struct match *first = &matches->list[0];
    set_outcome_of_class(arena, selection, first);
    selection->attribution_snapshot_ts = first->version->valid_from;
    selection->orchestrator_address = first->version->element->address;
    selection->orchestrator_uri = first->version->element->uri;
    selection->pipeline_id = first->interval->pipeline;
    selection->model_id = null_if_blank(first->interval->model);
    selection->card = card_of(arena, matches);
    if (has_several_gpus(matches)) {
        if (lens_has(lens, LENS_MULTI_GPU))
            selection->gpu_id = gpus_of(arena, matches);
        return;
    }
    selection->gpu_id = null_if_blank(first->interval->gpu_id);
}

void attribute(struct arena *arena, const struct capability_index *index,
               struct selection_row *selection)
{
    struct matches matches = {.arena = arena};
    int64_t t = selection->selection_ts;
    set_nothing_chosen(selection);
    if (selection->observed_url.length) {
        add_key(&matches, index, IDENTITY_URI, selection->observed_url, t);
    } else {
        struct text address = selection->observed_address;
        add_key(&matches, index, IDENTITY_ADDRESS, address, t);
        add_key(&matches, index, IDENTITY_ALIAS, address, t);
    }
    if (!matches.count) {
        set_outcome(selection, "unresolved", missing_reason(index, selection),
                    "missing", "low");
        return;
    }
    keep_best_freshness(&matches);
    keep_compatible(&matches, selection);
    qsort(matches.list, matches.count, sizeof *matches.list, compare_matches);
    enum identity_type best = matches.list[0].type;
    keep(&matches, has_type, &best);
    if (is_ambiguous(&matches))
        set_outcome(selection, "ambiguous", "ambiguous_candidates", "ambiguous",
                    "low");
    else
        choose(arena, index->lens, selection, &matches);
}

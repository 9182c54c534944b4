/*
 * network.c: who offered what at which price, from capability snapshots
 * (§1.5, §4.4).
 *
 * An offer is what a snapshot says: whether the model is warm is kept beside
 * it and not looked at, as the publisher does. Each offer, price and
 * orchestrator is kept once, as it was seen last; of two sightings at one time
 * the one of the greater event id, then the later in its list, so that the
 * order of snapshots changes nothing.
 */
#include "rollup/rollup.h"

#include "base/clock.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct field offer_list[] = {
    FIELD(TIME, offer_row, last_seen),
    FIELD(TEXT, offer_row, org),
    FIELD(TEXT, offer_row, orch_address),
    FIELD(TEXT, offer_row, orchestrator_uri),
    FIELD(INT, offer_row, capability_id),
    FIELD(TEXT, offer_row, capability_name),
    FIELD(TEXT, offer_row, capability_family),
    FIELD(TEXT, offer_row, canonical_pipeline),
    FIELD(TEXT, offer_row, pipeline_id),
    FIELD(TEXT, offer_row, model_id),
    FIELD(INT, offer_row, warm),
    FIELD(INT, offer_row, advertised_capacity),
    FIELD(INT, offer_row, hardware_present),
    FIELD(TEXT, offer_row, gpu_id),
    FIELD(TEXT, offer_row, gpu_model_name),
    FIELD(INT, offer_row, gpu_memory_bytes_total),
    FIELD(INT, offer_row, supports_stream),
    FIELD(INT, offer_row, supports_request),
    FIELD(TEXT, offer_row, price_per_unit),
    FIELD(INT, offer_row, pixels_per_unit),
};
static const struct field price_list[] = {
    FIELD(TIME, price_row, last_seen),
    FIELD(TEXT, price_row, org),
    FIELD(TEXT, price_row, orch_address),
    FIELD(TEXT, price_row, orchestrator_uri),
    FIELD(INT, price_row, capability_id),
    FIELD(TEXT, price_row, pipeline_id),
    FIELD(TEXT, price_row, model_id),
    FIELD(INT, price_row, price_per_unit),
    FIELD(INT, price_row, pixels_per_unit),
};
static const struct field sighting_list[] = {
    FIELD(TIME, sighting_row, last_seen),
    FIELD(TEXT, sighting_row, org),
    FIELD(TEXT, sighting_row, orch_address),
    FIELD(TEXT, sighting_row, orchestrator_uri),
};
/* clang-format on */

const struct fields offer_fields = FIELDS(offer_list, 0);
static const struct fields price_fields = FIELDS(price_list, 0);
static const struct fields sighting_fields = FIELDS(sighting_list, 0);

/* ---- the last sighting of each thing ------------------------------------- */

/* When and where something was seen. */
struct moment {
    int64_t ts;
    struct text id; /* of the event */
    size_t position;
};

static bool is_later(const struct moment *a, const struct moment *b)
{
    if (a->ts != b->ts)
        return a->ts > b->ts;
    int order = text_compare(a->id, b->id);
    return order ? order > 0 : a->position >= b->position;
}

/* Things by key, with the moment each was seen last. */
struct things {
    struct text_index keys;
    struct moment *moments; /* by number of the key */
    size_t capacity;
};

/* The number of the thing under KEY; *IS_LAST tells whether it was never seen
 * later than at MOMENT, which then becomes its last. */
static size_t see(struct arena *arena, struct things *things, struct buf *key,
                  const struct moment *moment, bool *is_last)
{
    bool added;
    size_t number = text_index_add(
        &things->keys, (struct text){key->data, key->length}, &added);
    if (number >= things->capacity) {
        things->capacity = (number + 1) * 2;
        things->moments = memory_resize(
            things->moments, things->capacity * sizeof *things->moments);
    }
    *is_last = added || is_later(moment, &things->moments[number]);
    if (*is_last) {
        things->moments[number] = *moment;
        things->moments[number].id.data =
            arena_text(arena, moment->id.data, moment->id.length);
    }
    return number;
}

static void free_things(struct things *things)
{
    text_index_free(&things->keys);
    free(things->moments);
}

struct network_builder {
    struct arena arena;
    struct text_index strings; /* each kept once */
    struct buf key;            /* scratch */
    struct things offers;
    struct offer_row *offer_rows;
    struct things prices;
    struct price_row *price_rows;
    struct things sightings;
    struct sighting_row *sighting_rows;
};

struct network_builder *network_builder_new(void)
{
    return memory_zeroed(1, sizeof(struct network_builder));
}

static struct text kept(struct network_builder *builder, struct text text)
{
    size_t number = text_index_add(&builder->strings, text, NULL);
    return builder->strings.texts[number];
}

static struct text kept_or_null(struct network_builder *builder,
                                struct text text)
{
    return text.length ? kept(builder, text) : (struct text){NULL, 0};
}

/* One element of one snapshot. */
struct seen {
    struct text org;
    struct moment moment;
    const struct capability_element *element;
};

static void begin_key(struct network_builder *builder, const struct seen *seen)
{
    buf_clear(&builder->key);
    buf_add_text(&builder->key, seen->org);
    buf_add_text(&builder->key, seen->element->address);
}

/* ---- offers -------------------------------------------------------------- */

static const struct capability *
capability_of(const struct capability_interval *interval)
{
    return capability_offered(interval->pipeline);
}

static void set_capability(struct network_builder *builder,
                           struct offer_row *row,
                           const struct capability_interval *interval)
{
    const struct capability *capability = capability_of(interval);
    bool builtin = capability->number != CAPABILITY_BYOC;
    struct text pipeline = builtin ? text_of(capability->pipeline)
                                   : kept(builder, interval->pipeline);
    row->capability_id = capability->number;
    row->capability_name = builtin ? pipeline : text_of("byoc");
    row->capability_family = text_of(builtin ? "builtin" : "byoc");
    row->canonical_pipeline = row->pipeline_id = pipeline;
    row->supports_stream = capability->supports_stream;
    row->supports_request = capability->supports_request;
}

static struct offer_row offer_of(struct network_builder *builder,
                                 const struct seen *seen,
                                 const struct capability_interval *interval)
{
    bool hardware = interval->source == SOURCE_HARDWARE;
    struct offer_row row = {
        .last_seen = seen->moment.ts,
        .org = kept(builder, seen->org),
        .orch_address = kept(builder, seen->element->address),
        .orchestrator_uri = kept(builder, seen->element->uri),
        .model_id = kept_or_null(builder, interval->model),
        .warm = hardware ? ABSENT_INT : interval->warm,
        .advertised_capacity = hardware ? ABSENT_INT : interval->capacity,
        .hardware_present = hardware,
        .gpu_id = kept_or_null(builder, interval->gpu_id),
        .gpu_model_name = kept_or_null(builder, interval->gpu_name),
        .gpu_memory_bytes_total =
            interval->has_hardware ? interval->gpu_memory_bytes : ABSENT_INT,
        .pixels_per_unit = ABSENT_INT,
        .ever_warm = hardware || interval->warm,
    };
    set_capability(builder, &row, interval);
    return row;
}

static void add_offer(struct network_builder *builder, const struct seen *seen,
                      const struct capability_interval *interval)
{
    const struct capability *capability = capability_of(interval);
    bool builtin = capability->number != CAPABILITY_BYOC;
    begin_key(builder, seen);
    buf_add_text(&builder->key,
                 builtin ? text_of(capability->pipeline) : interval->pipeline);
    buf_add_text(&builder->key, interval->model);
    buf_add_text(&builder->key, interval->gpu_id);
    buf_add_byte(&builder->key, (uint8_t)interval->source);
    size_t count = builder->offers.keys.count;
    bool is_last;
    size_t number = see(&builder->arena, &builder->offers, &builder->key,
                        &seen->moment, &is_last);
    bool was_warm = false;
    if (number == count)
        builder->offer_rows = arena_grow(&builder->arena, builder->offer_rows,
                                         count, sizeof *builder->offer_rows);
    else
        was_warm = builder->offer_rows[number].ever_warm;
    if (is_last)
        builder->offer_rows[number] = offer_of(builder, seen, interval);
    builder->offer_rows[number].ever_warm |= was_warm || interval->warm;
}

/* ---- prices -------------------------------------------------------------- */

static void add_price(struct network_builder *builder, const struct seen *seen,
                      const struct capability_price *price)
{
    const struct capability *capability =
        capability_numbered(price->capability);
    if (!capability || price->price_per_unit <= 0 ||
        price->pixels_per_unit <= 0)
        return;
    bool builtin = capability->number != CAPABILITY_BYOC;
    struct text pipeline =
        builtin ? text_of(capability->pipeline) : price->constraint;
    struct text model = builtin ? price->constraint : text_of("");
    if (!pipeline.length)
        return;
    begin_key(builder, seen);
    buf_add_text(&builder->key, pipeline);
    buf_add_text(&builder->key, model);
    size_t count = builder->prices.keys.count;
    bool is_last;
    size_t number = see(&builder->arena, &builder->prices, &builder->key,
                        &seen->moment, &is_last);
    if (number == count)
        builder->price_rows = arena_grow(&builder->arena, builder->price_rows,
                                         count, sizeof *builder->price_rows);
    if (is_last)
        builder->price_rows[number] = (struct price_row){
            .last_seen = seen->moment.ts,
            .org = kept(builder, seen->org),
            .orch_address = kept(builder, seen->element->address),
            .orchestrator_uri = kept(builder, seen->element->uri),
            .capability_id = capability->number,
            .pipeline_id = kept(builder, pipeline),
            .model_id = kept_or_null(builder, model),
            .price_per_unit = price->price_per_unit,
            .pixels_per_unit = price->pixels_per_unit,
        };
}

/* ---- adding -------------------------------------------------------------- */

static void add_sighting(struct network_builder *builder,
                         const struct seen *seen)
{
    begin_key(builder, seen);
    size_t count = builder->sightings.keys.count;
    bool is_last;
    size_t number = see(&builder->arena, &builder->sightings, &builder->key,
                        &seen->moment, &is_last);
    if (number == count)
        builder->sighting_rows =
            arena_grow(&builder->arena, builder->sighting_rows, count,
                       sizeof *builder->sighting_rows);
    if (is_last)
        builder->sighting_rows[number] =
            (struct sighting_row){seen->moment.ts, kept(builder, seen->org),
                                  kept(builder, seen->element->address),
                                  kept(builder, seen->element->uri)};
}

static void add_element(struct network_builder *builder, struct seen *seen)
{
    const struct capability_element *element = seen->element;
    add_sighting(builder, seen);
    for (size_t i = 0; i < element->interval_count; i++)
        if (element->intervals[i].source != SOURCE_NOTHING)
            add_offer(builder, seen, &element->intervals[i]);
    for (size_t i = 0; i < element->price_count; i++)
        add_price(builder, seen, &element->prices[i]);
}

void network_builder_add(struct network_builder *builder, struct text org,
                         const struct capability_snapshot *snapshots,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct capability_snapshot *snapshot = &snapshots[i];
        for (size_t k = 0; !snapshot->removed && k < snapshot->element_count;
             k++) {
            struct seen seen = {
                org, {snapshot->ts, snapshot->id, k}, &snapshot->elements[k]};
            add_element(builder, &seen);
        }
    }
}

/* ---- the network --------------------------------------------------------- */

static struct text or_blank(struct text text)
{
    return text.data ? text : text_of("");
}

/* What one asks for a pipeline and model of his; byoc is priced by its name. */
static int compare_priced(struct text address_a, struct text pipeline_a,
                          struct text model_a, struct text address_b,
                          struct text pipeline_b, struct text model_b)
{
    int order = text_compare(address_a, address_b);
    if (!order)
        order = text_compare(pipeline_a, pipeline_b);
    return order ? order : text_compare(or_blank(model_a), or_blank(model_b));
}

static int compare_offers(const void *left, const void *right)
{
    const struct offer_row *a = left;
    const struct offer_row *b = right;
    int order = compare_priced(a->orch_address, a->pipeline_id, a->model_id,
                               b->orch_address, b->pipeline_id, b->model_id);
    if (!order)
        order = text_compare(or_blank(a->gpu_id), or_blank(b->gpu_id));
    if (!order)
        order = (int)(a->hardware_present - b->hardware_present);
    return order ? order : text_compare(a->org, b->org);
}

static int compare_prices(const void *left, const void *right)
{
    const struct price_row *a = left;
    const struct price_row *b = right;
    int order = compare_priced(a->orch_address, a->pipeline_id, a->model_id,
                               b->orch_address, b->pipeline_id, b->model_id);
    return order ? order : text_compare(a->org, b->org);
}

static int compare_sightings(const void *left, const void *right)
{
    const struct sighting_row *a = left;
    const struct sighting_row *b = right;
    int order = text_compare(a->orch_address, b->orch_address);
    return order ? order : text_compare(a->org, b->org);
}

static void set_price(struct arena *arena, const struct network *network,
                      struct offer_row *offer)
{
    bool byoc = offer->capability_id == CAPABILITY_BYOC;
    struct price_row wanted = {.org = offer->org,
                               .orch_address = offer->orch_address,
                               .pipeline_id = offer->pipeline_id};
    if (!byoc)
        wanted.model_id = offer->model_id;
    const struct price_row *price =
        network->price_count
            ? bsearch(&wanted, network->prices, network->price_count,
                      sizeof wanted, compare_prices)
            : NULL;
    if (!price)
        return;
    offer->price_per_unit =
        text_of(arena_printf(arena, "%lld", (long long)price->price_per_unit));
    offer->pixels_per_unit = price->pixels_per_unit;
}

/* COUNT rows, sorted, with their texts in ARENA. */
static void *take_rows(struct arena *arena, struct fields fields,
                       const void *rows, size_t count, size_t bytes,
                       int (*compare)(const void *, const void *))
{
    char *copy = arena_array(arena, count, bytes);
    if (!count)
        return copy;
    memcpy(copy, rows, count * bytes);
    for (size_t i = 0; i < count; i++)
        fields_copy(arena, fields, copy + i * bytes);
    qsort(copy, count, bytes, compare);
    return copy;
}

struct network network_builder_end(struct network_builder *builder,
                                   struct arena *arena)
{
    struct network network = {.offer_count = builder->offers.keys.count,
                              .price_count = builder->prices.keys.count,
                              .sighting_count = builder->sightings.keys.count};
    network.offers =
        take_rows(arena, offer_fields, builder->offer_rows, network.offer_count,
                  sizeof *network.offers, compare_offers);
    network.prices =
        take_rows(arena, price_fields, builder->price_rows, network.price_count,
                  sizeof *network.prices, compare_prices);
    network.sightings = take_rows(
        arena, sighting_fields, builder->sighting_rows, network.sighting_count,
        sizeof *network.sightings, compare_sightings);
    for (size_t i = 0; i < network.offer_count; i++)
        set_price(arena, &network, &network.offers[i]);
    free_things(&builder->offers);
    free_things(&builder->prices);
    free_things(&builder->sightings);
    text_index_free(&builder->strings);
    buf_free(&builder->key);
    arena_free(&builder->arena);
    free(builder);
    return network;
}

/* ---- over the store ------------------------------------------------------ */

static enum err add_hour(struct network_builder *builder, struct store *store,
                         const struct knowledge *known, struct text org,
                         int64_t from_ms, int64_t until_ms)
{
    struct arena arena = {0};
    struct capability_snapshot *snapshots;
    size_t count;
    enum err err = snapshots_between(store, &arena, org, from_ms, until_ms,
                                     &snapshots, &count);
    if (!err) {
        known_snapshots(known, snapshots, &count);
        network_builder_add(builder, org, snapshots, count);
    }
    arena_free(&arena);
    return err;
}

/* Or a day, where that is read as one. */
struct org_hour {
    struct text org;
    int64_t hour;
    int64_t end_ms;
};

enum err network_between(struct store *store, struct arena *arena,
                         const struct knowledge *known, struct text org,
                         int64_t from_ms, int64_t until_ms,
                         struct network *network)
{
    struct org_hour *hours = NULL;
    size_t count = 0;
    struct query *query = query_start(store, QUERY_SNAPSHOT_HOURS);
    query_bind_text(query, 1, org);
    query_bind_int(query, 2,
                   from_ms == INT64_MIN ? from_ms : clock_hour_start(from_ms));
    query_bind_int(query, 3, until_ms);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        hours = arena_grow(arena, hours, count, sizeof *hours);
        int64_t hour = query_int(query, 1);
        hours[count++] = (struct org_hour){
            query_copy(arena, query, 0), hour,
            hour + (query_int(query, 2) ? MS_PER_DAY : MS_PER_HOUR)};
    }
    struct network_builder *builder = network_builder_new();
    for (size_t i = 0; !err && i < count; i++) {
        const struct org_hour *hour = &hours[i];
        err = add_hour(builder, store, known, hour->org,
                       hour->hour > from_ms ? hour->hour : from_ms,
                       hour->end_ms < until_ms ? hour->end_ms : until_ms);
    }
    *network = network_builder_end(builder, arena);
    return err;
}

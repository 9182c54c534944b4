/*
 * dashboard_network.c: /v1/dashboard/gpu-capacity, pipeline-catalog and
 * pricing: cards, models and prices that were announced in the day before
 * `as_of` (§4.4); and the same under /compat as the publisher answers.
 *
 * A card is an orchestrator and an id. What has no card's hardware announced is
 * in none of the first two.
 */
#include "api/dashboard.h"
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

static enum err read_network(const struct dashboard *dashboard,
                             struct network *network)
{
    struct request *request = dashboard->request;
    return network_between(request->store, request->arena,
                           &dashboard->computation.known, dashboard->org,
                           dashboard->now_ms - STREAM_WINDOW_MS,
                           dashboard->now_ms, network);
}

static bool is_hardware(const struct offer_row *offer)
{
    return offer->hardware_present == 1 && offer->model_id.length &&
           text_is(offer->capability_family, "builtin");
}

/* ---- numbers of things --------------------------------------------------- */

/* Distinct cards under a name. */
struct tally {
    struct text name;
    struct text_index cards;
    int64_t count;
    struct tally *parts; /* by number, then most first */
    struct text_index numbers;
};

static struct tally *tally_part(struct arena *arena, struct tally *tally,
                                struct text name)
{
    bool added;
    size_t number = text_index_add(&tally->numbers, name, &added);
    if (added) {
        tally->parts =
            arena_grow(arena, tally->parts, number, sizeof *tally->parts);
        tally->parts[number] = (struct tally){
            .name = {arena_text(arena, name.data, name.length), name.length}};
    }
    return &tally->parts[number];
}

static void tally_card(struct tally *tally, struct text card)
{
    bool added;
    text_index_add(&tally->cards, card, &added);
    tally->count += added;
}

static int compare_tallies(const void *left, const void *right)
{
    const struct tally *a = left;
    const struct tally *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return text_compare(a->name, b->name);
}

/* Parts, most cards first; what they are counted by is freed. */
static size_t tally_settle(struct tally *tally)
{
    size_t count = tally->numbers.count;
    text_index_free(&tally->numbers);
    for (size_t i = 0; i < count; i++)
        text_index_free(&tally->parts[i].cards);
    if (count)
        qsort(tally->parts, count, sizeof *tally->parts, compare_tallies);
    return count;
}

/* ---- gpu-capacity -------------------------------------------------------- */

static struct text card_of(struct buf *key, struct text address,
                           struct text gpu)
{
    buf_clear(key);
    buf_add(key, address.data, address.length);
    buf_add_byte(key, '|');
    buf_add(key, gpu.data, gpu.length);
    return (struct text){key->data, key->length};
}

struct gpu_capacity {
    struct tally cards; /* its parts are names of cards */
    struct tally pipelines;
};

/* A card counts under the name that it is seen with first: by address,
 * pipeline and model. */
static void count_offers(struct arena *arena, const struct network *network,
                         struct gpu_capacity *capacity)
{
    struct buf key = {0};
    for (size_t i = 0; i < network->offer_count; i++) {
        const struct offer_row *offer = &network->offers[i];
        if (!is_hardware(offer) || !offer->gpu_id.length)
            continue;
        struct text card = card_of(&key, offer->orch_address, offer->gpu_id);
        struct text name = offer->gpu_model_name;
        int64_t before = capacity->cards.count;
        tally_card(&capacity->cards, card);
        if (capacity->cards.count > before)
            tally_card(tally_part(arena, &capacity->cards,
                                  name.length ? name : text_of("Unknown")),
                       card);
        struct tally *pipeline =
            tally_part(arena, &capacity->pipelines, offer->pipeline_id);
        tally_card(pipeline, card);
        tally_card(tally_part(arena, pipeline, offer->model_id), card);
    }
    buf_free(&key);
}

/* Cards that a stream goes over. */
static enum err count_active(const struct dashboard *dashboard, int64_t *count)
{
    struct open_stream *streams;
    size_t stream_count;
    struct text_index cards = {0};
    struct buf key = {0};
    enum err err =
        open_streams(dashboard->request, dashboard->computation.lens,
                     dashboard->as_published, dashboard->now_ms - ACTIVE_MS,
                     dashboard->now_ms, INT64_MAX, &streams, &stream_count);
    for (size_t i = 0; !err && i < stream_count; i++) {
        const struct session_row *session = streams[i].session;
        struct text org = dashboard->org;
        if (session->gpu_id.length &&
            (!org.data || text_equal(org, session->org)))
            text_index_add(
                &cards,
                card_of(&key, session->orchestrator_address, session->gpu_id),
                NULL);
    }
    *count = (int64_t)cards.count;
    text_index_free(&cards);
    buf_free(&key);
    return err;
}

static void add_tallies(struct json_writer *writer, const char *list,
                        struct tally *tally, const char *name,
                        const char *count_name)
{
    size_t count = tally_settle(tally);
    json_key(writer, list);
    json_begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        json_begin(writer, '{');
        add_text(writer, name, tally->parts[i].name);
        add_count(writer, count_name, tally->parts[i].count);
        if (tally->parts[i].numbers.count)
            add_tallies(writer, "models", &tally->parts[i], "model", "gpus");
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

static enum err answer_capacity(struct dashboard *dashboard,
                                struct reply *reply)
{
    struct gpu_capacity capacity = {0};
    struct network network;
    int64_t active = 0;
    enum err err = read_network(dashboard, &network);
    if (!err)
        err = count_active(dashboard, &active);
    if (err)
        return err;
    count_offers(dashboard->request->arena, &network, &capacity);
    int64_t total = capacity.cards.count;
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    add_count(&writer, "totalGPUs", total);
    add_count(&writer, "activeGPUs", active);
    add_count(&writer, "availableCapacity",
              total > active ? total - active : 0);
    add_tallies(&writer, "models", &capacity.cards, "model", "count");
    add_tallies(&writer, "pipelineGPUs", &capacity.pipelines, "name", "gpus");
    json_end(&writer, '}');
    text_index_free(&capacity.cards.cards);
    return ERR_NONE;
}

enum err answer_gpu_capacity(struct request *request, struct reply *reply)
{
    struct dashboard dashboard;
    enum err err = dashboard_open(&dashboard, request);
    return err ? err : answer_capacity(&dashboard, reply);
}

enum err compat_gpu_capacity(struct request *request, struct reply *reply)
{
    struct dashboard dashboard;
    dashboard_open_as_published(&dashboard, request, false);
    return answer_capacity(&dashboard, reply);
}

/* ---- pipeline-catalog ---------------------------------------------------- */

struct catalog_row {
    struct text id;
    struct text name;
    int64_t last_seen;
    struct text_list models;
};

static const struct field catalog_list[] = {
    FIELD(TEXT, catalog_row, id), FIELD(TEXT, catalog_row, name),
    NAMED_FIELD(TIME, catalog_row, last_seen, "lastSeen")};

const struct fields catalog_fields = FIELDS(catalog_list, 1);

/* Nobody says where anything is. */
static void add_regions(struct json_writer *writer, const void *row)
{
    (void)row;
    json_key(writer, "regions");
    json_begin(writer, '[');
    json_end(writer, ']');
}

static const struct row_list list_of_pipelines = {
    .fields = &catalog_fields,
    .row_bytes = sizeof(struct catalog_row),
    .keys = {"id"},
    .told_until = "lastSeen",
    .texts_name = "models",
    .texts_at = offsetof(struct catalog_row, models),
    .more = add_regions,
    .compat = {"id", "name", "models", "*"}};

static enum err find_catalog(const struct dashboard *dashboard,
                             struct catalog_row **rows, size_t *count)
{
    struct arena *arena = dashboard->request->arena;
    struct text_index pipelines = {0};
    struct network network;
    enum err err = read_network(dashboard, &network);
    *rows = NULL;
    for (size_t i = 0; !err && i < network.offer_count; i++) {
        const struct offer_row *offer = &network.offers[i];
        bool added;
        if (!is_hardware(offer))
            continue;
        size_t number = text_index_add(&pipelines, offer->pipeline_id, &added);
        if (added) {
            *rows = arena_grow(arena, *rows, number, sizeof **rows);
            (*rows)[number] = (struct catalog_row){.id = offer->pipeline_id,
                                                   .name = offer->pipeline_id,
                                                   .last_seen = INT64_MIN};
        }
        struct catalog_row *row = &(*rows)[number];
        text_list_add(arena, &row->models, offer->model_id);
        if (offer->last_seen > row->last_seen)
            row->last_seen = offer->last_seen;
    }
    *count = pipelines.count;
    text_index_free(&pipelines);
    for (size_t i = 0; i < *count; i++)
        text_list_settle(&(*rows)[i].models);
    list_sort(&list_of_pipelines, *rows, *count);
    return err;
}

enum err answer_pipeline_catalog(struct request *request, struct reply *reply)
{
    struct listing listing;
    struct dashboard dashboard;
    struct catalog_row *rows;
    size_t count;
    enum err err = list_open(&listing, &list_of_pipelines, request);
    if (!err)
        err = dashboard_open_at(&dashboard, request, listing.now_ms);
    if (!err)
        err = find_catalog(&dashboard, &rows, &count);
    if (!err)
        list_answer(&listing, reply, &dashboard.computation.known, rows, count);
    return err;
}

enum err compat_pipeline_catalog(struct request *request, struct reply *reply)
{
    struct dashboard dashboard;
    struct catalog_row *rows;
    size_t count;
    dashboard_open_as_published(&dashboard, request, false);
    enum err err = find_catalog(&dashboard, &rows, &count);
    if (!err)
        compat_array(reply, &list_of_pipelines, rows, count);
    return err;
}

/* ---- pricing ------------------------------------------------------------- */

struct pricing_row {
    struct text address;
    struct text name; /* of the host */
    struct text pipeline;
    struct text model;
    int64_t price;
    int64_t pixels;
    int64_t is_warm; /* or hardware */
    int64_t last_seen;
};

static const struct field pricing_list[] = {
    NAMED_FIELD(TEXT, pricing_row, address, "orchAddress"),
    NAMED_FIELD(TEXT, pricing_row, name, "orchName"),
    NAMED_FIELD(TEXT, pricing_row, pipeline, "pipeline"),
    NAMED_FIELD(TEXT, pricing_row, model, "model"),
    NAMED_FIELD(INT, pricing_row, price, "priceWeiPerUnit"),
    NAMED_FIELD(INT, pricing_row, pixels, "pixelsPerUnit"),
    NAMED_FIELD(INT, pricing_row, is_warm, "isWarm"),
    NAMED_FIELD(TIME, pricing_row, last_seen, "lastSeen")};

const struct fields pricing_fields = FIELDS(pricing_list, 1);

static const struct row_list list_of_prices = {
    .fields = &pricing_fields,
    .row_bytes = sizeof(struct pricing_row),
    .keys = {"orchAddress", "pipeline", "model"},
    .told_until = "lastSeen",
    .compat = {"orchAddress", "~orchName", "pipeline", "~model",
               "priceWeiPerUnit", "pixelsPerUnit", "?isWarm"}};

/* "o.example" of "https://o.example:8935/path"; all of what is no such thing.
 */
static struct text host_of(struct text uri)
{
    size_t at = 0;
    while (at + 2 < uri.length && memcmp(uri.data + at, "://", 3) != 0)
        at++;
    if (at + 2 >= uri.length)
        return uri;
    struct text host = {uri.data + at + 3, uri.length - at - 3};
    size_t length = 0;
    bool six = host.length && host.data[0] == '[';
    while (length < host.length &&
           !strchr(six ? "]/?" : ":/?", host.data[length]))
        length++;
    host.length = length;
    if (six) {
        host.data++;
        host.length--;
    }
    return host;
}

/* A price of byoc is by the name of what is offered, whichever its model. */
static bool is_priced(const struct price_row *price,
                      const struct offer_row *offer)
{
    return text_equal(price->pipeline_id, offer->pipeline_id) &&
           (price->capability_id == CAPABILITY_BYOC ||
            text_equal(price->model_id, offer->model_id));
}

/* AT is where offers of the price's address begin, or before. */
static struct pricing_row pricing_of(const struct network *network,
                                     const struct price_row *price, size_t *at)
{
    struct pricing_row row = {
        .address = price->orch_address,
        .name = host_of(price->orchestrator_uri),
        .pipeline = price->pipeline_id,
        .model = price->model_id,
        .price = price->price_per_unit,
        .pixels = price->pixels_per_unit,
        .last_seen = price->last_seen,
    };
    while (*at < network->offer_count &&
           text_compare(network->offers[*at].orch_address, row.address) < 0)
        (*at)++;
    for (size_t i = *at; i < network->offer_count; i++) {
        const struct offer_row *offer = &network->offers[i];
        if (!text_equal(offer->orch_address, row.address))
            break;
        if (!is_priced(price, offer))
            continue;
        row.is_warm |= offer->ever_warm;
        if (!row.model.length)
            row.model = offer->model_id;
    }
    if (!row.model.length && price->capability_id == CAPABILITY_BYOC)
        row.model = price->pipeline_id;
    if (!row.model.data)
        row.model = text_of("");
    return row;
}

/* Of what several organisations saw, what was seen last; prices are sorted by
 * address, pipeline and model. */
static bool is_same(const struct price_row *a, const struct price_row *b)
{
    return text_equal(a->orch_address, b->orch_address) &&
           text_equal(a->pipeline_id, b->pipeline_id) &&
           text_equal(a->model_id, b->model_id);
}

static enum err find_prices(const struct dashboard *dashboard,
                            struct pricing_row **rows, size_t *count)
{
    struct network network;
    enum err err = read_network(dashboard, &network);
    if (err)
        return err;
    *rows = arena_array(dashboard->request->arena, network.price_count,
                        sizeof **rows);
    *count = 0;
    size_t at = 0;
    for (size_t i = 0; i < network.price_count;) {
        const struct price_row *newest = &network.prices[i];
        size_t first = i;
        for (; i < network.price_count &&
               is_same(&network.prices[i], &network.prices[first]);
             i++)
            if (network.prices[i].last_seen > newest->last_seen)
                newest = &network.prices[i];
        (*rows)[(*count)++] = pricing_of(&network, newest, &at);
    }
    list_sort(&list_of_prices, *rows, *count);
    return ERR_NONE;
}

enum err answer_pricing(struct request *request, struct reply *reply)
{
    struct listing listing;
    struct dashboard dashboard;
    struct pricing_row *rows;
    size_t count;
    enum err err = list_open(&listing, &list_of_prices, request);
    if (!err)
        err = dashboard_open_at(&dashboard, request, listing.now_ms);
    if (!err)
        err = find_prices(&dashboard, &rows, &count);
    if (!err)
        list_answer(&listing, reply, &dashboard.computation.known, rows, count);
    return err;
}

/* Nothing is a null there. */
enum err compat_pricing(struct request *request, struct reply *reply)
{
    struct dashboard dashboard;
    struct pricing_row *rows;
    size_t count;
    dashboard_open_as_published(&dashboard, request, false);
    enum err err = find_prices(&dashboard, &rows, &count);
    if (err)
        return err;
    if (count) {
        compat_array(reply, &list_of_prices, rows, count);
        return ERR_NONE;
    }
    struct json_writer writer = reply_json(reply);
    json_null(&writer);
    return ERR_NONE;
}

/*
 * supply.c: who offers what, for all routes that tell of it: the offers that
 * were seen in the day before the question (§4.2 to §4.4).
 *
 * An offer counts whether or not the model was warm: the publisher does not
 * look at that.
 */
#include "api/supply.h"
#include "base/index.h"

struct supply_filter supply_filter_of(const struct request *request,
                                      const struct knowledge *known,
                                      int64_t now_ms)
{
    return (struct supply_filter){
        .now_ms = now_ms,
        .known = known,
        .org = parameter_text(request, "org"),
        .orchestrator = parameter_text(request, "orchestrator"),
        .pipeline = parameter_text(request, "pipeline"),
        .model = parameter_text(request, "model"),
        .gpu = parameter_text(request, "gpu"),
    };
}

enum err supply_ask(struct supply_asked *asked, const struct row_list *list,
                    struct request *request)
{
    enum err err = list_open(&asked->listing, list, request);
    if (!err)
        err = read_computation(request, &asked->computation);
    if (!err)
        asked->filter = supply_filter_of(request, &asked->computation.known,
                                         asked->listing.now_ms);
    return err;
}

struct supply_filter supply_of_all(const struct request *request)
{
    return (struct supply_filter){.now_ms = present_ms(request),
                                  .known = &knowledge_all};
}

static bool fits(struct text wanted, struct text value)
{
    return !wanted.data || text_equal(wanted, value.data ? value : text_of(""));
}

static bool is_wanted(const struct supply_filter *filter,
                      const struct offer_row *offer)
{
    return (!filter->orchestrator.data ||
            text_equal_ignoring_case(offer->orch_address,
                                     filter->orchestrator)) &&
           fits(filter->pipeline, offer->pipeline_id) &&
           fits(filter->model, offer->model_id) &&
           fits(filter->gpu, offer->gpu_id);
}

enum err supply_offers(struct request *request,
                       const struct supply_filter *filter,
                       struct offer_row **offers, size_t *count)
{
    struct network network;
    enum err err = network_between(
        request->store, request->arena, filter->known, filter->org,
        filter->now_ms - STREAM_WINDOW_MS, filter->now_ms, &network);
    *offers = network.offers;
    *count = 0;
    for (size_t i = 0; !err && i < network.offer_count; i++)
        if (is_wanted(filter, &network.offers[i]))
            (*offers)[(*count)++] = network.offers[i];
    return err;
}

size_t count_gpus(const struct offer_row *offers, size_t count)
{
    struct text_index gpus = {0};
    for (size_t i = 0; i < count; i++)
        if (offers[i].gpu_id.length)
            text_index_add(&gpus, offers[i].gpu_id, NULL);
    size_t distinct = gpus.count;
    text_index_free(&gpus);
    return distinct;
}

/* ---- by address ---------------------------------------------------------- */

static const struct field supplier_list[] = {
    FIELD(TEXT, supplier_row, address), FIELD(TEXT, supplier_row, uri),
    FIELD(INT, supplier_row, gpu_count), FIELD(TIME, supplier_row, last_seen)};

const struct fields supplier_fields = FIELDS(supplier_list, 0);

/* OFFERS are those of one address. */
static struct supplier_row supplier_of(struct arena *arena,
                                       const struct offer_row *offers,
                                       size_t count, offer_name *name)
{
    const struct offer_row *newest = offers;
    struct supplier_row row = {.address = offers[0].orch_address,
                               .gpu_count = (int64_t)count_gpus(offers, count)};
    for (size_t i = 0; i < count; i++) {
        struct text one = name(arena, &offers[i]);
        if (one.data)
            text_list_add(arena, &row.names, one);
        if (offers[i].last_seen >= newest->last_seen)
            newest = &offers[i];
    }
    text_list_settle(&row.names);
    row.uri = newest->orchestrator_uri;
    row.last_seen = newest->last_seen;
    return row;
}

struct supplier_row *suppliers(struct arena *arena, const struct row_list *list,
                               const struct offer_row *offers,
                               size_t offer_count, offer_name *name,
                               size_t *count)
{
    struct supplier_row *rows = arena_array(arena, offer_count, sizeof *rows);
    *count = 0;
    for (size_t i = 0; i < offer_count;) {
        size_t first = i;
        while (i < offer_count &&
               text_equal(offers[i].orch_address, offers[first].orch_address))
            i++;
        struct supplier_row row =
            supplier_of(arena, offers + first, i - first, name);
        if (row.names.count)
            rows[(*count)++] = row;
    }
    list_sort(list, rows, *count);
    return rows;
}

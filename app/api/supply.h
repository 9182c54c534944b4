/*
 * supply.h: who offers what, for all routes that tell of it: the offers that
 * were seen in the day before the question (§4.2 to §4.4). Private to the API.
 *
 * An offer counts whether or not the model was warm: the publisher does not
 * look at that.
 */
#ifndef ASSAY_API_SUPPLY_H
#define ASSAY_API_SUPPLY_H

#include "api/list.h"

/* What is asked of who offers what; texts with null data ask for everything. */
struct supply_filter {
    int64_t now_ms;
    const struct knowledge *known;
    struct text org;
    struct text orchestrator;
    struct text pipeline;
    struct text model;
    struct text gpu;
};
/* As the parameters of REQUEST say, for the day before NOW_MS. */
struct supply_filter supply_filter_of(const struct request *request,
                                      const struct knowledge *known,
                                      int64_t now_ms);
/* A list of who offers what, with all that its question rests on. */
struct supply_asked {
    struct listing listing;
    struct computation computation;
    struct supply_filter filter;
};
/* Stays where it is: the filter points into it. */
MUST_USE enum err supply_ask(struct supply_asked *asked,
                             const struct row_list *list,
                             struct request *request);
/* Without parameters: everything, now. */
struct supply_filter supply_of_all(const struct request *request);

/* Offers that FILTER lets through, by address. */
MUST_USE enum err supply_offers(struct request *request,
                                const struct supply_filter *filter,
                                struct offer_row **offers, size_t *count);

/* Cards that are told apart by their ids alone, as the publisher counts; those
 * without one are none. */
size_t count_gpus(const struct offer_row *offers, size_t count);

/* ---- by address ---------------------------------------------------------- */

struct supplier_row {
    struct text address;
    struct text uri; /* of the newest offer, as last_seen */
    int64_t gpu_count;
    int64_t last_seen;
    struct text_list names; /* of what is offered */
};
extern const struct fields supplier_fields;

/* Begins a struct row_list of suppliers, whose names are called NAMES: most
 * cards first. */
#define SUPPLIERS(called)                                                      \
    .fields = &supplier_fields, .row_bytes = sizeof(struct supplier_row),      \
    .keys = {"-gpu_count", "address"}, .told_until = "last_seen",              \
    .texts_name = called, .texts_at = offsetof(struct supplier_row, names),    \
    .compat = {"address", "uri", called, "gpu_count", "last_seen"}

/* What OFFER is called; without data where it is left out. */
typedef struct text offer_name(struct arena *arena,
                               const struct offer_row *offer);
/* Of OFFERS, sorted by address, those who offer anything with a NAME, in the
 * order of LIST; all their cards count. */
struct supplier_row *suppliers(struct arena *arena, const struct row_list *list,
                               const struct offer_row *offers,
                               size_t offer_count, offer_name *name,
                               size_t *count);

#endif

/*
 * payments.c: payments linked to the sessions they were made for (§3.9).
 *
 * Only a payment that carries its request's id is linked; of a stream that is
 * mostly the first one. That the others share its session id, the publisher no
 * longer looks at.
 */
#include "rollup/rollup.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* clang-format off */
static const struct field payment_list[] = {
    FIELD(TIME, payment_row, event_ts),
    FIELD(TEXT, payment_row, org),
    FIELD(TEXT, payment_row, event_id),
    FIELD(TEXT, payment_row, gateway),
    FIELD(TEXT, payment_row, session_id),
    FIELD(TEXT, payment_row, request_id),
    FIELD(TEXT, payment_row, manifest_id),
    FIELD(TEXT, payment_row, pipeline_hint),
    FIELD(TEXT, payment_row, sender_address),
    FIELD(TEXT, payment_row, recipient_address),
    FIELD(TEXT, payment_row, orchestrator_url),
    FIELD(TEXT, payment_row, face_value_wei),
    FIELD(DOUBLE, payment_row, price_wei_per_pixel),
    FIELD(DOUBLE, payment_row, win_prob),
    FIELD(INT, payment_row, num_tickets),
    FIELD(TEXT, payment_row, session_key),
    FIELD(TEXT, payment_row, link_method),
    FIELD(TEXT, payment_row, link_status),
};
/* clang-format on */

const struct fields payment_fields = {payment_list, COUNT_OF(payment_list),
                                      COUNT_OF(payment_list)};

/* "35_model" names the capability before the model. */
static struct text without_number(struct text manifest)
{
    size_t digits = 0;
    while (digits < manifest.length && manifest.data[digits] >= '0' &&
           manifest.data[digits] <= '9')
        digits++;
    if (!digits || digits == manifest.length || manifest.data[digits] != '_')
        return manifest;
    return (struct text){manifest.data + digits + 1,
                         manifest.length - digits - 1};
}

struct payment_row payment_row_of(struct arena *arena, struct text org,
                                  const struct request_event *event,
                                  struct text session_key)
{
    bool linked = session_key.data != NULL;
    return (struct payment_row){
        .event_ts = event->ts,
        .org = org,
        .event_id = event->id,
        .gateway = event->gateway,
        .session_id = event->session_id,
        .request_id = event->request_id,
        .manifest_id = event->manifest_id,
        .pipeline_hint = without_number(event->manifest_id),
        .sender_address = event->sender,
        .recipient_address = event->address,
        .orchestrator_url = event->url,
        .face_value_wei = text_of(arena_printf(
            arena, "%llu", (unsigned long long)event->face_value_wei)),
        .price_wei_per_pixel = event->price_per_unit,
        .win_prob = json_text_to_double(arena, event->win_prob),
        .num_tickets = event->tries,
        .session_key = session_key,
        .link_method = text_of(linked ? "request_id" : "unlinked"),
        .link_status = text_of(linked ? "resolved" : "unresolved"),
        .win_prob_text = event->win_prob,
        .line = event->line,
    };
}

/* The session of an org's request; null for none. Of several streams with one
 * request id the first by key. */
static enum err session_of(struct store *store, struct arena *arena,
                           struct text org, struct text request_id,
                           struct text *session_key)
{
    *session_key = (struct text){NULL, 0};
    if (!request_id.length)
        return ERR_NONE;
    struct query *query = query_start(store, QUERY_SESSION_OF_REQUEST);
    query_bind_text(query, 1, org);
    query_bind_text(query, 2, request_id);
    bool row;
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    *session_key = query_copy(arena, query, 0);
    return query_run(query);
}

enum err payments_between(struct store *store, struct arena *arena,
                          struct text org, int64_t from_ms, int64_t until_ms,
                          struct payment_row **rows, size_t *count)
{
    struct request_event *events;
    size_t event_count;
    *count = 0;
    enum err err =
        request_events_between(store, arena, org, GROUP_PAYMENTS, from_ms,
                               until_ms, &events, &event_count);
    *rows = arena_array(arena, err ? 0 : event_count, sizeof **rows);
    for (size_t i = 0; !err && i < event_count; i++) {
        struct text session_key;
        err = session_of(store, arena, org, events[i].request_id, &session_key);
        if (!err)
            (*rows)[(*count)++] =
                payment_row_of(arena, org, &events[i], session_key);
    }
    return err;
}

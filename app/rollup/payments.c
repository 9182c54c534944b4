/*
 * payments.c: payments linked to the sessions they were made for (§3.9).
 *
 * Only a payment that carries its request's id is linked; of a stream that is
 * mostly the first one. That the others share its session id, the publisher no
 * longer looks at.
 *
 * Lens assay does: a payment whose request names no session belongs to that of
 * the first payment, by time and id, that shares its session id and is linked,
 * from the UTC day before its own on. It also has what a payment is worth on
 * average, face value * win probability * tickets, which is published nowhere.
 */
#include "rollup/rollup.h"

#include "base/clock.h"
#include "base/index.h"

/* clang-format off */
#define PAYMENT_COLUMNS                                                        \
    FIELD(TIME, payment_row, event_ts),                                        \
    FIELD(TEXT, payment_row, org),                                             \
    FIELD(TEXT, payment_row, event_id),                                        \
    FIELD(TEXT, payment_row, gateway),                                         \
    FIELD(TEXT, payment_row, session_id),                                      \
    FIELD(TEXT, payment_row, request_id),                                      \
    FIELD(TEXT, payment_row, manifest_id),                                     \
    FIELD(TEXT, payment_row, pipeline_hint),                                   \
    FIELD(TEXT, payment_row, sender_address),                                  \
    FIELD(TEXT, payment_row, recipient_address),                               \
    FIELD(TEXT, payment_row, orchestrator_url),                                \
    FIELD(TEXT, payment_row, face_value_wei),                                  \
    FIELD(DOUBLE, payment_row, price_wei_per_pixel),                           \
    FIELD(DOUBLE, payment_row, win_prob),                                      \
    FIELD(INT, payment_row, num_tickets),                                      \
    FIELD(TEXT, payment_row, session_key),                                     \
    FIELD(TEXT, payment_row, link_method),                                     \
    FIELD(TEXT, payment_row, link_status)
static const struct field payment_list[] = {PAYMENT_COLUMNS};
static const struct field payment_assay_list[] = {
    PAYMENT_COLUMNS,
    FIELD(TEXT, payment_row, expected_value_wei),
};
/* clang-format on */

const struct fields payment_fields = FIELDS(payment_list, 0);
const struct fields payment_assay_fields = FIELDS(payment_assay_list, 0);

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

static struct text expected_value_of(struct arena *arena,
                                     const struct request_event *event)
{
    char text[EXPECTED_VALUE_BYTES];
    if (!expected_value_wei(event->face_value_wei, event->tries,
                            event->win_prob, text))
        return (struct text){NULL, 0};
    return text_of(arena_printf(arena, "%s", text));
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
        .expected_value_wei = expected_value_of(arena, event),
        .win_prob_text = event->win_prob,
        .line = event->line,
    };
}

/* Sessions of an org's requests; most requests are paid for many times. */
struct sessions {
    struct store *store;
    struct arena *arena; /* keys live in it */
    struct text org;
    struct text_index requests;
    struct text *keys; /* by number of the request; null for none */
};

/* Of several streams with one request id the first by key. */
static enum err find_session(struct sessions *sessions, struct text request_id,
                             struct text *session_key)
{
    *session_key = (struct text){NULL, 0};
    struct query *query =
        query_start(sessions->store, QUERY_SESSION_OF_REQUEST);
    query_bind_text(query, 1, sessions->org);
    query_bind_text(query, 2, request_id);
    bool row;
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    *session_key = query_copy(sessions->arena, query, 0);
    return query_run(query);
}

/* Null for none. */
static enum err session_of(struct sessions *sessions, struct text request_id,
                           struct text *session_key)
{
    bool added;
    *session_key = (struct text){NULL, 0};
    if (!request_id.length)
        return ERR_NONE;
    size_t number = text_index_add(&sessions->requests, request_id, &added);
    if (!added) {
        *session_key = sessions->keys[number];
        return ERR_NONE;
    }
    sessions->keys = arena_grow(sessions->arena, sessions->keys, number,
                                sizeof *sessions->keys);
    enum err err = find_session(sessions, request_id, session_key);
    sessions->keys[number] = *session_key;
    return err;
}

/* As published: those that name their session themselves. */
static enum err read_payments(struct sessions *sessions,
                              const struct request_question *asked,
                              struct payment_row **rows, size_t *count)
{
    struct arena *arena = sessions->arena;
    struct request_event *events;
    size_t event_count;
    *count = 0;
    enum err err = request_events_asked(sessions->store, arena, asked, &events,
                                        &event_count);
    *rows = arena_array(arena, err ? 0 : event_count, sizeof **rows);
    for (size_t i = 0; !err && i < event_count; i++) {
        struct text session_key;
        err = session_of(sessions, events[i].request_id, &session_key);
        if (!err)
            (*rows)[(*count)++] =
                payment_row_of(arena, asked->org, &events[i], session_key);
    }
    return err;
}

/* ---- by session id --------------------------------------------------------
 */

/* Session ids of payments that are linked to none, and the session keys found
 * for them. */
struct linking {
    struct sessions *sessions;
    struct text_index ids;
    struct text *keys; /* by number of the id; null where there is none yet */
};

static bool is_unlinked(const struct payment_row *row)
{
    return !row->session_key.data && row->session_id.length;
}

static enum err learn(struct linking *linking,
                      const struct request_event *payment)
{
    ptrdiff_t number = text_index_find(&linking->ids, payment->session_id);
    if (number < 0 || linking->keys[number].data)
        return ERR_NONE;
    return session_of(linking->sessions, payment->request_id,
                      &linking->keys[number]);
}

/* The first payment of an id that names a session tells it; by the hour, since
 * those that have to do with the ids may be many. */
static enum err learn_hour(struct linking *linking, int64_t hour)
{
    struct arena scratch = {0};
    const struct request_question asked = {.org = linking->sessions->org,
                                           .group = GROUP_PAYMENTS,
                                           .from_ms = hour,
                                           .until_ms = hour + MS_PER_HOUR,
                                           .names = linking->ids.texts,
                                           .name_count = linking->ids.count};
    struct request_event *events;
    size_t count;
    enum err err = request_events_asked(linking->sessions->store, &scratch,
                                        &asked, &events, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = learn(linking, &events[i]);
    arena_free(&scratch);
    return err;
}

static void link_by_session(const struct linking *linking,
                            struct payment_row *row)
{
    if (!is_unlinked(row))
        return;
    ptrdiff_t number = text_index_find(&linking->ids, row->session_id);
    if (!linking->keys[number].data)
        return;
    row->session_key = linking->keys[number];
    row->link_method = text_of("session_id");
    row->link_status = text_of("resolved");
}

/* ROWS are of DAY; who they belong to may have been told the day before. */
static enum err link_rows(struct sessions *sessions, int64_t day,
                          struct payment_row *rows, size_t count)
{
    struct linking linking = {.sessions = sessions};
    enum err err = ERR_NONE;
    for (size_t i = 0; i < count; i++)
        if (is_unlinked(&rows[i]))
            text_index_add(&linking.ids, rows[i].session_id, NULL);
    linking.keys =
        arena_array(sessions->arena, linking.ids.count, sizeof *linking.keys);
    for (int64_t hour = day - MS_PER_DAY;
         !err && linking.ids.count && hour < day + MS_PER_DAY;
         hour += MS_PER_HOUR)
        err = learn_hour(&linking, hour);
    for (size_t i = 0; !err && i < count; i++)
        link_by_session(&linking, &rows[i]);
    text_index_free(&linking.ids);
    return err;
}

enum err payments_between(struct store *store, struct arena *arena,
                          const struct lens *lens, struct text org,
                          struct text about, int64_t from_ms, int64_t until_ms,
                          struct payment_row **rows, size_t *count)
{
    const struct request_question asked = {.org = org,
                                           .group = GROUP_PAYMENTS,
                                           .from_ms = from_ms,
                                           .until_ms = until_ms,
                                           .names = &about,
                                           .name_count = about.length > 0};
    struct sessions sessions = {.store = store, .arena = arena, .org = org};
    enum err err = read_payments(&sessions, &asked, rows, count);
    if (!err && lens_is_assay(lens))
        err = link_rows(&sessions, clock_day_start(from_ms), *rows, *count);
    text_index_free(&sessions.requests);
    return err;
}

/*
 * session.c: /v1/sessions/{key}: one session with everything under it.
 */
#include "api/serving.h"
#include "base/clock.h"

/* How far from a selection a snapshot is looked for that lists its
 * orchestrator: whoever stays blank is told how near it was. */
enum { NEARBY_MS = MS_PER_HOUR };

/* ---- selections ---------------------------------------------------------- */

/* One swap after another can be all that a stranger's session holds. */
enum { SELECTIONS_MAX = 1000, HOURS_MAX = 1000, EVENTS_STANDARD = 1000 };

static void add_selection(struct json_writer *writer,
                          const struct selection_row *row)
{
    json_begin(writer, '{');
    json_fields(writer, selection_fields, selection_fields.exported, row);
    json_key(writer, "pass");
    json_window(writer, row->day);
    json_key(writer, "line");
    json_int(writer, row->line);
    json_end(writer, '}');
}

static enum err add_selections(struct request *request,
                               struct json_writer *writer)
{
    struct query *query =
        query_start(request->store, QUERY_API_SESSION_SELECTIONS);
    query_bind_text(query, 1, request->argument);
    query_bind_int(query, 2, SELECTIONS_MAX);
    bool more = true;
    enum err err;
    json_key(writer, "selections");
    json_begin(writer, '[');
    while (!(err = query_step(query, &more)) && more) {
        struct selection_row row;
        fields_borrow(query, selection_fields, &row);
        add_selection(writer, &row);
    }
    json_end(writer, ']');
    return err;
}

/* The last selection, which decides. */
static enum err read_decision(struct request *request,
                              struct selection_row *deciding, bool *any)
{
    struct query *query =
        query_start(request->store, QUERY_API_SESSION_DECISION);
    query_bind_text(query, 1, request->argument);
    enum err err = query_step(query, any);
    if (err || !*any)
        return err;
    fields_read(request->arena, query, 0, selection_fields, deciding);
    return query_run(query);
}

/* ---- hours --------------------------------------------------------------- */

static void add_sum(struct json_writer *writer, struct arena *arena,
                    struct text encoded)
{
    struct exact_sum sum = {.arena = arena};
    if (exact_decode(&sum, encoded))
        json_double(writer, exact_round(&sum));
    else
        json_null(writer);
}

static void add_hour(struct json_writer *writer, struct arena *arena,
                     const struct hour_row *row)
{
    const struct {
        const char *name;
        int64_t value;
    } counts[] = {{"status_samples", row->status_samples},
                  {"fps_positive_samples", row->fps_positive_samples},
                  {"running_samples", row->running_samples},
                  {"error_samples", row->error_samples},
                  {"latency_samples", row->latency_samples},
                  {"tail_artefact", row->tail_artefact}};
    json_begin(writer, '{');
    json_key(writer, "window_start");
    json_window(writer, row->hour);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_key(writer, counts[i].name);
        json_int(writer, counts[i].value);
    }
    json_key(writer, "output_fps_sum");
    add_sum(writer, arena, row->fps_sum);
    json_key(writer, "latency_sum_ms");
    add_sum(writer, arena, row->latency_sum);
    json_end(writer, '}');
}

static enum err add_hours(struct request *request, struct json_writer *writer)
{
    struct query *query = query_start(request->store, QUERY_API_SESSION_HOURS);
    query_bind_text(query, 1, request->argument);
    query_bind_int(query, 2, HOURS_MAX);
    bool more = true;
    enum err err;
    json_key(writer, "hours");
    json_begin(writer, '[');
    while (!(err = query_step(query, &more)) && more) {
        struct hour_row row;
        fields_borrow(query, hour_fields, &row);
        add_hour(writer, request->arena, &row);
    }
    json_end(writer, ']');
    return err;
}

/* ---- attribution --------------------------------------------------------- */

static bool lists(const struct capability_snapshot *snapshot,
                  const struct selection_row *selection)
{
    struct text url = selection->observed_url;
    struct text address = selection->observed_address;
    for (size_t i = 0; i < snapshot->element_count; i++) {
        const struct capability_element *one = &snapshot->elements[i];
        if (url.length ? text_equal(one->uri, url)
                       : text_equal(one->address, address) ||
                             text_equal(one->alias, address))
            return true;
    }
    return false;
}

static enum err find_nearest(struct request *request,
                             const struct selection_row *selection,
                             struct nearest_snapshot *nearest)
{
    struct capability_snapshot *snapshots;
    size_t count;
    int64_t at = selection->selection_ts;
    enum err err =
        snapshots_between(request->store, request->arena, selection->org,
                          at - NEARBY_MS, at + NEARBY_MS, &snapshots, &count);
    if (err)
        return err;
    nearest->known = true;
    for (size_t i = 0; i < count; i++) {
        int64_t after = snapshots[i].ts - at;
        if (snapshots[i].removed || !lists(&snapshots[i], selection))
            continue;
        int64_t distance = after < 0 ? -after : after;
        int64_t best =
            nearest->after_ms < 0 ? -nearest->after_ms : nearest->after_ms;
        if (!nearest->found || distance < best)
            nearest->after_ms = after;
        nearest->found = true;
    }
    return ERR_NONE;
}

static enum err add_attribution(struct request *request,
                                struct json_writer *writer,
                                const struct session_row *session,
                                const struct selection_row *deciding)
{
    struct nearest_snapshot nearest = {0};
    bool blank = session->orchestrator_address.length == 0;
    enum err err = ERR_NONE;
    if (deciding && blank)
        err = find_nearest(request, deciding, &nearest);
    if (err)
        return err;
    json_key(writer, "attribution");
    json_begin(writer, '{');
    json_key(writer, "snapshot_age_s");
    if (session->selection_ts == ABSENT_INT ||
        session->attribution_snapshot_ts == ABSENT_INT)
        json_null(writer);
    else
        json_double(writer, (double)(session->selection_ts -
                                     session->attribution_snapshot_ts) /
                                MS_PER_SECOND);
    json_key(writer, "nearest_snapshot_after_s");
    if (nearest.found)
        json_double(writer, (double)nearest.after_ms / MS_PER_SECOND);
    else
        json_null(writer);
    json_key(writer, "sentences");
    attribution_explain(writer, request->arena, session, deciding, nearest);
    json_end(writer, '}');
    return ERR_NONE;
}

/* ---- events -------------------------------------------------------------- */

static const char *note_of(const struct session_event *event)
{
    if (event->flags & EVENT_EXCUSABLE)
        return "an error, of those that excuse a failed start";
    if (event->flags & EVENT_ERROR)
        return "an error";
    if (event->flags & EVENT_NAMES_SWAP)
        return "a change of orchestrator";
    if (event->flags & EVENT_LAST_ERROR)
        return "names a last error";
    return "";
}

static void add_event(struct json_writer *writer,
                      const struct session_event *event)
{
    bool is_status = event->family == FAMILY_STREAM_STATUS;
    json_begin(writer, '{');
    json_key(writer, "ts");
    json_time(writer, event->ts);
    json_key(writer, "family");
    json_string(writer, family_name(event->family));
    json_key(writer, "type");
    json_string(writer, event->family == FAMILY_STREAM_TRACE
                            ? trace_name(event->trace)
                            : "");
    json_key(writer, "line");
    json_int(writer, event->line);
    json_key(writer, "state");
    if (is_status)
        json_string(writer, stream_state_name(event->state));
    else
        json_null(writer);
    json_key(writer, "fps");
    if (is_status)
        json_double(writer, event->output_fps);
    else
        json_null(writer);
    json_key(writer, "orchestrator_address");
    json_text(writer, event->address);
    json_key(writer, "orchestrator_url");
    json_text(writer, event->url);
    json_key(writer, "gateway");
    json_text(writer, event->gateway);
    json_key(writer, "note");
    json_string(writer, note_of(event));
    json_end(writer, '}');
}

/* How many there are of what is shown in part only. */
static enum err add_counts(struct request *request, struct json_writer *writer)
{
    static const char *const names[] = {"selection_count", "hour_count",
                                        "event_count"};
    struct query *query = query_start(request->store, QUERY_API_SESSION_COUNTS);
    query_bind_text(query, 1, request->argument);
    bool row;
    enum err err = query_step(query, &row);
    for (int i = 0; !err && row && i < 3; i++) {
        json_key(writer, names[i]);
        json_int(writer, query_int(query, i));
    }
    return err ? err : query_run(query);
}

/* Day and number of a part, and how many of its events were shown. */
static const char shape[] = "iii";

static struct cursor place_behind(const struct session_part *part, size_t shown)
{
    return (struct cursor){.parts = {{.number = part->place.day},
                                     {.number = part->place.number},
                                     {.number = (int64_t)shown}}};
}

/* One part after the other is in memory. */
static enum err add_parts(struct request *request, struct page *page,
                          const struct cursor *cursor, struct cursor *last)
{
    struct part_place from = {INT64_MIN, 0};
    size_t skip = cursor->given ? (size_t)cursor->parts[2].number : 0;
    struct session_part part;
    struct arena arena = {0};
    bool found = true;
    enum err err;
    if (cursor->given)
        from = (struct part_place){cursor->parts[0].number,
                                   cursor->parts[1].number};
    struct query *parts =
        session_parts(request->store, request->argument, from, INT64_MAX);
    while (!(err = session_part_next(request->store, parts, &arena, &part,
                                     &found)) &&
           found && !page->more) {
        for (size_t i = skip; i < part.count && page_wants_row(page); i++) {
            add_event(&page->writer, &part.events[i]);
            *last = place_behind(&part, i + 1);
        }
        skip = 0;
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

static enum err add_events(struct request *request, struct reply *reply,
                           struct json_writer *writer)
{
    struct cursor cursor;
    struct cursor last = {0};
    enum err err = cursor_read(request, shape, &cursor);
    if (err)
        return err;
    json_key(writer, "events");
    json_begin(writer, '[');
    struct page page = page_within(request, reply, writer, EVENTS_STANDARD);
    err = add_parts(request, &page, &cursor, &last);
    json_end(&page.writer, ']');
    page_end_within(&page, shape, &last);
    *writer = page.writer;
    return err;
}

/* ---- the whole ----------------------------------------------------------- */

static enum err read_session(struct request *request, struct session_row *row)
{
    struct query *query = query_start(request->store, QUERY_API_SESSION);
    query_bind_text(query, 1, request->argument);
    bool found;
    enum err err = query_step(query, &found);
    if (err)
        return err;
    if (!found)
        return err_set(ERR_ABSENT, "there is no session \"%.*s\"",
                       (int)request->argument.length, request->argument.data);
    fields_read(request->arena, query, 0, session_fields, row);
    return ERR_NONE;
}

enum err answer_session(struct request *request, struct reply *reply)
{
    struct session_row session;
    struct selection_row deciding;
    bool selected = false;
    enum err err = read_session(request, &session);
    if (err)
        return err;
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    json_key(&writer, "session");
    json_begin(&writer, '{');
    json_fields(&writer, session_fields, session_fields.exported, &session);
    json_end(&writer, '}');
    err = read_decision(request, &deciding, &selected);
    if (!err)
        err = add_counts(request, &writer);
    if (!err)
        err = add_selections(request, &writer);
    if (!err)
        err = add_hours(request, &writer);
    if (!err)
        err = add_attribution(request, &writer, &session,
                              selected ? &deciding : NULL);
    if (!err)
        err = add_events(request, reply, &writer);
    json_end(&writer, '}');
    return err;
}

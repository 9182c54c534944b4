/*
 * Events are written as a table: time, family, identity, and what decides
 * between equal times.
 */
#include "rollup/selection.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

enum kind { NONE, TRACE, SWAP, RUNNER, STATUS, EVENT, EVENT_SWAP };

struct row {
    int64_t ts;
    enum kind kind;
    const char *id;
    const char *address;
    const char *url;
    int64_t partition;
    int64_t offset;
};

static struct session_event event_of(const struct row *row)
{
    struct session_event event = {.ts = row->ts,
                                  .id = text_of(row->id),
                                  .address = text_of(row->address),
                                  .url = text_of(row->url ? row->url : ""),
                                  .partition = row->partition,
                                  .offset = row->offset,
                                  .trace = TRACE_UNKNOWN};
    event.stream_id = event.request_id = event.gateway = text_of("");
    event.pipeline = text_of("streamdiffusion");
    event.pipeline_id = text_of("LLM");
    event.line = row->ts + 7;
    if (row->kind >= STATUS) {
        event.family =
            row->kind == STATUS ? FAMILY_STREAM_STATUS : FAMILY_STREAM_EVENT;
        event.flags = row->kind == EVENT_SWAP ? EVENT_NAMES_SWAP : 0;
        return event;
    }
    event.trace = row->kind == TRACE  ? TRACE_RECEIVE_REQUEST
                  : row->kind == SWAP ? TRACE_SWAP
                                      : TRACE_RUNNER_SEND_FIRST_PROCESSED;
    return event;
}

/* "id:initial id:swap ...", from runs of RUN events. */
static const char *triggers(const struct row *rows, size_t count, size_t run)
{
    struct buf out = {0};
    size_t selected;
    struct selections selections =
        selections_begin(&arena, text_of("o"), text_of("o|s|r"), 86400000);
    for (size_t i = 0; i < count; i += run) {
        struct session_event events[8];
        size_t left = count - i < run ? count - i : run;
        for (size_t k = 0; k < left; k++)
            events[k] = event_of(&rows[i + k]);
        selections = selections_copy(&arena, &selections);
        selections_add(&selections, events, left);
    }
    struct selection_row *list = selections_end(&selections, &selected);
    for (size_t i = 0; i < selected; i++) {
        buf_printf(&out, "%s%.*s:%.*s", i ? " " : "",
                   (int)list[i].event_id.length, list[i].event_id.data,
                   (int)list[i].selection_trigger.length,
                   list[i].selection_trigger.data);
        CHECK_EQ_INT(list[i].position, i);
        CHECK_EQ_INT(list[i].day, 86400000);
        CHECK_EQ_INT(list[i].line, list[i].selection_ts + 7);
    }
    const char *text = arena_text(&arena, out.data, out.length);
    buf_free(&out);
    return text;
}

static void turn_equal_times(const struct row *rows, size_t count,
                             struct row *turned)
{
    for (size_t first = 0; first < count;) {
        size_t end = first;
        while (end < count && rows[end].ts == rows[first].ts)
            end++;
        for (size_t i = first; i < end; i++)
            turned[i] = rows[first + end - 1 - i];
        first = end;
    }
}

#define FALLBACK ":orch_change_fallback"

TEST(which_events_select)
{
    static const struct {
        struct row events[8];
        const char *wanted;
    } rows[] = {
        {{{0}}, ""},
        {{{1, STATUS, "a", "x", "", 0, 0}}, "a:initial"},
        {{{1, STATUS, "a", "", "", 0, 0}}, ""},
        {{{1, STATUS, "a", "", "u", 0, 0}}, "a:initial"},
        {{{1, EVENT, "a", "x", "u", 0, 0}}, "a:initial"},
        /* runner traces are no candidates */
        {{{1, RUNNER, "a", "x", "", 0, 0}, {2, STATUS, "b", "y", "", 0, 0}},
         "b:initial"},
        /* the same again selects nothing, another does */
        {{{1, TRACE, "a", "x", "", 0, 0},
          {2, STATUS, "b", "x", "", 0, 0},
          {3, EVENT, "c", "y", "", 0, 0},
          {4, STATUS, "d", "x", "", 0, 0}},
         "a:initial c" FALLBACK " d" FALLBACK},
        /* the address is the identity, the URL only without one */
        {{{1, STATUS, "a", "x", "u", 0, 0},
          {2, STATUS, "b", "x", "v", 0, 0},
          {3, STATUS, "c", "", "u", 0, 0}},
         "a:initial c" FALLBACK},
        /* blank identities: kept by the filter, skipped by the triggers */
        {{{1, TRACE, "a", "", "", 0, 0},
          {2, STATUS, "b", "x", "", 0, 0},
          {3, STATUS, "c", "", "", 0, 0},
          {4, STATUS, "d", "x", "", 0, 0}},
         "b:initial"},
        /* explicit swaps */
        {{{1, SWAP, "a", "x", "", 0, 0},
          {2, SWAP, "b", "x", "", 0, 0},
          {3, EVENT_SWAP, "c", "x", "", 0, 0},
          {4, SWAP, "d", "", "", 0, 0},
          {5, SWAP, "e", "y", "", 0, 0}},
         "a:initial b:swap c:swap e:swap"},
        /* equal times: trace before status before event */
        {{{1, EVENT, "a", "z", "", 0, 0},
          {1, STATUS, "b", "y", "", 0, 0},
          {1, TRACE, "c", "x", "", 0, 0}},
         "c:initial b" FALLBACK " a" FALLBACK},
        /* equal times and families: the filter goes by id, so b and c
         * differ from their predecessors and a, b, c stay; the triggers go by
         * partition, offset, id */
        {{{1, STATUS, "a", "x", "", 2, 0},
          {1, STATUS, "b", "y", "", 1, 9},
          {1, STATUS, "c", "x", "", 1, 8}},
         "c:initial b" FALLBACK " a" FALLBACK},
        /* the filter drops b, the same as a before it, although by place b
         * would stand between two others */
        {{{1, STATUS, "a", "x", "", 0, 1},
          {1, STATUS, "b", "x", "", 0, 3},
          {1, STATUS, "c", "y", "", 0, 2}},
         "a:initial c" FALLBACK},
        /* the filter keeps x twice, the triggers bring them together */
        {{{1, STATUS, "a", "x", "", 0, 1},
          {1, STATUS, "b", "y", "", 0, 3},
          {1, STATUS, "c", "x", "", 0, 2}},
         "a:initial b" FALLBACK},
        {{{1, STATUS, "a", "x", "", 0, 2},
          {1, STATUS, "b", "x", "", 0, 1},
          {2, STATUS, "c", "x", "", 0, 0}},
         "a:initial"},
    };
    EACH_ROW (row, rows) {
        size_t count = 0;
        while (count < 8 && row->events[count].kind != NONE)
            count++;
        /* Equal times may come in any order. */
        struct row turned[8];
        turn_equal_times(row->events, count, turned);
        for (size_t run = 1; run <= 8; run++) {
            CHECK_EQ_TEXT(triggers(row->events, count, run), row->wanted);
            CHECK_EQ_TEXT(triggers(turned, count, run), row->wanted);
        }
    }
    arena_free(&arena);
}

TEST(a_pass_has_only_so_many)
{
    enum { EVENTS = PASS_SELECTIONS_MAX + 100 };
    static const struct row row = {1, SWAP, "a", "x", "", 0, 0};
    struct session_event *events = arena_array(&arena, EVENTS, sizeof *events);
    size_t count;
    for (int i = 0; i < EVENTS; i++) {
        events[i] = event_of(&row);
        events[i].ts = i;
    }
    struct selection_row *list = selections_build(
        &arena, text_of("o"), text_of("o|s|r"), 0, events, EVENTS, &count);
    CHECK_EQ_INT(count, PASS_SELECTIONS_MAX);
    CHECK_EQ_INT(list[count - 1].selection_ts, PASS_SELECTIONS_MAX - 1);
    arena_free(&arena);
}

static void check_text(struct text got, const char *wanted)
{
    CHECK_EQ_TEXT(arena_text(&arena, got.data, got.length), wanted);
}

TEST(a_selection_tells_what_was_seen)
{
    static const struct row rows[] = {{1, TRACE, "a", "x", "u", 0, 0},
                                      {2, STATUS, "b", "", "v", 0, 0}};
    struct session_event events[] = {event_of(&rows[0]), event_of(&rows[1])};
    size_t count;
    struct selection_row *list = selections_build(
        &arena, text_of("o"), text_of("o|s|r"), 0, events, 2, &count);
    REQUIRE(count == 2);
    /* md5sum of "o|o|s|r|a" */
    check_text(list[0].selection_event_id, "3340bed87ed1c91e2b4c77b273c0d8c4");
    check_text(list[0].org, "o");
    check_text(list[0].session_key, "o|s|r");
    check_text(list[0].orchestrator_identity, "x");
    check_text(list[0].observed_address, "x");
    check_text(list[0].observed_url, "u");
    /* a trace hints at the pipeline alone, a status at the model alone */
    check_text(list[0].pipeline_hint, "llm");
    check_text(list[0].model_hint, "");
    check_text(list[1].pipeline_hint, "live-video-to-video");
    check_text(list[1].model_hint, "streamdiffusion");
    check_text(list[1].orchestrator_identity, "v");
    check_text(list[1].observed_address, "");
    arena_free(&arena);
}

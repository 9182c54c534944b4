/*
 * The sentences that say why a session was attributed as it was: every reason
 * of the lens has its own, with this session's numbers in it.
 */
#include "api/api_int.h"

#include "harness.h"

#include <string.h>

static const int64_t SELECTED = 1767908947583;

/* The sentences as one JSON text. */
static const char *explain(struct arena *arena, struct session_row session,
                           bool selected, struct nearest_snapshot nearest)
{
    struct selection_row deciding = {
        .selection_trigger = text_of("initial"),
        .selection_ts = SELECTED,
        .observed_url = text_of("https://one.example:8935"),
        .observed_address = text_of("0xabc"),
    };
    struct buf out = {0};
    struct json_writer writer = {.out = &out};
    session.selection_ts = selected ? SELECTED : ABSENT_INT;
    if (!session.attribution_snapshot_ts)
        session.attribution_snapshot_ts = ABSENT_INT;
    attribution_explain(&writer, arena, &session, selected ? &deciding : NULL,
                        nearest);
    const char *text = arena_text(arena, out.data, out.length);
    buf_free(&out);
    return text;
}

static struct session_row blank_because(const char *reason)
{
    return (struct session_row){.attribution_reason = text_of(reason),
                                .orchestrator_address = text_of("")};
}

TEST(a_missing_snapshot_is_told_with_its_distance)
{
    struct arena arena = {0};
    struct session_row session = blank_because("missing_candidate");
    struct nearest_snapshot late = {true, true, 74007};
    const char *text = explain(&arena, session, true, late);
    CHECK(strstr(text, "https://one.example:8935") != NULL);
    CHECK(strstr(text, "2026-01-08T21:49:07.583Z") != NULL);
    CHECK(
        strstr(text, "came 74.007 s after the selection, 44.007 s too late") !=
        NULL);
    struct nearest_snapshot none = {true, false, 0};
    CHECK(strstr(explain(&arena, session, true, none), "within an hour"));
    struct nearest_snapshot unknown = {0};
    CHECK(!strstr(explain(&arena, session, true, unknown), "within an hour"));
    arena_free(&arena);
}

TEST(the_class_of_freshness_is_told)
{
    static const struct {
        int64_t age_ms;
        const char *method;
        const char *part;
    } rows[] = {
        {0, "uri_interval_exact", "exactly then: class exact"},
        {300000, "uri_interval_exact", "still in force: class exact"},
        {300000, "uri_interval_prior", "class prior"},
        {600000, "uri_interval_exact", "class exact"},
        {600001, "uri_interval_stale", "class stale"},
        {-20000, "alias_interval_future", "class future"},
    };
    struct arena arena = {0};
    EACH_ROW (row, rows) {
        struct session_row session = {
            .attribution_method = text_of(row->method),
            .attribution_reason = text_of("matched"),
            .attribution_snapshot_ts = SELECTED - row->age_ms,
            .orchestrator_address = text_of("0xdef"),
        };
        const char *text =
            explain(&arena, session, true, (struct nearest_snapshot){0});
        CHECK(strstr(text, row->part) != NULL);
        CHECK(strstr(text, "counts for 0xdef") != NULL);
    }
    arena_free(&arena);
}

TEST(every_reason_for_a_blank_has_a_sentence)
{
    static const struct {
        const char *reason;
        const char *part;
    } rows[] = {
        {"missing_uri_snapshot_local_alias_present", "as a signing address"},
        {"missing_uri_snapshot_address_match_present", "only the URL counts"},
        {"ambiguous_candidates", "equally well"},
        {"matched_without_hardware", "without a GPU"},
    };
    struct arena arena = {0};
    EACH_ROW (row, rows) {
        const char *text = explain(&arena, blank_because(row->reason), true,
                                   (struct nearest_snapshot){0});
        CHECK(strstr(text, row->part) != NULL);
    }
    arena_free(&arena);
}

TEST(a_session_without_selection_says_so)
{
    struct arena arena = {0};
    struct session_row session = {0};
    struct nearest_snapshot none = {0};
    CHECK(
        strstr(explain(&arena, session, false, none), "nothing to attribute"));
    session.no_orch_count = 2;
    CHECK(strstr(explain(&arena, session, false, none), "reported twice"));
    arena_free(&arena);
}

TEST(a_swapped_session_is_charged_to_the_last)
{
    struct arena arena = {0};
    struct session_row session = {.orchestrator_address = text_of("0xdef"),
                                  .swap_count = 1};
    const char *text =
        explain(&arena, session, true, (struct nearest_snapshot){0});
    CHECK(strstr(text, "charge the last one") != NULL);
    arena_free(&arena);
}

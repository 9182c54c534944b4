/*
 * attribution.c: why a session was attributed as it was, for a person.
 *
 * The rules are those of the published lens (published metrics §2.6 and §2.7);
 * here they are told with the numbers of one session. Pure: rows in, sentences
 * out.
 */
#include "api/api_int.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FRESH_MS = 10 * MS_PER_MINUTE, /* a snapshot this old is not stale yet */
    FUTURE_MS = 30 * MS_PER_SECOND /* and this much later is still taken */
};

/* TEXT and LENGTH of a struct text for "%.*s". */
#define SHOWN(text) (int)(text).length, (text).data

static bool is_blank(struct text text)
{
    return text.length == 0;
}

/* "2.5 s", "74.007 s", "12 min 30 s", "3 h 20 min": MS without its sign. */
static const char *duration(struct arena *arena, int64_t ms)
{
    if (ms < 0)
        ms = -ms;
    if (ms < 2 * MS_PER_MINUTE)
        return arena_printf(arena, "%g s", (double)ms / MS_PER_SECOND);
    if (ms < MS_PER_HOUR)
        return arena_printf(arena, "%d min %d s", (int)(ms / MS_PER_MINUTE),
                            (int)(ms / MS_PER_SECOND % 60));
    return arena_printf(arena, "%lld h %d min", (long long)(ms / MS_PER_HOUR),
                        (int)(ms / MS_PER_MINUTE % 60));
}

/* "once", "twice", "7 times" */
static const char *times(struct arena *arena, int64_t count)
{
    if (count <= 2)
        return count == 1 ? "once" : "twice";
    return arena_printf(arena, "%lld times", (long long)count);
}

/* ---- the selection ------------------------------------------------------- */

static const char *trigger_words(struct text trigger)
{
    if (text_is(trigger, "swap"))
        return "an explicit swap";
    if (text_is(trigger, "orch_change_fallback"))
        return "an event that names another orchestrator than the one before";
    return "the first event that names an orchestrator";
}

static void tell_selection(struct json_writer *writer, struct arena *arena,
                           const struct selection_row *deciding)
{
    char time[CLOCK_TEXT_BYTES];
    struct text name = is_blank(deciding->observed_url)
                           ? deciding->observed_address
                           : deciding->observed_url;
    json_string(
        writer,
        arena_printf(arena, "The decision rests on %s, at %s: it names %.*s.",
                     trigger_words(deciding->selection_trigger),
                     clock_text_ms(deciding->selection_ts, time), SHOWN(name)));
}

static void tell_no_selection(struct json_writer *writer, struct arena *arena,
                              const struct session_row *session)
{
    if (session->no_orch_count > 0)
        json_string(writer,
                    arena_printf(arena,
                                 "No event of this session names an "
                                 "orchestrator: the gateway reported %s that "
                                 "none was available.",
                                 times(arena, session->no_orch_count)));
    else
        json_string(writer, "No event of this session names an orchestrator, "
                            "so there was nothing to attribute.");
    json_string(writer, "The orchestrator stays blank.");
}

/* ---- the snapshot -------------------------------------------------------- */

static const char *method_words(struct text method)
{
    if (strncmp(method.data ? method.data : "", "alias", 5) == 0)
        return "its signing address";
    if (strncmp(method.data ? method.data : "", "address", 7) == 0)
        return "its address";
    return "its URL";
}

static const char *freshness_words(const struct session_row *session,
                                   int64_t age_ms)
{
    if (age_ms == 0)
        return "exactly then: class exact";
    if (age_ms < 0)
        return "it is later, but by no more than the 30 s that are allowed: "
               "class future";
    if (age_ms > FRESH_MS)
        return "that is more than ten minutes: class stale, and the "
               "confidence is only medium";
    struct text method = session->attribution_method;
    if (method.length >= 5 &&
        memcmp(method.data + method.length - 5, "prior", 5) == 0)
        return "at most ten minutes old, though a newer one had replaced it: "
               "class prior";
    return "at most ten minutes old and still in force: class exact";
}

static void tell_snapshot(struct json_writer *writer, struct arena *arena,
                          const struct session_row *session)
{
    if (session->attribution_snapshot_ts == ABSENT_INT ||
        session->selection_ts == ABSENT_INT)
        return;
    int64_t age_ms = session->selection_ts - session->attribution_snapshot_ts;
    char time[CLOCK_TEXT_BYTES];
    json_string(
        writer,
        arena_printf(arena,
                     "It was found by %s in the capability snapshot of %s, "
                     "%s %s the selection; %s.",
                     method_words(session->attribution_method),
                     clock_text_ms(session->attribution_snapshot_ts, time),
                     duration(arena, age_ms), age_ms < 0 ? "after" : "before",
                     freshness_words(session, age_ms)));
}

/* ---- why not ------------------------------------------------------------- */

static void tell_nearest(struct json_writer *writer, struct arena *arena,
                         struct nearest_snapshot nearest)
{
    if (!nearest.known)
        return;
    if (!nearest.found) {
        json_string(writer, "No snapshot within an hour of the selection "
                            "lists it at all.");
        return;
    }
    const char *far = duration(arena, nearest.after_ms);
    if (nearest.after_ms > FUTURE_MS)
        json_string(
            writer,
            arena_printf(arena,
                         "The nearest snapshot that lists it came %s after "
                         "the selection, %s too late.",
                         far, duration(arena, nearest.after_ms - FUTURE_MS)));
    else
        json_string(writer,
                    arena_printf(arena,
                                 "The nearest snapshot that lists it came %s "
                                 "%s the selection.",
                                 far,
                                 nearest.after_ms < 0 ? "before" : "after"));
}

/* A sentence for each reason of §2.6 and §2.7. */
static const struct {
    const char *reason;
    const char *sentence;
    bool nearest; /* how near a snapshot was is worth a word */
} reasons[] = {
    {"missing_candidate",
     "No capability snapshot in reach lists it: one is in reach from before "
     "the selection, or where it starts at most 30 s after it. The "
     "orchestrator stays blank.",
     true},
    {"missing_uri_snapshot_local_alias_present",
     "No capability snapshot in reach lists this URL. One lists the address "
     "that came with it as a signing address, but where a URL is named only "
     "the URL counts; the orchestrator stays blank.",
     true},
    {"missing_uri_snapshot_address_match_present",
     "No capability snapshot in reach lists this URL. One lists the address "
     "that came with it, but where a URL is named only the URL counts; the "
     "orchestrator stays blank.",
     true},
    {"ambiguous_candidates",
     "Several orchestrators, pipelines or models in reach fit it equally "
     "well. None is preferred; the orchestrator stays blank.",
     false},
    {"matched_without_hardware",
     "The snapshot names no hardware for it, so the session counts for the "
     "orchestrator without a GPU.",
     false},
};

static void tell_reason(struct json_writer *writer, struct arena *arena,
                        const struct session_row *session,
                        struct nearest_snapshot nearest)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (!text_is(session->attribution_reason, reasons[i].reason))
            continue;
        json_string(writer, reasons[i].sentence);
        if (reasons[i].nearest)
            tell_nearest(writer, arena, nearest);
    }
}

static void tell_result(struct json_writer *writer, struct arena *arena,
                        const struct session_row *session)
{
    if (is_blank(session->orchestrator_address))
        return;
    json_string(writer, arena_printf(arena, "So the session counts for %.*s.",
                                     SHOWN(session->orchestrator_address)));
    if (session->swap_count > 0)
        json_string(writer,
                    arena_printf(arena,
                                 "It had changed its orchestrator %s; "
                                 "the published rows charge the last one with "
                                 "all of the session, and so does this lens.",
                                 times(arena, session->swap_count)));
}

void attribution_explain(struct json_writer *writer, struct arena *arena,
                         const struct session_row *session,
                         const struct selection_row *deciding,
                         struct nearest_snapshot nearest)
{
    json_begin(writer, '[');
    if (deciding) {
        tell_selection(writer, arena, deciding);
        tell_snapshot(writer, arena, session);
        tell_reason(writer, arena, session, nearest);
        tell_result(writer, arena, session);
    } else {
        tell_no_selection(writer, arena, session);
    }
    json_end(writer, ']');
}

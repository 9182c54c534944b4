/*
 * lens.c: what each switch of a lens is, in words. Each acts at one place of
 * the fold and is explained there again:
 *
 *   dedup.c          dedup_first
 *   capability_index.c, attribution.c  late_snapshot, multi_gpu
 *   session.c        loading_only_documented, health_first_processed,
 *                    ptff_from_request, e2e_documented, inferred_swaps
 *   session_hours.c  tail_artefact_kept, session_counted_once,
 *                    fps_without_zeros, swap_charged_to_left
 *   sla.c            excused_not_counted
 *   cohort.c         merged_benchmark, nan_day_neutral, no_row_gate
 *
 * Sources: D numbers are those of the list of differences between the
 * publisher's documents and code in the specification of the published
 * metrics; REFERENCE is its docs/metrics-and-sla-reference.md, RULES its
 * docs/design-docs/data-validation-rules.md, ADR-004 its
 * docs/design-docs/adr-004-quality-aware-sla.md.
 */
#include "rollup/lens.h"

#include "config/config.h"

#include <string.h>

const struct lens lens_published = {0};
const struct lens lens_assay = {(UINT32_C(1) << LENS_SWITCHES) - 1};

#define REFERENCE "metrics-and-sla-reference.md"
#define RULES "data-validation-rules.md"

const struct lens_departure lens_departures[LENS_SWITCHES] = {
    [LENS_DEDUP_FIRST] =
        {"dedup_first", "D2; " RULES ", RULE-LINEAGE-001",
         "an event is known by (org, family, time, id)",
         "an event is known by (org, id): of a session's events with one id "
         "only the first by (time, family) counts",
         "an event delivered again under another time counts once; fewer "
         "samples, starts and swaps"},
    [LENS_LATE_SNAPSHOT] =
        {"late_snapshot", "published metrics 2.6, 2.11 and 7",
         "a capability snapshot more than 30 s after the selection is not "
         "looked at, nor one of an orchestrator that no selection of the pass "
         "names; the orchestrator stays blank",
         "where nothing else is known, the next snapshot within 60 min names "
         "the orchestrator; all snapshots are read",
         "sessions that began before their gateway's first list are attributed "
         "to whom they ran on"},
    [LENS_MULTI_GPU] =
        {"multi_gpu", "published metrics 2.6 step 5 and 7",
         "an orchestrator with several GPUs of one model has no GPU",
         "gpu_id = the distinct ids, sorted and joined with '+'",
         "orchestrators with several cards appear in the GPU metrics; one row "
         "for the set, since no event says which of them worked"},
    [LENS_LOADING_ONLY_DOCUMENTED] =
        {"loading_only_documented", "D6; " RULES ", RULE-LIFECYCLE-007",
         "loading only = samples, and none online or degraded",
         "loading only = samples, and each of them LOADING",
         "sessions that were OFFLINE or in ERROR are no longer called loading "
         "only; they may still be without output"},
    [LENS_HEALTH_FIRST_PROCESSED] =
        {"health_first_processed", "D7; " RULES ", RULE-LIFECYCLE-007",
         "signals = [samples] + [playable] + [samples that are not dead]; "
         "those "
         "of unrequested sessions are added and none expected",
         "signals = [samples] + [first processed segment] + [playable], 0 of 0 "
         "for unrequested sessions",
         "coverage falls where no first segment was seen, rises for sessions "
         "that only loaded, and is no longer filled up by strangers"},
    [LENS_PTFF_FROM_REQUEST] =
        {"ptff_from_request", "D9; " REFERENCE " 2.6",
         "PTFF starts at the runner's start_time, by the runner's clock",
         "PTFF = few processed segments received - stream request received, "
         "both by the gateway's clock",
         "selection and start-up count; PTFF grows, and no longer depends on "
         "the runner's clock"},
    [LENS_E2E_DOCUMENTED] =
        {"e2e_documented", "D22; " REFERENCE " 2.3",
         "E2E = runner's first processed segment sent - first ingest segment "
         "sent, across two clocks",
         "E2E = few processed segments received - stream request received: "
         "from prompt to usable output, as the user has it; samples' own "
         "latency_ms still comes first",
         "E2E grows from tenths of a second to the start-up time"},
    [LENS_TAIL_ARTEFACT_KEPT] =
        {"tail_artefact_kept", "published metrics 2.10 and 11",
         "the last hour of a session is left out if it has fewer than 3 "
         "samples and no output, as has its previous hour in reach",
         "no hour is left out",
         "sessions that ended without output count in their last hour too"},
    [LENS_SESSION_COUNTED_ONCE] =
        {"session_counted_once", "published metrics 3.1 and 3.6",
         "a session counts, with the flags and latencies of its whole life, in "
         "each hour in which it reported its status",
         "a session counts in the first of these hours; in the others only "
         "its samples do",
         "long sessions weigh as much as short ones; an hour that only goes "
         "on has no score"},
    [LENS_INFERRED_SWAPS] =
        {"inferred_swaps", "D8; " REFERENCE " 2.5 and 6",
         "swapped = an orchestrator_swap trace; confirmed and inferred are 0",
         "confirmed = an orchestrator_swap trace; inferred = none, but the "
         "attributed orchestrator changed from one to another; swapped = "
         "confirmed + inferred",
         "changes of orchestrator without a trace lower no_swap_rate"},
    [LENS_SWAP_CHARGED_TO_LEFT] =
        {"swap_charged_to_left", "published metrics 2.4, 2.7 and 7",
         "a session belongs to its last orchestrator, and so does its swap",
         "the swap counts, with the session as requested there, in the row of "
         "the orchestrator that was left, in the session's hour in which it "
         "was left",
         "who takes over a stream is not punished for it; who lost it is"},
    [LENS_FPS_WITHOUT_ZEROS] =
        {"fps_without_zeros", "D10; " REFERENCE " 2.1",
         "average FPS over all status samples",
         "average FPS over the samples with fps > 0; the FPS score weighs by "
         "their number",
         "loading no longer lowers the average"},
    [LENS_EXCUSED_NOT_COUNTED] =
        {"excused_not_counted", "D11; " REFERENCE " 6 and 7",
         "an excused failure lowers startup_success_rate, and viability and "
         "coverage where it had no output",
         "an excused session is requested and excused, and counts in nothing "
         "else; rates = counts / (requested - excused), null without any",
         "failures with an accepted cause no longer cost the orchestrator"},
    [LENS_MERGED_BENCHMARK] =
        {"merged_benchmark", "D12; ADR-004, rollup rules",
         "edge = mean of the 7 daily percentiles, weighted by their rows",
         "edge = percentile of the rows of the 7 days together",
         "days unlike the others move the edges as much as their rows do"},
    [LENS_NAN_DAY_NEUTRAL] =
        {"nan_day_neutral", "published metrics 11, second correction",
         "a day with rows but without a value of a metric makes that metric's "
         "component 0 for the seven days after it",
         "days without a value add nothing to the edges",
         "one day without a value no longer costs 7.2 to 12 points for a week"},
    [LENS_NO_ROW_GATE] =
        {"no_row_gate", "D13",
         "a metric with fewer than 48 benchmark rows scores 0.5",
         "any benchmark row counts",
         "rare models are compared too, and can score above or below 85"},
};

static void add_text(struct json_writer *writer, const char *key,
                     const char *value)
{
    json_key(writer, key);
    json_string(writer, value);
}

void lens_departures_write(struct json_writer *writer)
{
    json_begin(writer, '[');
    for (size_t i = 0; i < LENS_SWITCHES; i++) {
        const struct lens_departure *one = &lens_departures[i];
        json_begin(writer, '{');
        add_text(writer, "name", one->name);
        add_text(writer, "source", one->source);
        add_text(writer, "published", one->published);
        add_text(writer, "formula", one->formula);
        add_text(writer, "effect", one->effect);
        json_end(writer, '}');
    }
    json_end(writer, ']');
}

bool lens_has(const struct lens *lens, enum lens_switch which)
{
    return (lens->switches >> which & 1) != 0;
}

struct lens lens_with(struct lens lens, enum lens_switch which, bool on)
{
    uint32_t bit = UINT32_C(1) << which;
    lens.switches = on ? lens.switches | bit : lens.switches & ~bit;
    return lens;
}

bool lens_is_published(const struct lens *lens)
{
    return !lens->switches;
}

bool lens_is_assay(const struct lens *lens)
{
    return lens->switches == lens_assay.switches;
}

enum lens_switch lens_switch_named(const char *name, size_t length)
{
    for (int i = 0; i < LENS_SWITCHES; i++)
        if (strlen(lens_departures[i].name) == length &&
            !memcmp(lens_departures[i].name, name, length))
            return (enum lens_switch)i;
    return LENS_SWITCHES;
}

static enum err unknown_switch(const char *name, size_t length)
{
    const char *names[LENS_SWITCHES];
    char word[64];
    if (length >= sizeof word)
        length = sizeof word - 1;
    memcpy(word, name, length);
    word[length] = 0;
    for (int i = 0; i < LENS_SWITCHES; i++)
        names[i] = lens_departures[i].name;
    const char *nearest = nearest_word(word, names, LENS_SWITCHES);
    return err_set(ERR_USAGE,
                   "no switch is called '%s'%s%s%s; `assay metrics switches` "
                   "lists them",
                   word, nearest ? "; is '" : "", nearest ? nearest : "",
                   nearest ? "' meant?" : "");
}

enum err lens_turn(struct lens *lens, const char *names, bool on)
{
    const char *at = names + strspn(names, ", ");
    while (*at) {
        size_t length = strcspn(at, ", ");
        enum lens_switch which = lens_switch_named(at, length);
        if (which == LENS_SWITCHES)
            return unknown_switch(at, length);
        *lens = lens_with(*lens, which, on);
        at += length;
        at += strspn(at, ", ");
    }
    return ERR_NONE;
}

/*
 * The journal in a store: durable, chained, derived again by a replay, spared
 * by retention, and every change of it found.
 */
#include "ingest/ingest.h"

#include "base/clock.h"
#include "harness.h"

#include <string.h>

enum { START_MS = 1700000000 };

static struct arena arena;

static struct store *opened(const char *name)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_path(name), STORE_WRITE));
    return store;
}

/* Run NUMBER, which began that many seconds after START_MS and cost as many
 * wei; odd ones have samples. */
static struct journal_entry entry_of(int number)
{
    static const int64_t arrivals[] = {10, 20, 35};
    static const struct sample_series series = {"frame_arrival_us", arrivals,
                                                3};
    static const struct run_samples samples = {.series = &series,
                                               .series_count = 1};
    struct run run = run_empty();
    run.run_id = text_of(arena_printf(&arena, "run-%d", number));
    run.kind = text_of(RUN_KIND_LIVE);
    run.vantage = text_of("here");
    run.started_at = START_MS + number * (int64_t)1000;
    run.cost_wei = number;
    run.ptff_ms = 812.5 + number;
    run_conclude(&run, number % 3 ? REASON_NONE : REASON_NO_OUTPUT);
    return run_entry(&arena, &run, number % 2 ? &samples : NULL);
}

static void append_runs(struct store *store, int from, int to)
{
    struct journal_entry entries[16];
    size_t count = 0;
    for (int number = from; number < to; number++)
        entries[count++] = entry_of(number);
    REQUIRE_OK(journal_append(store, entries, count));
}

static void tell_run(struct buf *out, const struct run *run)
{
    buf_printf(out, "%.*s %.*s %g %lld at %lld\n", (int)run->run_id.length,
               run->run_id.data, (int)run->outcome.length, run->outcome.data,
               run->ptff_ms, (long long)run->cost_wei, (long long)run->line);
}

/* All of the two tables that a replay derives. */
static const char *tables_of(struct store *store)
{
    struct buf out = {0};
    bool found;
    struct query *query = query_start(store, QUERY_JOURNAL_RUN_EXPORT);
    query_bind_int(query, 1, INT64_MIN);
    query_bind_int(query, 2, INT64_MAX);
    REQUIRE_OK(query_step(query, &found));
    while (found) {
        struct run run;
        fields_read(&arena, query, 0, run_fields, &run);
        tell_run(&out, &run);
        REQUIRE_OK(query_step(query, &found));
    }
    query = query_start(store, QUERY_JOURNAL_HEAD);
    REQUIRE_OK(query_step(query, &found));
    if (found) {
        char hex[2 * SHA256_BYTES + 1];
        hash_hex((const uint8_t *)query_text(query, 1).data, SHA256_BYTES, hex);
        buf_printf(&out, "%lld %s\n", (long long)query_int(query, 0), hex);
    }
    const char *text = arena_text(&arena, out.data, out.length);
    buf_free(&out);
    return text;
}

static void keep_defect(void *context, const char *defect)
{
    buf_printf(context, "%s\n", defect);
}

/* The defects, a line each. */
static const char *defects_of(struct store *store,
                              struct journal_verdict *verdict)
{
    struct buf out = {0};
    REQUIRE_OK(journal_verify(store, verdict, keep_defect, &out));
    const char *text = arena_text(&arena, out.data, out.length);
    buf_free(&out);
    return text;
}

TEST(runs_are_durable_and_chained)
{
    struct journal_verdict verdict;
    struct store *store = opened("s");
    append_runs(store, 1, 4);
    store_close(store);
    store = opened("s");
    append_runs(store, 4, 6);
    CHECK_EQ_TEXT(defects_of(store, &verdict), "");
    CHECK_EQ_INT(verdict.entries, 5);
    CHECK_EQ_INT(verdict.attachments, 3);
    CHECK_EQ_INT(verdict.head.seq, 5);
    store_close(store);
    arena_free(&arena);
}

TEST(a_replay_derives_the_same_runs)
{
    struct store *store = opened("s");
    append_runs(store, 1, 8);
    const char *before = tables_of(store);
    CHECK(strstr(before, "run-3 failed 815.5 3 at "));
    CHECK(strstr(before, "run-7 ok 819.5 7 at "));
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(ingest_replay(store, NULL, NULL));
    REQUIRE_OK(store_commit(store));
    CHECK_EQ_TEXT(tables_of(store), before);
    append_runs(store, 8, 9); /* the chain goes on */
    struct journal_verdict verdict;
    CHECK_EQ_TEXT(defects_of(store, &verdict), "");
    CHECK_EQ_INT(verdict.head.seq, 8);
    store_close(store);
    arena_free(&arena);
}

TEST(nothing_of_a_failed_append_stays)
{
    struct store *store = opened("s");
    append_runs(store, 1, 2);
    const char *before = tables_of(store);
    struct journal_entry entries[] = {entry_of(2), entry_of(3)};
    entries[1].members = text_of("\"run_id\":7"); /* no run */
    CHECK_ERR(journal_append(store, entries, 2), ERR_INPUT);
    CHECK_EQ_TEXT(tables_of(store), before);
    append_runs(store, 2, 3);
    struct journal_verdict verdict;
    CHECK_EQ_TEXT(defects_of(store, &verdict), "");
    CHECK_EQ_INT(verdict.head.seq, 2);
    store_close(store);
    arena_free(&arena);
}

TEST(entries_of_every_type_are_one_chain)
{
    struct store *store = opened("s");
    const struct journal_entry note = {.type = text_of("assay_note"),
                                       .id = text_of("note-1"),
                                       .timestamp_ms = START_MS,
                                       .vantage = text_of("here"),
                                       .members = text_of("\"said\":\"00\"")};
    REQUIRE_OK(journal_append(store, &note, 1));
    append_runs(store, 2, 3);
    struct journal_verdict verdict;
    CHECK_EQ_TEXT(defects_of(store, &verdict), "");
    CHECK_EQ_INT(verdict.entries, 2);
    store_close(store);
    arena_free(&arena);
}

/* ---- plans --------------------------------------------------------------- */

static uint8_t seed[PLAN_SEED_BYTES] = {5};

static struct plan planned_day(void)
{
    static struct plan_target target;
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    hash_sha256(seed, sizeof seed, hash);
    hash_hex(hash, sizeof hash, hex);
    fields_clear(plan_target_fields, &target);
    target.orchestrator_url = text_of("https://a.example:8935");
    target.workflow = text_of("noop");
    target.prompts = 3;
    target.strata = 2;
    return (struct plan){.vantage = text_of("here"),
                         .seed_sha256 =
                             text_of(arena_text(&arena, hex, 2 * SHA256_BYTES)),
                         .starts_at = START_MS,
                         .ends_at = START_MS + MS_PER_DAY,
                         .hour_ms = MS_PER_HOUR,
                         .run_ms = 20000,
                         .run_spread_ms = 2000,
                         .idle_share_ppm = 50000,
                         .run_ms_per_hour = 600000,
                         .runs_at_once = 4,
                         .targets = &target,
                         .target_count = 1};
}

static struct ledger_row row_of(const struct plan *plan, const char *state)
{
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct ledger_row row;
    plan_hash(plan, hash);
    hash_hex(hash, sizeof hash, hex);
    fields_clear(ledger_fields, &row);
    row.plan_hash = text_of(arena_text(&arena, hex, 2 * SHA256_BYTES));
    row.orchestrator_url = plan->targets->orchestrator_url;
    row.workflow = plan->targets->workflow;
    row.stratum = 1;
    row.due_at = START_MS + MS_PER_HOUR;
    row.decided_at = row.began_at = row.due_at + 10;
    row.planned_ms = 21000;
    row.state = text_of(state);
    row.run_id = text_of("run-1");
    return row;
}

/* Every row of QUERY as text; "(n)" for what is null. */
static void tell_rows(struct buf *out, struct store *store, enum query_id id,
                      struct text plan)
{
    bool found;
    struct query *query = query_start(store, id);
    if (plan.length)
        query_bind_text(query, 1, plan);
    REQUIRE_OK(query_step(query, &found));
    while (found) {
        for (int i = 0; i < query_column_count(query); i++) {
            struct text text = query_text(query, i);
            if (query_type(query, i) == 't')
                buf_printf(out, "%.*s ", (int)text.length, text.data);
            else if (query_type(query, i) == 'i')
                buf_printf(out, "%lld ", (long long)query_int(query, i));
            else
                buf_printf(out, "(%c) ", query_type(query, i));
        }
        buf_add_byte(out, '\n');
        REQUIRE_OK(query_step(query, &found));
    }
}

static const char *books_of(struct store *store, struct text plan)
{
    static const enum query_id asked[] = {
        QUERY_PLAN_TARGETS, QUERY_PLAN_REVEAL_OF, QUERY_LEDGER_OF_PLAN,
        QUERY_LEDGER_STANDING, QUERY_LEDGER_COUNTS};
    struct buf out = {0};
    tell_rows(&out, store, QUERY_PLAN_ALL, text_of(""));
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        tell_rows(&out, store, asked[i], plan);
    const char *text = arena_text(&arena, out.data, out.length);
    buf_free(&out);
    return text;
}

TEST(plans_and_ledgers_are_derived_again)
{
    struct store *store = opened("s");
    struct plan plan = planned_day();
    struct ledger_row started = row_of(&plan, LEDGER_STARTED);
    struct ledger_row executed = row_of(&plan, LEDGER_EXECUTED);
    executed.run_ms = 20000;
    executed.stopped_early = text_of(LEDGER_STOPPED_TIGHT);
    executed.ended_at = executed.began_at + 20000;
    executed.measured = text_of(outcome_name(OUTCOME_OK));
    const struct journal_entry entries[] = {
        plan_entry(&arena, &plan, START_MS),
        ledger_entry(&arena, &started, 0, plan.vantage),
        ledger_entry(&arena, &executed, 0, plan.vantage),
        reveal_entry(&arena, &plan, seed, START_MS + MS_PER_DAY)};
    REQUIRE_OK(journal_append(store, entries, 4));
    const char *before = books_of(store, executed.plan_hash);
    CHECK(strstr(before, "executed (n) 1 \n")); /* one stands, by its count */
    CHECK(strstr(before, "started (n) run-1"));
    CHECK(strstr(before, " tight "));
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(ingest_replay(store, NULL, NULL));
    REQUIRE_OK(store_commit(store));
    CHECK_EQ_TEXT(books_of(store, executed.plan_hash), before);
    store_close(store);
    arena_free(&arena);
}

static const char *outcome_of(struct store *store, const char *run_id)
{
    bool found;
    struct run run;
    struct query *query = query_start(store, QUERY_API_RUN);
    query_bind_string(query, 1, run_id);
    REQUIRE_OK(query_step(query, &found));
    REQUIRE(found);
    fields_read(&arena, query, 0, run_fields, &run);
    REQUIRE_OK(query_run(query));
    return arena_printf(&arena, "%.*s, %.*s", (int)run.outcome.length,
                        run.outcome.data, (int)run.reason.length,
                        run.reason.data);
}

TEST(a_row_sets_its_run_aside)
{
    static const char aside[] = "vantage_suspect, fleet_failed";
    struct store *store = opened("s");
    struct plan plan = planned_day();
    struct ledger_row ended = row_of(&plan, LEDGER_ENDED);
    struct run run = run_empty();
    run.run_id = ended.run_id;
    run.kind = text_of(RUN_KIND_LIVE);
    run.started_at = ended.began_at;
    run_conclude(&run, REASON_NO_OUTPUT);
    ended.ended_at = ended.began_at + 20000;
    ended.measured = run.outcome;
    struct ledger_row executed = ended;
    executed.state = text_of(LEDGER_EXECUTED);
    executed.set_aside = text_of("fleet_failed");
    const struct journal_entry entries[] = {
        run_entry(&arena, &run, NULL),
        ledger_entry(&arena, &ended, 0, plan.vantage),
        ledger_entry(&arena, &executed, 0, plan.vantage)};
    REQUIRE_OK(journal_append(store, entries, 2));
    CHECK_EQ_TEXT(outcome_of(store, "run-1"), "failed, no_output");
    REQUIRE_OK(journal_append(store, entries + 2, 1));
    CHECK_EQ_TEXT(outcome_of(store, "run-1"), aside);
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(ingest_replay(store, NULL, NULL));
    REQUIRE_OK(store_commit(store));
    CHECK_EQ_TEXT(outcome_of(store, "run-1"), aside);
    store_close(store);
    arena_free(&arena);
}

TEST(what_is_no_plan_and_no_row_is_refused)
{
    struct store *store = opened("s");
    struct plan plan = planned_day();
    struct ledger_row row = row_of(&plan, LEDGER_SKIPPED);
    struct journal_entry entry = plan_entry(&arena, &plan, START_MS);
    entry.id = row.orchestrator_url;
    CHECK_ERR(journal_append(store, &entry, 1), ERR_INPUT);
    entry = ledger_entry(&arena, &row, 0, plan.vantage); /* for no reason */
    CHECK_ERR(journal_append(store, &entry, 1), ERR_INPUT);
    row = row_of(&plan, LEDGER_EXECUTED);
    row.due_at = ABSENT_INT;
    entry = ledger_entry(&arena, &row, 0, plan.vantage);
    CHECK_ERR(journal_append(store, &entry, 1), ERR_INPUT);
    row = row_of(&plan, LEDGER_ENDED); /* nothing is said of its end */
    entry = ledger_entry(&arena, &row, 0, plan.vantage);
    CHECK_ERR(journal_append(store, &entry, 1), ERR_INPUT);
    row.ended_at = row.began_at + 1;
    row.measured = text_of("fine");
    entry = ledger_entry(&arena, &row, 0, plan.vantage);
    CHECK_ERR(journal_append(store, &entry, 1), ERR_INPUT);
    row.measured = text_of("ok");
    row.set_aside = text_of("no_output"); /* which is theirs */
    entry = ledger_entry(&arena, &row, 0, plan.vantage);
    CHECK_ERR(journal_append(store, &entry, 1), ERR_INPUT);
    entry = reveal_entry(&arena, &plan, seed, START_MS);
    entry.members = text_of("\"seed\":\"12\"");
    CHECK_ERR(journal_append(store, &entry, 1), ERR_INPUT);
    store_close(store);
    arena_free(&arena);
}

/* Appends BYTES to the journal's feed as if they had always been there. */
static void smuggle(struct store *store, const char *source, const char *bytes)
{
    struct evidence_line line = {.source = text_of(source),
                                 .org = text_of(""),
                                 .arrival_ms = START_MS,
                                 .event_ms = INT64_MIN,
                                 .bytes = text_of(bytes),
                                 .length = strlen(bytes)};
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(evidence_append(store, &line));
    REQUIRE_OK(store_commit(store));
}

TEST(what_was_put_in_by_another_hand_is_found)
{
    struct store *store = opened("s");
    struct journal_verdict verdict;
    append_runs(store, 1, 2);
    smuggle(store, EVIDENCE_JOURNAL, "{\"id\":\"x\"}");
    smuggle(store, EVIDENCE_JOURNAL,
            "{\"id\":\"x\",\"type\":\"assay_run\",\"timestamp\":\"1\","
            "\"gateway\":\"\",\"data\":{\"seq\":3,\"previous\":"
            "\"0000000000000000000000000000000000000000000000000000000000000000"
            "\"}}");
    smuggle(store, EVIDENCE_JOURNAL_ATTACHMENTS,
            "{\"id\":\"run-1\",\"type\":\"assay_run_samples\","
            "\"timestamp\":\"1\",\"gateway\":\"\",\"data\":{\"series\":{},"
            "\"received\":[]}}");
    const char *defects = defects_of(store, &verdict);
    CHECK_EQ_INT(verdict.defects, 3);
    CHECK(strstr(defects, "its timestamp is no time"));
    CHECK(strstr(defects, "entry 3 comes after entry 1"));
    CHECK(strstr(defects, "these samples are not those of their run"));
    /* A rebuild passes over what it cannot read, and says so. */
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(ingest_replay(store, NULL, NULL));
    REQUIRE_OK(store_commit(store));
    CHECK(strstr(tables_of(store), "run-1 ok"));
    store_close(store);
    arena_free(&arena);
}

TEST(retention_spares_the_journal_and_not_the_samples)
{
    struct store *store = opened("s");
    struct journal_verdict verdict;
    uint64_t dropped;
    append_runs(store, 1, 6);
    const char *before = tables_of(store);
    const struct evidence_limits limits = {.accepted_days = 1, .max_bytes = 1};
    REQUIRE_OK(evidence_expire(store, START_MS + 9 * (int64_t)MS_PER_DAY,
                               &limits, &dropped));
    CHECK_EQ_INT(dropped, 1);
    CHECK_EQ_TEXT(defects_of(store, &verdict), "");
    CHECK_EQ_INT(verdict.entries, 5);
    CHECK_EQ_INT(verdict.attachments, 0);
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(ingest_replay(store, NULL, NULL));
    REQUIRE_OK(store_commit(store));
    CHECK_EQ_TEXT(tables_of(store), before);
    CHECK_EQ_TEXT(defects_of(store, &verdict), "");
    store_close(store);
    arena_free(&arena);
}

TEST(the_days_spending_is_read_from_its_runs)
{
    struct store *store = opened("s");
    int64_t wei = -1;
    append_runs(store, 1, 6);
    REQUIRE_OK(
        journal_spent_wei(store, START_MS + 2000, START_MS + 5000, &wei));
    CHECK_EQ_INT(wei, 2 + 3 + 4);
    REQUIRE_OK(journal_spent_wei(store, 0, 1, &wei));
    CHECK_EQ_INT(wei, 0);
    store_close(store);
    arena_free(&arena);
}

/* An export of the journal that somebody imports is refused, line by line. */
TEST(our_own_lines_do_not_come_from_outside)
{
    static const struct {
        const char *record;
        const char *reason;
    } rows[] = {
        {"{\"id\":\"1\",\"type\":\"assay_run\",\"timestamp\":\"1700000000000\","
         "\"data\":{}}",
         "run_from_outside"},
        {"{\"id\":\"1\",\"type\":\"assay_run_samples\",\"data\":{}}",
         "run_from_outside"},
        {"{\"type\":\"assay_plan\"}", "journal_from_outside"},
        {"{\"id\":\"1\",\"type\":\"Assay_run\",\"timestamp\":"
         "\"1700000000000\"}",
         "blank_org"},
    };
    struct store *store = opened("s");
    struct ingest *ingest = ingest_new(store);
    const struct ingest_origin origin = {.source = text_of("import"),
                                         .org = text_of("")};
    EACH_ROW (row, rows) {
        REQUIRE_OK(ingest_record(ingest, &origin, text_of(row->record)));
        CHECK_EQ_INT(ingest_last(ingest).class, EVIDENCE_REJECTED);
        CHECK_EQ_TEXT(ingest_last(ingest).reason, row->reason);
    }
    REQUIRE_OK(ingest_commit(ingest));
    ingest_free(ingest);
    CHECK_EQ_TEXT(tables_of(store), "");
    store_close(store);
    arena_free(&arena);
}

/*
 * journal_fuzz.c: any bytes as a line of the journal: what is read as a run, as
 * samples, a plan, a row of the ledger or a reveal is written again, and reads
 * as the same.
 */
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_run(struct arena *arena, const struct journal_line *line)
{
    struct run run;
    struct run again;
    struct journal_line second;
    struct journal_head head = {0};
    struct buf out = {0};
    if (run_read(arena, line, &run))
        return;
    struct journal_entry entry = run_entry(arena, &run, NULL);
    journal_line(&out, &entry, &head);
    must(!journal_read(arena, (struct text){out.data, out.length}, &second));
    must(second.seq == 1 && !run_read(arena, &second, &again));
    must(fields_equal(run_fields, &run, &again));
    buf_free(&out);
}

static void check_samples(struct arena *arena, const struct journal_line *line)
{
    struct run_samples samples;
    struct run_samples again;
    struct journal_line second;
    if (run_samples_read(arena, line, &samples))
        return;
    struct run run = run_empty();
    run.run_id = text_of("r");
    run.started_at = 0;
    struct journal_entry entry = run_entry(arena, &run, &samples);
    must(!journal_read(arena, entry.attachment, &second));
    must(!run_samples_read(arena, &second, &again));
    must(samples.series_count == again.series_count);
    must(samples.received_count == again.received_count);
    for (size_t i = 0; i < samples.series_count; i++) {
        const struct sample_series *a = &samples.series[i];
        const struct sample_series *b = &again.series[i];
        must(a->count == b->count && !strcmp(a->name, b->name));
        must(!a->count ||
             !memcmp(a->values, b->values, a->count * sizeof *a->values));
    }
    for (size_t i = 0; i < samples.received_count; i++)
        must(text_equal(samples.received[i].bytes, again.received[i].bytes));
}

/* ENTRY as a line of a chain, read again. */
static struct journal_line round_trip(struct arena *arena,
                                      const struct journal_entry *entry)
{
    struct journal_line line;
    struct journal_head head = {0};
    struct buf out = {0};
    journal_line(&out, entry, &head);
    const char *copy = arena_text(arena, out.data, out.length);
    must(!journal_read(arena, (struct text){copy, out.length}, &line));
    buf_free(&out);
    return line;
}

static void check_plan(struct arena *arena, const struct journal_line *line)
{
    struct plan plan;
    struct plan again;
    if (plan_line_read(arena, line, &plan))
        return;
    struct journal_entry entry = plan_entry(arena, &plan, line->timestamp_ms);
    struct journal_line second = round_trip(arena, &entry);
    must(text_equal(second.id, line->id));
    must(!plan_line_read(arena, &second, &again));
    must(fields_equal(plan_fields, &plan, &again));
}

static void check_ledger(struct arena *arena, const struct journal_line *line)
{
    struct ledger_row row;
    struct ledger_row again;
    if (ledger_line_read(arena, line, &row) || row.decided_at < 0 ||
        row.decided_at > INT64_C(9999999999999))
        return;
    struct journal_entry entry = ledger_entry(arena, &row, 0, line->vantage);
    struct journal_line second = round_trip(arena, &entry);
    must(!ledger_line_read(arena, &second, &again));
    must(fields_equal(ledger_fields, &row, &again));
}

static void check_reveal(struct arena *arena, const struct journal_line *line)
{
    uint8_t seed[PLAN_SEED_BYTES];
    uint8_t again[PLAN_SEED_BYTES];
    const struct plan plan = {.seed_sha256 = text_of("")};
    if (reveal_line_read(arena, line, seed))
        return;
    struct journal_entry entry =
        reveal_entry(arena, &plan, seed, line->timestamp_ms);
    struct journal_line second = round_trip(arena, &entry);
    must(!reveal_line_read(arena, &second, again));
    must(!memcmp(seed, again, sizeof seed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct journal_line line;
    struct text bytes = {(const char *)data, size};
    if (!journal_read(&arena, bytes, &line)) {
        struct journal_head head = {0};
        must(journal_follow(&head, bytes, &line) != ERR_INPUT);
        check_run(&arena, &line);
        check_samples(&arena, &line);
        check_plan(&arena, &line);
        check_ledger(&arena, &line);
        check_reveal(&arena, &line);
    }
    arena_clear(&arena);
    return 0;
}

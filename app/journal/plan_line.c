/*
 * plan_line.c: plans, rows of the ledger and reveals as lines of the journal,
 * and back, see journal.h.
 *
 * A plan's line holds the plan's members as they were hashed, so that a
 * stranger who takes `seq` and `previous` out of it has the bytes whose SHA-256
 * is its id.
 */
#include "base/hex.h"
#include "journal/journal_int.h"

#include <string.h>

/* No stamp lies behind the year 2286, so that sums of them stay numbers. */
#define LAST_STAMP_MS INT64_C(9999999999999)

static struct text hex_text(struct arena *arena, const uint8_t *bytes,
                            size_t length)
{
    char *hex = arena_alloc(arena, 2 * length + 1);
    hash_hex(bytes, length, hex);
    return (struct text){hex, 2 * length};
}

static struct text plan_id(struct arena *arena, const struct plan *plan)
{
    uint8_t hash[SHA256_BYTES];
    plan_hash(plan, hash);
    return hex_text(arena, hash, sizeof hash);
}

static struct journal_entry entry_of(const char *type, struct text vantage,
                                     int64_t at_ms)
{
    return (struct journal_entry){.type = text_of(type),
                                  .timestamp_ms = at_ms,
                                  .vantage =
                                      vantage.data ? vantage : text_of(""),
                                  .attachment = {"", 0}};
}

/* ---- writing ------------------------------------------------------------- */

struct journal_entry plan_entry(struct arena *arena, const struct plan *plan,
                                int64_t at_ms)
{
    struct buf members = {0};
    struct journal_entry entry =
        entry_of(JOURNAL_TYPE_PLAN, plan->vantage, at_ms);
    plan_write(&members, plan);
    entry.id = plan_id(arena, plan);
    entry.members = kept(arena, &members);
    return entry;
}

struct journal_entry ledger_entry(struct arena *arena,
                                  const struct ledger_row *row, size_t target,
                                  struct text vantage)
{
    struct buf members = {0};
    struct buf id = {0};
    struct json_writer writer = {.out = &members};
    struct journal_entry entry =
        entry_of(JOURNAL_TYPE_LEDGER, vantage, row->decided_at);
    buf_add(&id, row->plan_hash.data, row->plan_hash.length);
    buf_printf(&id, ":%zu:%lld:", target, (long long)row->stratum);
    buf_add(&id, row->state.data, row->state.length);
    fields_write_integers(&writer, ledger_fields, row);
    entry.id = kept(arena, &id);
    entry.members = kept(arena, &members);
    return entry;
}

struct journal_entry reveal_entry(struct arena *arena, const struct plan *plan,
                                  const uint8_t seed[PLAN_SEED_BYTES],
                                  int64_t at_ms)
{
    struct buf members = {0};
    struct json_writer writer = {.out = &members};
    struct journal_entry entry =
        entry_of(JOURNAL_TYPE_REVEAL, plan->vantage, at_ms);
    entry.id = plan_id(arena, plan);
    json_member_text(&writer, "plan_hash", entry.id);
    json_member_text(&writer, "seed", hex_text(arena, seed, PLAN_SEED_BYTES));
    entry.members = kept(arena, &members);
    return entry;
}

/* ---- reading ------------------------------------------------------------- */

enum err plan_line_read(struct arena *arena, const struct journal_line *line,
                        struct plan *plan)
{
    enum err err = text_is(line->type, JOURNAL_TYPE_PLAN)
                       ? plan_read(arena, line->data, plan)
                       : err_set(ERR_INPUT, "it is no plan");
    if (!err && !text_equal(plan_id(arena, plan), line->id))
        err = err_set(ERR_INPUT, "its id is not the plan's hash");
    return err;
}

/* Rows from before runs were judged apart have neither end nor outcome. */
static bool is_judged(const struct ledger_row *row)
{
    enum outcome outcome;
    enum reason reason;
    if (row->set_aside.data &&
        !(reason_named(row->set_aside, &reason) &&
          reason_entry(reason)->outcome == OUTCOME_VANTAGE_SUSPECT))
        return false;
    if (row->measured.data)
        return row->ended_at >= 0 && row->ended_at <= LAST_STAMP_MS &&
               outcome_named(row->measured, &outcome);
    return row->ended_at == ABSENT_INT && !row->set_aside.data;
}

static bool is_decided(const struct ledger_row *row)
{
    enum skip skip;
    if (text_is(row->state, LEDGER_SKIPPED))
        return row->reason.data && skip_named(row->reason, &skip);
    if (row->reason.data || !row->run_id.data || !is_judged(row))
        return false;
    return text_is(row->state, LEDGER_STARTED) ||
           text_is(row->state, LEDGER_EXECUTED) ||
           (text_is(row->state, LEDGER_ENDED) && row->measured.data);
}

static bool is_of_plan(const struct ledger_row *row)
{
    uint8_t hash[SHA256_BYTES];
    return row->plan_hash.data &&
           hex_decode(row->plan_hash, hash, sizeof hash) &&
           row->orchestrator_url.data && row->workflow.data &&
           row->stratum != ABSENT_INT && row->due_at != ABSENT_INT &&
           row->decided_at != ABSENT_INT && row->planned_ms != ABSENT_INT;
}

enum err ledger_line_read(struct arena *arena, const struct journal_line *line,
                          struct ledger_row *row)
{
    if (!text_is(line->type, JOURNAL_TYPE_LEDGER))
        return err_set(ERR_INPUT, "it is no row of a ledger");
    enum err err = fields_read_integers(arena, line->data, ledger_fields, row);
    if (!err && !is_of_plan(row))
        err = err_set(ERR_INPUT, "it does not say which planned run it is of");
    if (!err && !is_decided(row))
        err = err_set(ERR_INPUT,
                      "its state, reason, run_id and outcome do not go "
                      "together");
    return err;
}

enum err reveal_line_read(struct arena *arena, const struct journal_line *line,
                          uint8_t seed[PLAN_SEED_BYTES])
{
    struct yyjson_val *hex = json_get(line->data, "seed");
    struct yyjson_val *plan = json_get(line->data, "plan_hash");
    if (!text_is(line->type, JOURNAL_TYPE_REVEAL) || !json_is_string(hex) ||
        !hex_decode(json_to_text(arena, hex), seed, PLAN_SEED_BYTES))
        return err_set(ERR_INPUT, "it reveals no seed");
    if (!json_is_string(plan) ||
        !text_equal(json_to_text(arena, plan), line->id))
        return err_set(ERR_INPUT, "its id is not the plan's hash");
    return ERR_NONE;
}

/*
 * journal.h: what this program did and saw itself, as lines of evidence.
 *
 * Every entry is one line in the network's own envelope, so that whoever reads
 * the events of gateways can read ours:
 *
 *     {"id":"…","type":"assay_run","timestamp":"<ms>","gateway":"<vantage>",
 *      "data":{"seq":7,"previous":"<hex>", …}}
 *
 * Entries of all types are one chain: `seq` counts from 1, and `previous` is
 * the SHA-256 of the line before, to the byte, 64 zeros for the first. So a
 * stranger checks the chain with sha256sum, and nothing can be taken out of
 * it, put in, or changed. Figures are integers (microseconds, millionths, wei
 * as decimal text): they are the same wherever they are read.
 *
 * An entry may have an attachment, a line of its own outside of the chain
 * whose SHA-256 stands in the entry: raw samples are large, and may expire
 * while the chain stands.
 *
 * Pure: who appends the lines, and where, is the store's business.
 */
#ifndef ASSAY_JOURNAL_JOURNAL_H
#define ASSAY_JOURNAL_JOURNAL_H

#include "base/json.h"
#include "journal/ledger.h"
#include "journal/plan.h"
#include "journal/run.h"

/* Lines whose type begins so are ours, or somebody's who pretends. */
#define JOURNAL_TYPE_PREFIX "assay_"
#define JOURNAL_TYPE_RUN "assay_run"
#define JOURNAL_TYPE_SAMPLES "assay_run_samples"
#define JOURNAL_TYPE_PLAN "assay_plan"
#define JOURNAL_TYPE_LEDGER "assay_ledger"
#define JOURNAL_TYPE_REVEAL "assay_reveal"

/* ---- entries ------------------------------------------------------------- */

struct journal_entry {
    struct text type; /* JOURNAL_TYPE_... */
    struct text id;
    int64_t timestamp_ms; /* wall clock */
    struct text vantage;
    struct text members;    /* of `data`, as JSON without its braces */
    struct text attachment; /* a whole line; "" for none */
};

/* Where the chain stands; all zero before the first entry. */
struct journal_head {
    int64_t seq; /* of the last entry */
    uint8_t hash[SHA256_BYTES];
};

/* Appends the entry's line to OUT, without a newline, and moves HEAD on. With
 * HEAD null the line is an attachment, outside of the chain. */
void journal_line(struct buf *out, const struct journal_entry *entry,
                  struct journal_head *head);

/* A line that was read. */
struct journal_line {
    struct text type;
    struct text id;
    int64_t timestamp_ms;
    struct text vantage;
    int64_t seq; /* 0 where it is no part of the chain */
    uint8_t previous[SHA256_BYTES];
    struct yyjson_val *data;
};

/* ERR_INPUT where LINE is not what journal_line or run_entry wrote. */
MUST_USE enum err journal_read(struct arena *arena, struct text line,
                               struct journal_line *read);

/* Whether LINE comes after HEAD, which moves on then. ERR_FINDING says what is
 * wrong; the chain goes on from LINE all the same. */
MUST_USE enum err journal_follow(struct journal_head *head, struct text bytes,
                                 const struct journal_line *line);

/* ---- rows as members ----------------------------------------------------- */

/*
 * The exported fields of a row as members of an object, absent ones left out:
 * texts and integers as they are; wei as decimal text; times with `_ms` added
 * to their name; durations (`…_ms`) as integers named `…_us`; other doubles in
 * millionths, named `…_ppm`.
 */
void fields_write_integers(struct json_writer *writer, struct fields fields,
                           const void *row);
/* And back; other members are passed over. ERR_INPUT names one that has a
 * wrong type. Fields that are not exported become absent. */
MUST_USE enum err fields_read_integers(struct arena *arena,
                                       struct yyjson_val *object,
                                       struct fields fields, void *row);
/* Makes every double of ROW what writing and reading would make it. */
void fields_round(struct fields fields, void *row);

/* ---- runs ---------------------------------------------------------------- */

/* The entry of RUN, allocated in ARENA; with SAMPLES (null for none) as its
 * attachment. RUN becomes the row that reading gives: rounded, texts cut and
 * made UTF-8, the attachment's hash set. */
struct journal_entry run_entry(struct arena *arena, struct run *run,
                               const struct run_samples *samples);

/* ERR_INPUT where LINE is not a run's, or outcome or reason are not of the
 * closed list. */
MUST_USE enum err run_read(struct arena *arena, const struct journal_line *line,
                           struct run *run);

/* Values are sums of the deltas again. ERR_INPUT where LINE holds no samples.
 */
MUST_USE enum err run_samples_read(struct arena *arena,
                                   const struct journal_line *line,
                                   struct run_samples *samples);

/* ---- plans, what became of them, and their seeds ------------------------- */

/* Entries, allocated in ARENA. A plan's id is its hash in hex, a reveal's too;
 * a row of the ledger is named by plan, target's number, stratum and state. */
struct journal_entry plan_entry(struct arena *arena, const struct plan *plan,
                                int64_t at_ms);
struct journal_entry ledger_entry(struct arena *arena,
                                  const struct ledger_row *row, size_t target,
                                  struct text vantage);
struct journal_entry reveal_entry(struct arena *arena, const struct plan *plan,
                                  const uint8_t seed[PLAN_SEED_BYTES],
                                  int64_t at_ms);

/* The plan of LINE, whose id is its hash; ERR_INPUT where it is not. */
MUST_USE enum err plan_line_read(struct arena *arena,
                                 const struct journal_line *line,
                                 struct plan *plan);

/* ERR_INPUT where LINE is no ledger row of known state and reason. */
MUST_USE enum err ledger_line_read(struct arena *arena,
                                   const struct journal_line *line,
                                   struct ledger_row *row);

/* The seed that LINE reveals; the plan it is of is the line's id. */
MUST_USE enum err reveal_line_read(struct arena *arena,
                                   const struct journal_line *line,
                                   uint8_t seed[PLAN_SEED_BYTES]);

#endif

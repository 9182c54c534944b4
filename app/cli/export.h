/*
 * export.h: what the files of `assay export` share. Private to the commands.
 */
#ifndef ASSAY_CLI_EXPORT_H
#define ASSAY_CLI_EXPORT_H

#include "cli/field_rows.h"
#include "cli/lens.h"
#include "rollup/rollup.h"

/* One export, in a snapshot of the store. */
struct exporting {
    struct invocation *invocation;
    struct store *store;
    struct lens lens;
    enum rows_source source;
    bool whole; /* one pass over everything, stored or not */
    struct field_rows *printed;
};
typedef enum err export_rows(const struct exporting *exporting,
                             const void *context);

/* Opens the store, prints what ROWS gives, and closes both. */
MUST_USE enum err export_all(struct invocation *invocation,
                             struct fields fields, export_rows *rows,
                             const void *context);

/* The same with ASSAY_FIELDS where the lens is all of assay. */
MUST_USE enum err export_by_lens(struct invocation *invocation,
                                 struct fields fields,
                                 struct fields assay_fields, export_rows *rows,
                                 const void *context);

/* The same where ROWS prints COLUMNS of its own; its fields are none. */
MUST_USE enum err export_columns(struct invocation *invocation,
                                 const struct column *columns, size_t count,
                                 export_rows *rows, const void *context);

/* The rows of query ID, which takes --from and --to first. */
MUST_USE enum err print_query(struct invocation *invocation,
                              struct store *store, enum query_id id,
                              size_t row_bytes, struct field_rows *printed);

/* TAKE of every hour of the own runs that --from and --to leave, in their
 * order; an error of it ends that. Texts of an hour are there for the call. */
MUST_USE enum err
each_run_hour(struct invocation *invocation, struct store *store,
              enum err (*take)(void *context, const struct run_hour *hour),
              void *context);

MUST_USE enum err export_requests(struct invocation *invocation);
MUST_USE enum err export_batch_jobs(struct invocation *invocation);
MUST_USE enum err export_byoc_jobs(struct invocation *invocation);
MUST_USE enum err export_payments(struct invocation *invocation);
MUST_USE enum err export_inventory(struct invocation *invocation);
MUST_USE enum err export_scores(struct invocation *invocation);
MUST_USE enum err export_runs(struct invocation *invocation);
MUST_USE enum err export_ledger(struct invocation *invocation);
MUST_USE enum err export_hours(struct invocation *invocation);
MUST_USE enum err export_report(struct invocation *invocation);
MUST_USE enum err export_prompts(struct invocation *invocation);

#endif

/*
 * export_requests.c: exports of what is not streams: request demand, payments,
 * and what the network offers.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cli/export.h"

static int64_t from_of(const struct exporting *exporting)
{
    return option_time(exporting->invocation, "--from", INT64_MIN);
}

static int64_t until_of(const struct exporting *exporting)
{
    return option_time(exporting->invocation, "--to", INT64_MAX);
}

/* Nothing of them is folded. */
static void warn_of_lens(const struct exporting *exporting, const char *what)
{
    if (exporting->whole || !lens_is_published(&exporting->lens))
        log_message(LOG_WARNING,
                    "%s are the same by every lens and pass; --lens, --switch "
                    "and --pass change nothing",
                    what);
}

/* ---- requests ------------------------------------------------------------ */

static enum err print_demand(void *context,
                             const struct request_demand_row *row)
{
    const struct exporting *exporting = context;
    if (row->window_start < from_of(exporting) ||
        row->window_start >= until_of(exporting))
        return ERR_NONE;
    return field_rows_print(exporting->printed, row);
}

static enum err print_requests(const struct exporting *exporting,
                               const void *unused)
{
    (void)unused;
    void *context = (void *)(uintptr_t)exporting;
    if (!exporting->whole)
        return request_demand_each(exporting->store, from_of(exporting),
                                   until_of(exporting), print_demand, context);
    const struct computation computation = {
        .lens = &exporting->lens, .pass = PASS_WHOLE, .known = knowledge_all};
    struct request_demand_row *rows;
    size_t count = 0;
    enum err err =
        request_demand_computed(exporting->store, &exporting->invocation->arena,
                                &computation, &rows, &count);
    for (size_t i = 0; !err && i < count; i++)
        err = print_demand(context, &rows[i]);
    return err;
}

enum err export_requests(struct invocation *invocation)
{
    return export_all(invocation, request_demand_fields, print_requests, NULL);
}

/* ---- by organisation and day ----------------------------------------------
 */

/* Prints what ORG has in DAY, which is a UTC day, or INT64_MIN for all. */
typedef enum err print_day(const struct exporting *exporting, struct text org,
                           int64_t day);

/* By organisation, time and id: a day at a time fits into memory. */
static enum err print_days(const struct exporting *exporting,
                           enum request_group group, bool whole, print_day *one)
{
    struct arena *arena = &exporting->invocation->arena;
    struct text *orgs;
    size_t org_count = 0;
    enum err err = request_orgs(exporting->store, arena, group,
                                (struct text){NULL, 0}, &orgs, &org_count);
    for (size_t i = 0; !err && i < org_count; i++) {
        int64_t *days;
        size_t count = 0;
        if (whole) {
            err = one(exporting, orgs[i], INT64_MIN);
            continue;
        }
        err = request_days(exporting->store, arena, group, orgs[i],
                           from_of(exporting), until_of(exporting), &days,
                           &count);
        while (!err && count > 0) /* the newest comes first in the list */
            err = one(exporting, orgs[i], days[--count]);
    }
    return err;
}

static bool is_asked_for(const struct exporting *exporting, int64_t ms)
{
    return ms >= from_of(exporting) && ms < until_of(exporting);
}

/* ---- jobs ---------------------------------------------------------------- */

static enum err print_batch_day(const struct exporting *exporting,
                                struct text org, int64_t day)
{
    struct arena arena = {0};
    struct jobs jobs;
    enum err err = jobs_of_day(exporting->store, &arena, &exporting->lens,
                               &knowledge_all, org, day, &jobs);
    for (size_t i = 0; !err && i < jobs.batch_count; i++)
        if (is_asked_for(exporting, jobs.batch[i].completed_at))
            err = field_rows_print(exporting->printed, &jobs.batch[i]);
    arena_free(&arena);
    return err;
}

static enum err print_batch_jobs(const struct exporting *exporting,
                                 const void *context)
{
    (void)context;
    return print_days(exporting, GROUP_JOBS, exporting->whole, print_batch_day);
}

enum err export_batch_jobs(struct invocation *invocation)
{
    return export_all(invocation, batch_job_fields, print_batch_jobs, NULL);
}

static enum err print_byoc_day(const struct exporting *exporting,
                               struct text org, int64_t day)
{
    struct arena arena = {0};
    struct jobs jobs;
    enum err err = jobs_of_day(exporting->store, &arena, &exporting->lens,
                               &knowledge_all, org, day, &jobs);
    for (size_t i = 0; !err && i < jobs.byoc_count; i++)
        if (is_asked_for(exporting, jobs.byoc[i].completed_at))
            err = field_rows_print(exporting->printed, &jobs.byoc[i]);
    arena_free(&arena);
    return err;
}

static enum err print_byoc_jobs(const struct exporting *exporting,
                                const void *context)
{
    (void)context;
    return print_days(exporting, GROUP_JOBS, exporting->whole, print_byoc_day);
}

enum err export_byoc_jobs(struct invocation *invocation)
{
    return export_all(invocation, byoc_job_fields, print_byoc_jobs, NULL);
}

/* ---- payments ------------------------------------------------------------ */

static enum err print_payments_of_day(const struct exporting *exporting,
                                      struct text org, int64_t day)
{
    struct arena arena = {0};
    struct payment_row *rows;
    size_t count = 0;
    enum err err =
        payments_between(exporting->store, &arena, &exporting->lens, org,
                         text_of(""), day, day + MS_PER_DAY, &rows, &count);
    for (size_t i = 0; !err && i < count; i++)
        if (is_asked_for(exporting, rows[i].event_ts))
            err = field_rows_print(exporting->printed, &rows[i]);
    arena_free(&arena);
    return err;
}

static enum err print_payments(const struct exporting *exporting,
                               const void *context)
{
    (void)context;
    if (!lens_is_assay(&exporting->lens))
        warn_of_lens(exporting, "payments");
    return print_days(exporting, GROUP_PAYMENTS, false, print_payments_of_day);
}

enum err export_payments(struct invocation *invocation)
{
    return export_by_lens(invocation, payment_fields, payment_assay_fields,
                          print_payments, NULL);
}

/* ---- inventory ----------------------------------------------------------- */

static enum err print_inventory(const struct exporting *exporting,
                                const void *context)
{
    (void)context;
    struct network network;
    warn_of_lens(exporting, "offers");
    enum err err =
        network_between(exporting->store, &exporting->invocation->arena,
                        &knowledge_all, (struct text){NULL, 0},
                        from_of(exporting), until_of(exporting), &network);
    for (size_t i = 0; !err && i < network.offer_count; i++)
        err = field_rows_print(exporting->printed, &network.offers[i]);
    return err;
}

enum err export_inventory(struct invocation *invocation)
{
    return export_all(invocation, offer_fields, print_inventory, NULL);
}

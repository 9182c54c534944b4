/*
 * ask.c: how long the store takes for the questions of dashboards.
 *
 *     ask DIRECTORY REPEATS
 *
 * Over the last seven days of the rows there are: the hours of the orchestrator
 * that has most of them, and the hours of all. Every column of every row is
 * read. Over the last thirty: percentiles of prompt to first frame and of
 * frames per second, by orchestrator and model. Writes one line for each
 * question:
 * {"name", "rows", "ms": [...]}.
 */
#include "base/clock.h"
#include "base/index.h"
#include "rollup/rollup.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t WEEK_MS = 7 * (int64_t)MS_PER_DAY;
static const int64_t MONTH_MS = 30 * (int64_t)MS_PER_DAY;

static void check(enum err err)
{
    if (!err)
        return;
    fprintf(stderr, "ask: %s\n", err_message());
    exit(1);
}

/* Rows of [FROM_MS, UNTIL_MS), of ORCHESTRATOR where it is not null. */
static struct query *start(struct store *store, int64_t from_ms,
                           int64_t until_ms, struct text orchestrator)
{
    struct query *query = query_start(
        store, orchestrator.data ? QUERY_API_SCORES_OF : QUERY_API_SCORES);
    query_bind_int(query, 1, from_ms);
    query_bind_int(query, 2, until_ms);
    query_bind_text(query, 4, orchestrator);
    query_bind_int(query, 11, INT64_MAX);
    return query;
}

struct week {
    int64_t until_ms;
    struct text busiest; /* orchestrator */
};

static struct week find_week(struct store *store, struct arena *arena)
{
    struct week week = {INT64_MIN, {NULL, 0}};
    struct text_index names = {0};
    size_t counts[4096] = {0};
    size_t most = 0;
    bool found;
    struct query *query =
        start(store, INT64_MIN, INT64_MAX, (struct text){NULL, 0});
    while (query_step(query, &found) == ERR_NONE && found) {
        struct sla_row row;
        fields_borrow(query, sla_fields, &row);
        if (row.window_start >= week.until_ms)
            week.until_ms = row.window_start + MS_PER_HOUR;
        size_t number = text_index_add(&names, row.orchestrator_address, NULL);
        if (row.orchestrator_address.length && number < 4096 &&
            ++counts[number] > most) {
            most = counts[number];
            week.busiest = query_copy(arena, query, 2);
        }
    }
    text_index_free(&names);
    return week;
}

static size_t read_all(struct query *query)
{
    size_t rows = 0;
    bool found;
    enum err err;
    while (!(err = query_step(query, &found)) && found) {
        struct sla_row row;
        fields_borrow(query, sla_fields, &row);
        rows++;
    }
    check(err);
    return rows;
}

/* What is asked, and how many rows it gives. */
typedef size_t question(struct store *store, const struct week *week);

static size_t of_orchestrator(struct store *store, const struct week *week)
{
    return read_all(
        start(store, week->until_ms - WEEK_MS, week->until_ms, week->busiest));
}

static size_t of_fleet(struct store *store, const struct week *week)
{
    return read_all(start(store, week->until_ms - WEEK_MS, week->until_ms,
                          (struct text){NULL, 0}));
}

static size_t of_month(struct store *store, const struct week *week,
                       enum sketch_metric metric)
{
    struct arena arena = {0};
    const struct percentile_question asked = {
        .lens = &lens_published,
        .from_ms = week->until_ms - MONTH_MS,
        .until_ms = week->until_ms,
        .metric = metric,
        .by = PERCENTILES_BY_ORCHESTRATOR,
    };
    struct percentile_row *rows;
    size_t count;
    check(percentiles(store, &arena, &asked, &rows, &count));
    arena_free(&arena);
    return count;
}

static size_t of_ptff(struct store *store, const struct week *week)
{
    return of_month(store, week, SKETCH_PTFF);
}

static size_t of_fps(struct store *store, const struct week *week)
{
    return of_month(store, week, SKETCH_OUTPUT_FPS);
}

static void measure(const char *name, struct store *store,
                    const struct week *week, question *asked, int repeats)
{
    size_t rows = 0;
    printf("{\"name\": \"%s\", \"ms\": [", name);
    for (int i = -1; i < repeats; i++) {
        int64_t began_us = clock_monotonic_us();
        rows = asked(store, week);
        double ms = (double)(clock_monotonic_us() - began_us) / 1000;
        if (i >= 0) /* the first fills the caches */
            printf("%s%.3f", i ? ", " : "", ms);
    }
    printf("], \"rows\": %zu}\n", rows);
}

int main(int argc, char **argv)
{
    struct store *store;
    struct arena arena = {0};
    if (argc != 3) {
        fprintf(stderr, "ask DIRECTORY REPEATS\n");
        return 2;
    }
    int repeats = (int)strtol(argv[2], NULL, 10);
    check(store_open(&store, argv[1], STORE_READ));
    struct week week = find_week(store, &arena);
    measure("orchestrator", store, &week, of_orchestrator, repeats);
    measure("fleet", store, &week, of_fleet, repeats);
    measure("ptff", store, &week, of_ptff, repeats);
    measure("fps", store, &week, of_fps, repeats);
    store_close(store);
    arena_free(&arena);
    return 0;
}

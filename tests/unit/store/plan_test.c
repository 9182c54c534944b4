/* How SQLite goes about the queries that are asked most: a plan that sorts, or
 * passes over rows that are not wanted, shows in no answer. */
#include "store/store_int.h"

#include "harness.h"

#include <stdio.h>
#include <string.h>

/* The steps of QUERY in one text, each behind a semicolon. */
static void read_plan(struct store *store, enum query_id query, char *plan,
                      size_t size)
{
    char sql[4096];
    sqlite3_stmt *statement = NULL;
    int length = snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s",
                          query_sources[query].sql);
    REQUIRE(length > 0 && (size_t)length < sizeof sql);
    REQUIRE(!sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL));
    plan[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        size_t used = strlen(plan);
        snprintf(plan + used, size - used, "; %s",
                 (const char *)sqlite3_column_text(statement, 3));
    }
    sqlite3_finalize(statement);
}

TEST(hourly_rows_are_read_in_order_and_by_their_index)
{
    static const struct {
        enum query_id query;
        const char *by; /* how the rows are found */
    } rows[] = {
        {QUERY_API_SCORES, "PRIMARY KEY (window_start=?"},
        {QUERY_API_ASSAY_SCORES, "PRIMARY KEY (window_start=?"},
        {QUERY_API_DEMAND, "PRIMARY KEY (window_start=?"},
        {QUERY_API_ASSAY_DEMAND, "PRIMARY KEY (window_start=?"},
        {QUERY_API_GPU_METRICS, "PRIMARY KEY (window_start=?"},
        {QUERY_API_ASSAY_GPU_METRICS, "PRIMARY KEY (window_start=?"},
        {QUERY_API_SCORES_OF, "INDEX sla_by_orchestrator"},
        {QUERY_API_ASSAY_SCORES_OF, "INDEX assay_sla_by_orchestrator"},
        {QUERY_API_GPU_METRICS_OF, "INDEX gpu_hour_by_orchestrator"},
        {QUERY_API_ASSAY_GPU_METRICS_OF,
         "INDEX assay_gpu_hour_by_orchestrator"},
        {QUERY_SLA_OF_HOUR, "PRIMARY KEY (window_start=? AND org=?)"},
        {QUERY_SLA_BETWEEN, "PRIMARY KEY (window_start>?"},
        {QUERY_DEMAND_BETWEEN, "PRIMARY KEY (window_start>?"},
        {QUERY_GPU_HOUR_BETWEEN, "PRIMARY KEY (window_start>?"},
        {QUERY_SLA_SKETCHES_BETWEEN, "PRIMARY KEY (window_start>?"},
        {QUERY_MODEL_OUTPUT, "PRIMARY KEY (window_start>?"},
        {QUERY_API_MEASURED_PUBLISHED, "PRIMARY KEY (window_start>?"},
    };
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), STORE_WRITE));
    EACH_ROW (row, rows) {
        char plan[2048];
        read_plan(store, row->query, plan, sizeof plan);
        bool good = CHECK(strstr(plan, row->by) != NULL) &&
                    CHECK(!strstr(plan, "TEMP B-TREE")) &&
                    CHECK(!strstr(plan, "SCAN r"));
        if (!good)
            printf("# %s%s\n", query_sources[row->query].name, plan);
    }
    store_close(store);
}

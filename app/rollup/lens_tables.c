/*
 * lens_tables.c: see lens_tables.h.
 */
#include "rollup/lens_tables.h"

#define HOUR_TABLE(table_fields, row, TABLE)                                   \
    {                                                                          \
        .fields = &(table_fields), .row_bytes = sizeof(struct row),            \
        .of_hour = QUERY_##TABLE##_OF_HOUR, .put = QUERY_##TABLE##_PUT,        \
        .delete_from = QUERY_##TABLE##_DELETE,                                 \
    }
#define BENCHMARK_TABLE(table_fields, TABLE)                                   \
    {                                                                          \
        .fields = &(table_fields), .put = QUERY_##TABLE##_PUT,                 \
        .remove = QUERY_##TABLE##_DELETE, .between = QUERY_##TABLE##_BETWEEN,  \
    }

const struct lens_tables lens_tables[LENSES_KEPT] = {
    [KEPT_PUBLISHED] =
        {
            .lens = &lens_published,
            .sla = HOUR_TABLE(sla_fields, sla_row, SLA),
            .sla_between = QUERY_SLA_BETWEEN,
            .sketches_between = QUERY_SLA_SKETCHES_BETWEEN,
            .demand = HOUR_TABLE(demand_fields, demand_row, DEMAND),
            .gpus = HOUR_TABLE(gpu_fields, gpu_row, GPU_HOUR),
            .benchmarks = BENCHMARK_TABLE(benchmark_fields, BENCHMARK_DAY),
        },
    [KEPT_ASSAY] =
        {
            .lens = &lens_assay,
            .sla = HOUR_TABLE(sla_assay_fields, sla_row, ASSAY_SLA),
            .sla_between = QUERY_ASSAY_SLA_BETWEEN,
            .sketches_between = QUERY_ASSAY_SLA_SKETCHES_BETWEEN,
            .demand = HOUR_TABLE(demand_fields, demand_row, ASSAY_DEMAND),
            .gpus = HOUR_TABLE(gpu_assay_fields, gpu_row, ASSAY_GPU_HOUR),
            .benchmarks =
                BENCHMARK_TABLE(benchmark_assay_fields, ASSAY_BENCHMARK_DAY),
        },
};

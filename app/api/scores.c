/*
 * scores.c: what /v1/streaming/sla adds to the columns of the export: why a
 * score is null, and why rows without an orchestrator have none.
 */
#include "api/serving.h"

static struct text known(struct text text)
{
    return text.data ? text : text_of("");
}

/* The reasons of the sessions under a row without orchestrator. */
static enum err add_reasons(struct request *request, struct json_writer *writer,
                            const struct sla_row *row)
{
    json_begin(writer, '[');
    bool more = row->orchestrator_address.length == 0;
    enum err err = ERR_NONE;
    struct query *query = NULL;
    if (more) {
        query = query_start(request->store, QUERY_API_SCORE_REASONS);
        query_bind_text(query, 1, row->org);
        query_bind_int(query, 2, row->window_start);
        query_bind_text(query, 3, known(row->pipeline_id));
        query_bind_text(query, 4, known(row->model_id));
    }
    while (more && !err) {
        err = query_step(query, &more);
        if (!err && more)
            json_text(writer, query_text(query, 0));
    }
    json_end(writer, ']');
    return err;
}

/* The reasons are those of the settled sessions; rows by another lens, or
 * computed ones, have none. */
static enum err add_extra(struct request *request, struct json_writer *writer,
                          const void *pointer, bool computed)
{
    const struct sla_row *row = pointer;
    json_key(writer, "null_reason");
    json_text_or_null(writer, row->null_reason);
    json_key(writer, "quality_note");
    json_text_or_null(writer, row->quality_note);
    json_key(writer, "attribution_reasons");
    if (!computed)
        return add_reasons(request, writer, row);
    json_null(writer);
    return ERR_NONE;
}

static const struct series sla_by_assay = {
    .fields = &sla_assay_fields,
    .row_bytes = sizeof(struct sla_row),
    .query = QUERY_API_ASSAY_SCORES,
    .query_of_one = QUERY_API_ASSAY_SCORES_OF,
    .filters = {"org", "orchestrator", "pipeline", "model", "gpu"},
    .computed_rows = offsetof(struct computed, sla),
    .computed_count = offsetof(struct computed, sla_count),
    .extra = add_extra,
};

const struct series series_sla = {
    .fields = &sla_fields,
    .row_bytes = sizeof(struct sla_row),
    .query = QUERY_API_SCORES,
    .query_of_one = QUERY_API_SCORES_OF,
    .filters = {"org", "orchestrator", "pipeline", "model", "gpu"},
    .computed_rows = offsetof(struct computed, sla),
    .computed_count = offsetof(struct computed, sla_count),
    .extra = add_extra,
    .assay = &sla_by_assay,
};

enum err answer_scores(struct request *request, struct reply *reply)
{
    return series_answer(&series_sla, request, reply);
}

/*
 * health.c: /v1/health, what the store holds.
 */
#include "api/serving.h"
#include "base/clock.h"

#include <sys/stat.h>

/* ---- the store ----------------------------------------------------------- */

static int64_t file_bytes(struct arena *arena, const char *directory,
                          const char *name)
{
    struct stat status;
    const char *path = arena_printf(arena, "%s/%s", directory, name);
    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

static void add_int(struct json_writer *writer, const char *key, int64_t value)
{
    json_key(writer, key);
    json_int(writer, value);
}

static void add_time(struct json_writer *writer, const char *key,
                     struct query *query, int column)
{
    json_key(writer, key);
    json_time(writer, query_is_null(query, column) ? ABSENT_INT
                                                   : query_int(query, column));
}

static enum err add_store(struct request *request, struct json_writer *writer)
{
    const char *directory = request->facts->directory;
    struct query *query = query_start(request->store, QUERY_API_STORE);
    bool row;
    enum err err = query_step(query, &row);
    if (err)
        return err;
    json_key(writer, "store");
    json_begin(writer, '{');
    json_key(writer, "directory");
    json_string(writer, directory);
    add_int(writer, "bytes",
            file_bytes(request->arena, directory, "assay.db") +
                file_bytes(request->arena, directory, "assay.db-wal"));
    add_int(writer, "lines", query_int(query, 0));
    add_int(writer, "raw_bytes", query_int(query, 1));
    add_int(writer, "evidence_bytes", query_int(query, 2));
    add_int(writer, "sessions", query_int(query, 3));
    add_int(writer, "sla_rows", query_int(query, 4));
    add_time(writer, "first_event", query, 5);
    add_time(writer, "last_event", query, 6);
    json_end(writer, '}');
    return query_step(query, &row);
}

/* ---- lists --------------------------------------------------------------- */

static void add_family(struct json_writer *writer, struct query *query)
{
    json_key(writer, "family");
    json_text(writer, query_text(query, 0));
    json_key(writer, "org");
    json_text(writer, query_text(query, 1));
    add_int(writer, "unique", query_int(query, 2));
}

static enum err add_families(struct request *request,
                             struct json_writer *writer)
{
    struct query *query = query_start(request->store, QUERY_API_FAMILIES);
    bool more = true;
    enum err err;
    json_key(writer, "families");
    json_begin(writer, '[');
    while (!(err = query_step(query, &more)) && more) {
        json_begin(writer, '{');
        add_family(writer, query);
        json_end(writer, '}');
    }
    json_end(writer, ']');
    return err;
}

/* Null for a store of real evidence. */
static void add_simulation(const struct request *request,
                           struct json_writer *writer)
{
    const struct simulation *simulation = &request->facts->simulation;
    json_key(writer, "simulation");
    if (!request->facts->is_simulated) {
        json_null(writer);
        return;
    }
    json_begin(writer, '{');
    add_int(writer, "seed", simulation->seed);
    json_member_bool(writer, "honest", simulation->honest);
    json_key(writer, "began_at");
    json_time(writer, simulation->began_at);
    add_int(writer, "hour_ms", simulation->hour_ms);
    json_end(writer, '}');
}

enum err answer_health(struct request *request, struct reply *reply)
{
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    json_key(&writer, "version");
    json_string(&writer, ASSAY_VERSION);
    json_key(&writer, "started_at");
    json_time(&writer, request->facts->started_ms);
    json_key(&writer, "now");
    json_time(&writer, present_ms(request));
    add_simulation(request, &writer);
    enum err err = add_store(request, &writer);
    json_key(&writer, "feeds");
    if (!err)
        err = json_feeds(request, &writer);
    json_key(&writer, "counts");
    if (!err)
        err = json_counts(request, &writer);
    if (!err)
        err = add_families(request, &writer);
    json_end(&writer, '}');
    return err;
}

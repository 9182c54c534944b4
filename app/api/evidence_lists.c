/*
 * evidence_lists.c: /v1/evidence/feeds, counts and lines: what has come, from
 * where, what became of it, and line by line.
 *
 * The list of lines has their hashes and not their bytes: those are asked for
 * one by one (evidence.c), since a line may have 8 MB; for the same reason one
 * list at a time is read.
 */
#include "api/list.h"

#include <string.h>

/* ---- feeds and counts ---------------------------------------------------- */

struct feed_row {
    struct text source;
    struct text org;
    struct text class;
    struct text chain; /* of the sealed blocks; "" for none */
    struct text open_sha256;
    int64_t lines;
    int64_t blocks;
    int64_t raw_bytes;
    int64_t stored_bytes;
    int64_t first_arrival;
    int64_t last_arrival;
};

struct count_row {
    struct text class;
    struct text reason; /* "" for accepted */
    struct text org;
    int64_t received;
    int64_t unique;
};

/* As the columns of api_feeds and api_counts. */
static const struct field feed_list[] = {
    FIELD(TEXT, feed_row, source),      FIELD(TEXT, feed_row, org),
    FIELD(TEXT, feed_row, class),       FIELD(TEXT, feed_row, chain),
    FIELD(TEXT, feed_row, open_sha256), FIELD(INT, feed_row, lines),
    FIELD(INT, feed_row, blocks),       FIELD(INT, feed_row, raw_bytes),
    FIELD(INT, feed_row, stored_bytes), FIELD(TIME, feed_row, first_arrival),
    FIELD(TIME, feed_row, last_arrival)};
static const struct field count_list[] = {
    FIELD(TEXT, count_row, class), FIELD(TEXT, count_row, reason),
    FIELD(TEXT, count_row, org), FIELD(INT, count_row, received),
    FIELD(INT, count_row, unique)};

const struct fields feed_fields = FIELDS(feed_list, 0);
const struct fields count_fields = FIELDS(count_list, 0);

static const struct row_list list_of_feeds = {
    .fields = &feed_fields,
    .row_bytes = sizeof(struct feed_row),
    .keys = {"class", "source", "org"},
    .told_until = "last_arrival"};

static const struct row_list list_of_counts = {
    .fields = &count_fields,
    .row_bytes = sizeof(struct count_row),
    .keys = {"class", "reason", "org"}};

/* Whether ROW has the value that each parameter of its fields' names asks for.
 */
static bool is_wanted(const struct request *request,
                      const struct row_list *list, const void *row)
{
    static const char *const filters[] = {"source", "org", "class", "reason"};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct text wanted = parameter_text(request, filters[i]);
        if (wanted.data &&
            !text_equal(wanted,
                        field_key(field_named(*list->fields, filters[i]), row)))
            return false;
    }
    return true;
}

/* All rows that QUERY has, and that are asked for, sorted. */
static enum err read_rows(struct request *request, const struct row_list *list,
                          enum query_id id, char **rows, size_t *count)
{
    struct query *query = query_start(request->store, id);
    void *row = arena_alloc(request->arena, list->row_bytes);
    bool more;
    enum err err;
    *rows = NULL;
    *count = 0;
    while (!(err = query_step(query, &more)) && more) {
        fields_read(request->arena, query, 0, *list->fields, row);
        if (!is_wanted(request, list, row))
            continue;
        *rows = arena_grow(request->arena, *rows, *count, list->row_bytes);
        memcpy(*rows + *count * list->row_bytes, row, list->row_bytes);
        (*count)++;
    }
    list_sort(list, *rows, *count);
    return err;
}

static enum err answer(struct request *request, struct reply *reply,
                       const struct row_list *list, enum query_id id)
{
    struct listing listing;
    char *rows;
    size_t count;
    enum err err = list_open(&listing, list, request);
    if (!err)
        err = read_rows(request, list, id, &rows, &count);
    if (!err)
        list_answer(&listing, reply, NULL, rows, count);
    return err;
}

/* All of them, as an array. */
static enum err json_all(struct request *request, struct json_writer *writer,
                         const struct row_list *list, enum query_id id)
{
    char *rows;
    size_t count;
    enum err err = read_rows(request, list, id, &rows, &count);
    json_begin(writer, '[');
    for (size_t i = 0; i < count; i++) {
        json_begin(writer, '{');
        json_fields(writer, *list->fields, list->fields->exported,
                    rows + i * list->row_bytes);
        json_end(writer, '}');
    }
    json_end(writer, ']');
    return err;
}

enum err json_feeds(struct request *request, struct json_writer *writer)
{
    return json_all(request, writer, &list_of_feeds, QUERY_API_FEEDS);
}

enum err json_counts(struct request *request, struct json_writer *writer)
{
    return json_all(request, writer, &list_of_counts, QUERY_API_COUNTS);
}

enum err answer_feeds(struct request *request, struct reply *reply)
{
    return answer(request, reply, &list_of_feeds, QUERY_API_FEEDS);
}

enum err answer_counts(struct request *request, struct reply *reply)
{
    return answer(request, reply, &list_of_counts, QUERY_API_COUNTS);
}

/* ---- lines --------------------------------------------------------------- */

struct line_row {
    int64_t line;
    struct text source;
    struct text org;
    struct text class;
    struct text kind;
    int64_t arrival;
    int64_t event_time;
    int64_t repeats;
    int64_t length;
    struct text sha256; /* null of a repeat, which has no bytes of its own */
};

static const struct field line_list[] = {
    FIELD(INT, line_row, line),        FIELD(TEXT, line_row, source),
    FIELD(TEXT, line_row, org),        FIELD(TEXT, line_row, class),
    FIELD(TEXT, line_row, kind),       FIELD(TIME, line_row, arrival),
    FIELD(TIME, line_row, event_time), FIELD(INT, line_row, repeats),
    FIELD(INT, line_row, length),      FIELD(TEXT, line_row, sha256)};

const struct fields line_fields = FIELDS(line_list, 0);

static const struct row_list list_of_lines = {.fields = &line_fields,
                                              .row_bytes =
                                                  sizeof(struct line_row),
                                              .keys = {"line"},
                                              .told_until = "arrival"};

static struct line_row row_of(const struct evidence_line *line,
                              char hex[2 * SHA256_BYTES + 1])
{
    struct line_row row = {
        .line = line->line,
        .source = line->source,
        .org = line->org,
        .class = text_of(evidence_class_name(line->class)),
        .kind = text_of(evidence_kind_name(line->kind)),
        .arrival = line->arrival_ms,
        .event_time = line->event_ms,
        .repeats = ABSENT_INT,
        .length = (int64_t)line->length,
    };
    if (line->kind == EVIDENCE_REPEAT) {
        row.repeats = line->repeats;
    } else {
        line_sha256(line, hex);
        row.sha256 = text_of(hex);
    }
    return row;
}

struct line_walk {
    struct listing *listing;
    bool full;
};

static enum err visit(void *context, const struct evidence_line *line)
{
    struct line_walk *walk = context;
    char hex[2 * SHA256_BYTES + 1];
    struct line_row row = row_of(line, hex);
    walk->full = !list_add(walk->listing, &row);
    return walk->full ? err_set(ERR_STOPPED, "the page is full") : ERR_NONE;
}

static enum evidence_class class_named(struct text name)
{
    int class = EVIDENCE_ACCEPTED;
    while (class < EVIDENCE_REJECTED &&
           !text_is(name, evidence_class_name((enum evidence_class) class)))
        class ++;
    return (enum evidence_class) class;
}

static const char *text_or_null(struct request *request, const char *name)
{
    struct text value = parameter_text(request, name);
    return value.data ? arena_text(request->arena, value.data, value.length)
                      : NULL;
}

/* Oldest first: lines only ever come behind. */
enum err answer_lines(struct request *request, struct reply *reply)
{
    struct listing listing;
    enum err err = list_open(&listing, &list_of_lines, request);
    if (err)
        return err;
    struct line_walk walk = {.listing = &listing};
    struct text class = parameter_text(request, "class");
    struct evidence_filter filter = {
        .source = text_or_null(request, "source"),
        .org = text_or_null(request, "org"),
        .class_given = class.data != NULL,
        .class = class_named(class),
        .after = listing.after.given ? listing.after.parts[0].number : -1,
    };
    list_begin(&listing, reply, NULL);
    turn_take(TURN_BLOCK);
    err = evidence_walk_where(request->store, &filter, visit, &walk);
    turn_give(TURN_BLOCK);
    if (!err || walk.full)
        list_end(&listing);
    return walk.full ? ERR_NONE : err;
}

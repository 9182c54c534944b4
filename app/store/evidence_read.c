/*
 * evidence_read.c: one line by its id, and all lines in order.
 *
 * Each block is decompressed once: a walk keeps one block, single reads keep
 * the last few. Records have no index of places; a cursor that stands before
 * the wanted record goes on from there, so that reading a block's lines one
 * by one in order costs one pass.
 */
#include "store/store_int.h"

#include <string.h>

/* ---- one line ------------------------------------------------------------ */

static size_t places(const struct store *store)
{
    return store->read_block_count ? store->read_block_count : READ_BLOCKS;
}

void read_blocks_forget(struct store *store)
{
    for (size_t i = 0; i < READ_BLOCKS_MAX; i++) {
        buf_free(&store->read_blocks[i].raw);
        buf_free(&store->read_blocks[i].names);
        store->read_blocks[i] = (struct read_block){0};
    }
}

void evidence_keep_blocks(struct store *store, size_t count)
{
    read_blocks_forget(store);
    store->read_block_count = count < READ_BLOCKS_MAX ? count : READ_BLOCKS_MAX;
}

static struct feed_names names_of(struct query *query)
{
    return (struct feed_names){
        .source = query_text(query, 10),
        .org = query_text(query, 11),
        .class = (enum evidence_class)query_int(query, 12),
    };
}

static void set_names(struct evidence_line *out, const struct feed_names *names)
{
    out->source = names->source;
    out->org = names->org;
    out->class = names->class;
}

/* A writer compares with lines of several feeds in turn; a reader follows one
 * of them, and there are many readers. */
enum { READER_KEPT_BYTES = 4 << 20, WRITER_KEPT_BYTES = 14 << 20 };

/* Drops blocks, those not used for longest first, until what is left is within
 * the limit. */
static void trim(struct store *store)
{
    size_t most =
        store->mode == STORE_WRITE ? WRITER_KEPT_BYTES : READER_KEPT_BYTES;
    for (;;) {
        struct read_block *oldest = NULL;
        size_t bytes = 0;
        for (size_t i = 0; i < READ_BLOCKS; i++) {
            struct read_block *place = &store->read_blocks[i];
            bytes += place->raw.capacity;
            if (place->raw.capacity && (!oldest || place->used < oldest->used))
                oldest = place;
        }
        if (bytes <= most || !oldest)
            return;
        buf_free(&oldest->raw);
        oldest->number = 0;
        oldest->cursor = (struct block_cursor){0};
    }
}

/* Moves CURSOR to record INDEX of RAW, from where it stands if possible. */
static bool seek(struct block_cursor *cursor, int64_t number, struct text raw,
                 uint32_t index, struct evidence_line *out)
{
    if ((!cursor->reader.at || cursor->index > index ||
         cursor->reader.failed) &&
        !block_cursor_start(cursor, number, raw))
        return false;
    while (block_cursor_next(cursor, out))
        if (cursor->index == index + 1)
            return true;
    return false;
}

static void copy_line(struct arena *arena, struct evidence_line *line)
{
    struct text *texts[] = {&line->source, &line->org, &line->bytes};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        texts[i]->data = arena_text(arena, texts[i]->data, texts[i]->length);
}

static enum err no_such_line(struct store *store, int64_t line)
{
    return err_set(ERR_ABSENT, "%s has no evidence line %lld", store->path,
                   (long long)line);
}

static enum err read_appended(struct store *store, struct arena *arena,
                              const struct feed *feed, int64_t line,
                              struct evidence_line *out)
{
    struct block_cursor cursor = {0};
    struct feed_names names = {feed->source, feed->org, feed->class};
    struct text raw = {feed->block.raw.data, feed->block.raw.length};
    uint32_t index = (uint32_t)line & ((1U << BLOCK_LINE_BITS) - 1);
    if (!seek(&cursor, feed->block.number, raw, index, out))
        return no_such_line(store, line);
    set_names(out, &names);
    copy_line(arena, out);
    return ERR_NONE;
}

/* The block's place if it is kept, else the place to use for it. */
static struct read_block *find_place(struct store *store, int64_t number)
{
    struct read_block *oldest = &store->read_blocks[0];
    for (size_t i = 0; i < places(store); i++) {
        struct read_block *place = &store->read_blocks[i];
        if (place->number == number)
            return place;
        if (place->used < oldest->used)
            oldest = place;
    }
    return oldest;
}

static enum err fill_place(struct store *store, struct read_block *place,
                           const struct block_row *row,
                           const struct feed_names *names)
{
    place->number = 0;
    buf_clear(&place->raw);
    enum err err = block_load(store, row, &place->raw);
    if (err) {
        char text[200];
        return err_wrap(err, "%s: %s", store->path,
                        block_describe(row, names, text));
    }
    buf_clear(&place->names);
    buf_add(&place->names, names->source.data, names->source.length);
    buf_add(&place->names, names->org.data, names->org.length);
    place->source_length = names->source.length;
    place->class = names->class;
    place->sealed = row->state == BLOCK_SEALED;
    place->lines = (uint32_t)row->lines;
    place->cursor = (struct block_cursor){0};
    place->number = row->number;
    return ERR_NONE;
}

/* Makes PLACE hold the block as it is now. */
static enum err refresh_place(struct store *store, struct read_block *place,
                              int64_t line)
{
    bool found;
    int64_t number = line >> BLOCK_LINE_BITS;
    struct query *query = query_start(store, QUERY_EVIDENCE_BLOCK_ONE);
    query_bind_int(query, 1, number);
    enum err err = query_step(query, &found);
    if (err)
        return err;
    if (!found)
        return no_such_line(store, line);
    struct block_row row = block_row_of(query);
    struct feed_names names = names_of(query);
    if (row.state == BLOCK_EXPIRED)
        err = err_set(ERR_ABSENT,
                      "evidence line %lld has expired: block %lld was dropped "
                      "by retention, only its hash is kept",
                      (long long)line, (long long)number);
    else if (place->number != number || place->lines != row.lines ||
             place->sealed != (row.state == BLOCK_SEALED))
        err = fill_place(store, place, &row, &names);
    sqlite3_reset(query->statement);
    return err;
}

enum err evidence_read(struct store *store, struct arena *arena, int64_t line,
                       struct evidence_line *out)
{
    int64_t number = line >> BLOCK_LINE_BITS;
    uint32_t index = (uint32_t)line & ((1U << BLOCK_LINE_BITS) - 1);
    *out = (struct evidence_line){0};
    if (line <= 0)
        return no_such_line(store, line);
    struct feed *feed = evidence_open_feed(store, number);
    if (feed)
        return read_appended(store, arena, feed, line, out);
    struct read_block *place = find_place(store, number);
    if (place->number != number || !place->sealed) {
        enum err err = refresh_place(store, place, line);
        if (err)
            return err;
    }
    place->used = ++store->reads;
    struct text raw = {place->raw.data, place->raw.length};
    if (!seek(&place->cursor, number, raw, index, out))
        return no_such_line(store, line);
    char *names = place->names.data;
    out->source = (struct text){names, place->source_length};
    out->org = (struct text){names + place->source_length,
                             place->names.length - place->source_length};
    out->class = place->class;
    copy_line(arena, out);
    trim(store);
    return ERR_NONE;
}

/* ---- all lines ----------------------------------------------------------- */

static bool name_wanted(const char *wanted, struct text name)
{
    return !wanted || text_is(name, wanted);
}

static bool feed_wanted(const struct evidence_filter *filter,
                        const struct feed_names *names)
{
    return (!filter->class_given || filter->class == names->class) &&
           name_wanted(filter->source, names->source) &&
           name_wanted(filter->org, names->org);
}

struct walk {
    struct store *store;
    const struct evidence_filter *filter;
    evidence_visit *visit;
    void *context;
    struct buf raw;
    struct arena names;
};

static enum err visit_block(struct walk *walk, const struct block_row *row,
                            const struct feed_names *names)
{
    struct block_cursor cursor;
    struct evidence_line line = {0};
    const struct evidence_filter *filter = walk->filter;
    enum err err = ERR_NONE;
    set_names(&line, names);
    block_cursor_start(&cursor, row->number,
                       (struct text){walk->raw.data, walk->raw.length});
    while (!err && block_cursor_next(&cursor, &line)) {
        if (line.line <= filter->after)
            continue;
        if (filter->to_line && line.line > filter->to_line)
            return ERR_NONE;
        err = walk->visit(walk->context, &line);
    }
    if (err || (!cursor.reader.failed && cursor.index == row->lines))
        return err;
    char text[200];
    return err_set(ERR_CORRUPT, "%s: %s: its records are damaged",
                   walk->store->path, block_describe(row, names, text));
}

/* Takes what the row of QUERY says out of it, then visits the block. */
static enum err walk_block(struct walk *walk, struct query *query)
{
    struct block_row row = block_row_of(query);
    struct feed_names names = names_of(query);
    if (!feed_wanted(walk->filter, &names))
        return ERR_NONE;
    buf_clear(&walk->raw);
    enum err err = block_load(walk->store, &row, &walk->raw);
    if (err) {
        char text[200];
        return err_wrap(err, "%s: %s", walk->store->path,
                        block_describe(&row, &names, text));
    }
    arena_clear(&walk->names);
    names.source = query_copy(&walk->names, query, 10);
    names.org = query_copy(&walk->names, query, 11);
    /* The visitor may use the store, so nothing of it is held meanwhile. */
    sqlite3_reset(query->statement);
    return visit_block(walk, &row, &names);
}

static enum err walk_blocks(struct walk *walk)
{
    const struct evidence_filter *filter = walk->filter;
    int64_t number =
        filter->after > 0 ? (filter->after + 1) >> BLOCK_LINE_BITS : 0;
    int64_t last =
        filter->to_line ? filter->to_line >> BLOCK_LINE_BITS : INT64_MAX;
    bool found = true;
    enum err err = ERR_NONE;
    while (!err && number <= last) {
        struct query *query =
            query_start(walk->store, QUERY_EVIDENCE_BLOCK_NEXT);
        query_bind_int(query, 1, number);
        err = query_step(query, &found);
        if (err || !found)
            break;
        number = query_int(query, 0) + 1;
        if (number - 1 <= last)
            err = walk_block(walk, query);
        sqlite3_reset(query->statement);
    }
    return err;
}

enum err evidence_walk_where(struct store *store,
                             const struct evidence_filter *filter,
                             evidence_visit *visit, void *context)
{
    struct walk walk = {
        .store = store, .filter = filter, .visit = visit, .context = context};
    enum err err = store->writing ? evidence_flush(store) : ERR_NONE;
    if (!err)
        err = walk_blocks(&walk);
    buf_free(&walk.raw);
    arena_free(&walk.names);
    return err;
}

enum err evidence_walk(struct store *store, int64_t after,
                       evidence_visit *visit, void *context)
{
    struct evidence_filter filter = {.after = after};
    return evidence_walk_where(store, &filter, visit, context);
}

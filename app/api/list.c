/*
 * list.c: see list.h.
 *
 * What was shown before is known by the key of the last row, so rows may come
 * and go between two questions; as the pages of one list come from one moment
 * of the store, and are of one time, none does.
 */
#include "api/list.h"

#include <stdlib.h>
#include <string.h>

/* ---- keys ---------------------------------------------------------------- */

static const struct field *key_field(const struct row_list *list, size_t i)
{
    const char *name = list->keys[i];
    return field_named(*list->fields, *name == '-' ? name + 1 : name);
}

static struct cursor_part part_of(const struct field *field, const void *row)
{
    struct cursor_part part = {0};
    if (field->kind == FIELD_TEXT)
        part.text = field_key(field, row);
    else
        part.number = field_int(field, row);
    return part;
}

/* By key I alone. */
static int compare_parts(const struct row_list *list, size_t i,
                         const struct cursor_part *a,
                         const struct cursor_part *b)
{
    int order = key_field(list, i)->kind == FIELD_TEXT
                    ? text_compare(a->text, b->text)
                    : (a->number > b->number) - (a->number < b->number);
    return *list->keys[i] == '-' ? -order : order;
}

int list_compare(const struct row_list *list, const void *a, const void *b)
{
    int order = 0;
    for (size_t i = 0; !order && list->keys[i]; i++) {
        const struct field *field = key_field(list, i);
        struct cursor_part left = part_of(field, a);
        struct cursor_part right = part_of(field, b);
        order = compare_parts(list, i, &left, &right);
    }
    return order;
}

static int compare_rows(const void *a, const void *b, void *list)
{
    return list_compare(list, a, b);
}

void list_sort(const struct row_list *list, void *rows, size_t count)
{
    if (count)
        qsort_r(rows, count, list->row_bytes, compare_rows,
                (void *)(uintptr_t)list);
}

/* ---- in pages ------------------------------------------------------------ */

enum err list_open(struct listing *listing, const struct row_list *list,
                   struct request *request)
{
    *listing = (struct listing){.list = list, .request = request};
    char *shape = listing->shape;
    for (size_t i = 0; list->keys[i]; i++)
        *shape++ = key_field(list, i)->kind == FIELD_TEXT ? 't' : 'i';
    listing->key_count = (size_t)(shape - listing->shape);
    *shape = 'i';
    enum err err = cursor_read(request, listing->shape, &listing->after);
    if (err)
        return err;
    /* The time that the list is of stands behind the keys. */
    listing->now_ms = listing->after.given
                          ? listing->after.parts[listing->key_count].number
                          : as_of_ms(request);
    return ERR_NONE;
}

void list_begin(struct listing *listing, struct reply *reply,
                const struct knowledge *known)
{
    const struct row_list *list = listing->list;
    struct buf more = {0};
    if (list->texts_name)
        buf_printf(&more, ",%s", list->texts_name);
    listing->page =
        page_begin(listing->request, reply, *list->fields, buf_string(&more));
    buf_free(&more);
    if (known)
        page_as_of(&listing->page, known);
    listing->last.parts[listing->key_count].number = listing->now_ms;
}

/* Whether ROW comes behind the last one of the page before. */
static bool is_behind(const struct listing *listing, const void *row)
{
    const struct row_list *list = listing->list;
    int order = 0;
    if (!listing->after.given)
        return true;
    for (size_t i = 0; !order && i < listing->key_count; i++) {
        struct cursor_part part = part_of(key_field(list, i), row);
        order = compare_parts(list, i, &part, &listing->after.parts[i]);
    }
    return order > 0;
}

static const struct text_list *texts_of(const struct row_list *list,
                                        const void *row)
{
    return (const struct text_list *)(const void *)((const char *)row +
                                                    list->texts_at);
}

static void add_line(struct buf *out, const struct row_list *list,
                     const void *row)
{
    csv_row(out, *list->fields, row);
    if (list->texts_name) {
        const struct text_list *texts = texts_of(list, row);
        struct buf joined = {0};
        for (size_t i = 0; i < texts->count; i++) {
            buf_add_string(&joined, i ? " " : "");
            buf_add(&joined, texts->texts[i].data, texts->texts[i].length);
        }
        buf_add_byte(out, ',');
        csv_text(out, (struct text){joined.data, joined.length});
        buf_free(&joined);
    }
    buf_add_string(out, "\r\n");
}

void json_texts(struct json_writer *writer, const struct text_list *list)
{
    json_begin(writer, '[');
    for (size_t i = 0; i < list->count; i++)
        json_text(writer, list->texts[i]);
    json_end(writer, ']');
}

static void add_object(struct json_writer *writer, const struct row_list *list,
                       const void *row)
{
    json_begin(writer, '{');
    json_fields(writer, *list->fields, list->fields->exported, row);
    if (list->texts_name) {
        json_key(writer, list->texts_name);
        json_texts(writer, texts_of(list, row));
    }
    if (list->more)
        list->more(writer, row);
    json_end(writer, '}');
}

/* Its keys, which are copied: the row may be gone when its cursor is written.
 */
static void note_last(struct listing *listing, const void *row)
{
    for (size_t i = 0; i < listing->key_count; i++) {
        struct cursor_part *part = &listing->last.parts[i];
        *part = part_of(key_field(listing->list, i), row);
        if (listing->shape[i] == 't')
            part->text.data = arena_text(listing->request->arena,
                                         part->text.data, part->text.length);
    }
}

static int64_t row_told_until(const struct listing *listing, const void *row)
{
    const struct field *field =
        field_named(*listing->list->fields, listing->list->told_until);
    int64_t ms = field_int(field, row);
    return field->kind == FIELD_WINDOW ? told_until(ms, listing->now_ms) : ms;
}

bool list_add(struct listing *listing, const void *row)
{
    const struct row_list *list = listing->list;
    struct page *page = &listing->page;
    if (!is_behind(listing, row))
        return true;
    if (!page_wants_row(page))
        return false;
    if (page->rows == page->limit)
        note_last(listing, row);
    if (list->told_until)
        page_tells_until(page, row_told_until(listing, row));
    if (page->csv)
        add_line(page->reply->body, list, row);
    else
        add_object(&page->writer, list, row);
    return true;
}

void list_end(struct listing *listing)
{
    page_end(&listing->page, listing->shape, &listing->last);
}

void list_answer(struct listing *listing, struct reply *reply,
                 const struct knowledge *known, const void *rows, size_t count)
{
    const char *row = rows;
    list_begin(listing, reply, known);
    for (size_t i = 0; i < count; i++, row += listing->list->row_bytes)
        if (!list_add(listing, row))
            break;
    list_end(listing);
}

/* ---- as the publisher writes --------------------------------------------- */

static bool is_blank(const struct field *field, const void *row)
{
    return field_is_absent(field, row) ||
           (field->kind == FIELD_TEXT && !field_text(field, row).length);
}

/* A member whose NAME says by its first letter, MARK, how it is written. */
static void marked_member(struct json_writer *writer, char mark,
                          const struct field *field, const void *row)
{
    if (mark == '~' && is_blank(field, row))
        return;
    if (mark == '~' || (mark == '!' && !field_is_absent(field, row))) {
        compat_value(writer, field, row);
        return;
    }
    json_key(writer, field->name);
    if (mark == '?')
        json_bool(writer, field_int(field, row) == 1);
    else if (mark == '@')
        json_window(writer, field_int(field, row));
    else if (mark == '#')
        json_time(writer, field_int(field, row));
    else
        json_null(writer);
}

static void compat_member(struct json_writer *writer,
                          const struct row_list *list, const char *name,
                          const void *row)
{
    const char *other = strchr(name, '=');
    if (strcmp(name, "*") == 0) {
        list->more(writer, row);
    } else if (list->texts_name && strcmp(name, list->texts_name) == 0) {
        json_key(writer, name);
        json_texts(writer, texts_of(list, row));
    } else if (strchr("?!~@#", *name)) {
        marked_member(writer, *name, field_named(*list->fields, name + 1), row);
    } else if (other) {
        json_name(writer, name, (size_t)(other - name));
        json_text(writer,
                  field_key(field_named(*list->fields, other + 1), row));
    } else {
        compat_value(writer, field_named(*list->fields, name), row);
    }
}

void compat_row(struct json_writer *writer, const struct row_list *list,
                const void *row)
{
    json_begin(writer, '{');
    for (const char *const *name = list->compat; *name; name++)
        compat_member(writer, list, *name, row);
    json_end(writer, '}');
}

void compat_array(struct reply *reply, const struct row_list *list,
                  const void *rows, size_t count)
{
    struct json_writer writer = reply_json(reply);
    const char *row = rows;
    json_begin(&writer, '[');
    for (size_t i = 0; i < count; i++, row += list->row_bytes)
        compat_row(&writer, list, row);
    json_end(&writer, ']');
}

/* ---- lists of texts ------------------------------------------------------ */

void text_list_add(struct arena *arena, struct text_list *list,
                   struct text text)
{
    list->texts =
        arena_grow(arena, list->texts, list->count, sizeof *list->texts);
    list->texts[list->count++] = text;
}

static int compare_texts(const void *left, const void *right)
{
    return text_compare(*(const struct text *)left,
                        *(const struct text *)right);
}

void text_list_settle(struct text_list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->texts, list->count, sizeof *list->texts, compare_texts);
    for (size_t i = 0; i < list->count; i++)
        if (!i || !text_equal(list->texts[i], list->texts[kept - 1]))
            list->texts[kept++] = list->texts[i];
    list->count = kept;
}

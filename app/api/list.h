/*
 * list.h: lists of rows that are made for the question: described once, and
 * written as JSON in pages, as CSV, or as the publisher writes them. Private to
 * the API.
 */
#ifndef ASSAY_API_LIST_H
#define ASSAY_API_LIST_H

#include "api/serving.h"

enum { COMPAT_MEMBERS_MAX = 16, LIST_KEYS_MAX = CURSOR_PARTS_MAX - 1 };

/* Texts that a row holds beside its fields. */
struct text_list {
    struct text *texts;
    size_t count;
};

/* What such a list is made of: names of FIELDS, as far as nothing else is said.
 */
struct row_list {
    const struct fields *fields;
    size_t row_bytes;
    /* What rows are sorted by, "-name" downwards; ends with null. No two rows
     * have the same. */
    const char *keys[LIST_KEYS_MAX + 1];
    /* Until when a row tells: a time, or an hour that it sums; null for none.
     */
    const char *told_until;
    /* A member that is a struct text_list, at TEXTS_AT; null for none. */
    const char *texts_name;
    size_t texts_at;
    /* More members of its JSON object; may be null. */
    void (*more)(struct json_writer *writer, const void *row);
    /* What the publisher shows, in its order; ends with null. "?name" is a
     * truth there, "!name" may be null, "~name" is left out where it is blank,
     * "@name" a time in whole seconds, "#name" one with milliseconds,
     * "name=field" a text that has another name here, and "*" stands for MORE.
     */
    const char *compat[COMPAT_MEMBERS_MAX + 1];
};

/* Puts ROWS into the order of LIST. */
void list_sort(const struct row_list *list, void *rows, size_t count);
/* Below 0 where A comes before B. */
int list_compare(const struct row_list *list, const void *a, const void *b);

/*
 * Open, which reads the cursor; then the rows can be made, as of now_ms, which
 * stays the same on all pages; begin; add each; end.
 */
struct listing {
    const struct row_list *list;
    struct request *request;
    int64_t now_ms;
    struct page page;
    size_t key_count;
    char shape[CURSOR_PARTS_MAX + 1]; /* of the keys, and 'i' for now_ms */
    struct cursor after; /* rows up to this one were shown before */
    struct cursor last;
};
MUST_USE enum err list_open(struct listing *listing,
                            const struct row_list *list,
                            struct request *request);
/* KNOWN is what rows rest on where as_of is given; null for all. */
void list_begin(struct listing *listing, struct reply *reply,
                const struct knowledge *known);
/* False where the page is full: no more are wanted. */
bool list_add(struct listing *listing, const void *row);
void list_end(struct listing *listing);

/* All of these for rows that lie in memory, in order. */
void list_answer(struct listing *listing, struct reply *reply,
                 const struct knowledge *known, const void *rows, size_t count);

/* ROW as the publisher writes it. */
void compat_row(struct json_writer *writer, const struct row_list *list,
                const void *row);
/* An array of ROWS as the publisher answers. */
void compat_array(struct reply *reply, const struct row_list *list,
                  const void *rows, size_t count);

/* ---- lists of texts ------------------------------------------------------ */

void text_list_add(struct arena *arena, struct text_list *list,
                   struct text text);
/* Sorts, and leaves each once. */
void text_list_settle(struct text_list *list);
void json_texts(struct json_writer *writer, const struct text_list *list);

#endif

/*
 * sketch_groups.c: see sketch_groups.h.
 */
#include "rollup/sketch_groups.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_TEXTS = 4 };

static void texts_of(const struct sketch_key *key, struct text texts[KEY_TEXTS])
{
    texts[0] = key->orchestrator_address;
    texts[1] = key->pipeline_id;
    texts[2] = key->model_id;
    texts[3] = key->gpu_id;
}

static struct sketch_key key_from(const struct text texts[KEY_TEXTS])
{
    return (struct sketch_key){.orchestrator_address = texts[0],
                               .pipeline_id = texts[1],
                               .model_id = texts[2],
                               .gpu_id = texts[3]};
}

/* ---- groups -------------------------------------------------------------- */

void sketch_groups_free(struct sketch_groups *groups)
{
    text_index_free(&groups->index);
    buf_free(&groups->name);
    arena_free(&groups->arena);
    *groups = (struct sketch_groups){0};
}

static struct sketch_group *add_group(struct sketch_groups *groups,
                                      const struct text texts[KEY_TEXTS])
{
    struct text kept[KEY_TEXTS];
    for (int i = 0; i < KEY_TEXTS; i++)
        kept[i] = (struct text){
            arena_text(&groups->arena, texts[i].data, texts[i].length),
            texts[i].length};
    groups->list = arena_grow(&groups->arena, groups->list, groups->count,
                              sizeof *groups->list);
    struct sketch_group *group = &groups->list[groups->count++];
    *group =
        (struct sketch_group){.key = key_from(kept), .last_window = ABSENT_INT};
    for (int i = 0; i < SKETCH_METRICS; i++)
        group->of[i].arena = &groups->arena;
    return group;
}

static struct sketch_group *group_of(struct sketch_groups *groups,
                                     const struct sketch_key *key)
{
    struct text texts[KEY_TEXTS];
    bool added;
    texts_of(key, texts);
    buf_clear(&groups->name);
    for (int i = 0; i < KEY_TEXTS; i++)
        buf_add_text(&groups->name, texts[i]);
    size_t number = text_index_add(
        &groups->index,
        (struct text){(const char *)groups->name.data, groups->name.length},
        &added);
    return added ? add_group(groups, texts) : &groups->list[number];
}

bool sketch_groups_add(struct sketch_groups *groups,
                       const struct sketch_key *key,
                       const struct text encoded[SKETCH_METRICS],
                       int64_t last_window)
{
    struct sketch_group *group = group_of(groups, key);
    groups->scratch.arena = &groups->arena;
    if (last_window > group->last_window)
        group->last_window = last_window;
    for (int i = 0; i < SKETCH_METRICS; i++)
        if (!sketch_merge(&group->of[i], encoded[i], &groups->scratch))
            return false;
    return true;
}

static int compare_groups(const void *left, const void *right)
{
    struct text a[KEY_TEXTS];
    struct text b[KEY_TEXTS];
    int order = 0;
    texts_of(&((const struct sketch_group *)left)->key, a);
    texts_of(&((const struct sketch_group *)right)->key, b);
    for (int i = 0; !order && i < KEY_TEXTS; i++)
        order = text_compare(a[i], b[i]);
    return order;
}

void sketch_groups_sort(struct sketch_groups *groups)
{
    if (groups->count)
        qsort(groups->list, groups->count, sizeof *groups->list,
              compare_groups);
}

/* ---- the stored form of a day -------------------------------------------- */

static struct text kept(struct arena *arena, struct buf *bytes)
{
    struct text text = {arena_text(arena, bytes->data, bytes->length),
                        bytes->length};
    buf_free(bytes);
    return text;
}

static size_t common_length(struct text a, struct text b)
{
    size_t length = 0;
    while (length < a.length && length < b.length &&
           a.data[length] == b.data[length])
        length++;
    return length;
}

static struct text encode_keys(struct arena *arena,
                               const struct sketch_groups *groups)
{
    struct buf out = {0};
    struct text before[KEY_TEXTS] = {0};
    buf_add_varint(&out, groups->count);
    for (size_t i = 0; i < groups->count; i++) {
        struct text texts[KEY_TEXTS];
        texts_of(&groups->list[i].key, texts);
        for (int k = 0; k < KEY_TEXTS; k++) {
            size_t common = common_length(before[k], texts[k]);
            buf_add_varint(&out, common);
            buf_add_text(&out, (struct text){texts[k].data + common,
                                             texts[k].length - common});
            before[k] = texts[k];
        }
    }
    return kept(arena, &out);
}

static struct text encode_metric(struct arena *arena,
                                 const struct sketch_groups *groups, int metric)
{
    struct buf out = {0};
    struct buf one = {0};
    for (size_t i = 0; i < groups->count; i++) {
        const struct histogram *histogram = &groups->list[i].of[metric];
        buf_clear(&one);
        if (histogram->count)
            histogram_encode(&one, histogram);
        buf_add_text(&out, (struct text){(const char *)one.data, one.length});
    }
    buf_free(&one);
    return kept(arena, &out);
}

struct sketch_day sketch_day_encode(struct arena *arena,
                                    const struct sketch_groups *groups)
{
    struct sketch_day day = {.keys = encode_keys(arena, groups),
                             .last_window = ABSENT_INT};
    for (int i = 0; i < SKETCH_METRICS; i++)
        day.metrics[i] = encode_metric(arena, groups, i);
    for (size_t i = 0; i < groups->count; i++)
        if (groups->list[i].last_window > day.last_window)
            day.last_window = groups->list[i].last_window;
    return day;
}

struct sketch_day_reader sketch_day_read(const struct sketch_day *day)
{
    struct sketch_day_reader reader = {
        .keys = reader_over(day->keys.data, day->keys.length)};
    reader.left = read_varint(&reader.keys);
    for (int i = 0; i < SKETCH_METRICS; i++) {
        reader.wanted[i] = day->metrics[i].data != NULL;
        reader.metrics[i] =
            reader_over(day->metrics[i].data, day->metrics[i].length);
    }
    return reader;
}

/* The next text of a key: the beginning of the one before, and the rest. */
static bool next_text(struct reader *keys, struct buf *text)
{
    uint64_t common = read_varint(keys);
    struct text rest = read_text(keys);
    if (keys->failed || common > text->length)
        return false;
    text->length = (size_t)common;
    buf_add(text, rest.data, rest.length);
    return true;
}

bool sketch_day_next(struct sketch_day_reader *reader, struct sketch_key *key,
                     struct text encoded[SKETCH_METRICS], bool *more)
{
    struct text texts[KEY_TEXTS];
    *more = false;
    if (reader->keys.failed || !reader->left)
        return !reader->keys.failed;
    for (int i = 0; i < KEY_TEXTS; i++) {
        struct buf *text = &reader->texts[i];
        if (!next_text(&reader->keys, text))
            return false;
        texts[i] = (struct text){(const char *)text->data, text->length};
    }
    for (int i = 0; i < SKETCH_METRICS; i++) {
        encoded[i] = (struct text){NULL, 0};
        if (reader->wanted[i])
            encoded[i] = read_text(&reader->metrics[i]);
        if (reader->metrics[i].failed)
            return false;
    }
    *key = key_from(texts);
    reader->left--;
    *more = true;
    return true;
}

void sketch_day_end(struct sketch_day_reader *reader)
{
    for (int i = 0; i < KEY_TEXTS; i++)
        buf_free(&reader->texts[i]);
}

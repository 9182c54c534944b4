/*
 * capability_index.c: snapshots of one pass into versions (§2.5).
 *
 * An element is loaded only if its address, URL or alias was named by a
 * selection of the same pass and organisation; so what is known of one
 * orchestrator depends on what was seen of others, and the switch late_snapshot
 * loads them all. Loaded elements are sorted by
 * (address, uri, ts, event id); equal payloads in a row are one version. So a
 * version begins where its payload was first seen in the loaded range: that it
 * was known before is not known here, on purpose.
 */
#include "rollup/capability_index.h"

#include <stdlib.h>
#include <string.h>

struct loaded_element {
    const struct capability_element *element;
    const struct capability_snapshot *snapshot;
    size_t position; /* within its snapshot: the last of equals wins */
};

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_pair(const struct loaded_element *a,
                        const struct loaded_element *b)
{
    int order = text_compare(a->element->address, b->element->address);
    return order ? order : text_compare(a->element->uri, b->element->uri);
}

static int compare_event(const struct loaded_element *a,
                         const struct loaded_element *b)
{
    int order = compare_int(a->snapshot->ts, b->snapshot->ts);
    return order ? order : text_compare(a->snapshot->id, b->snapshot->id);
}

static int compare_loaded(const void *left, const void *right)
{
    const struct loaded_element *a = left;
    const struct loaded_element *b = right;
    int order = compare_pair(a, b);
    if (!order)
        order = compare_event(a, b);
    return order ? order
                 : compare_int((int64_t)a->position, (int64_t)b->position);
}

void capability_names_add(struct text_index *names, struct text address,
                          struct text url)
{
    if (address.length)
        text_index_add(names, address, NULL);
    if (url.length)
        text_index_add(names, url, NULL);
}

static bool is_named(const struct text_index *names,
                     const struct capability_element *element)
{
    return text_index_find(names, element->address) >= 0 ||
           text_index_find(names, element->uri) >= 0 ||
           text_index_find(names, element->alias) >= 0;
}

/* NAMES is null where they do not matter. */
static size_t load(const struct capability_snapshot *snapshots, size_t count,
                   const struct text_index *names,
                   struct loaded_element *loaded)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < snapshots[i].element_count; j++)
            if (!names || is_named(names, &snapshots[i].elements[j]))
                loaded[used++] = (struct loaded_element){
                    &snapshots[i].elements[j], &snapshots[i], j};
    qsort(loaded, used, sizeof *loaded, compare_loaded);
    return used;
}

/* Of equal (address, uri) in one event only the last stays. */
static size_t drop_repeated(struct loaded_element *loaded, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || compare_pair(&loaded[i], &loaded[i + 1]) ||
            compare_event(&loaded[i], &loaded[i + 1]))
            loaded[kept++] = loaded[i];
    return kept;
}

void capability_version_id(const struct capability_index *index,
                           const struct capability_version *version,
                           char id[MD5_HEX_BYTES])
{
    const struct capability_element *element = version->element;
    struct text parts[] = {index->org, element->address, element->uri,
                           version->snapshot->id, text_of(element->payload)};
    hash_md5_joined(parts, 5, id);
}

static void collapse(struct capability_index *index,
                     const struct loaded_element *loaded, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct capability_version *before =
            i && !compare_pair(&loaded[i - 1], &loaded[i])
                ? &index->versions[index->version_count - 1]
                : NULL;
        if (before &&
            !strcmp(before->element->payload, loaded[i].element->payload))
            continue;
        if (before)
            before->valid_to = loaded[i].snapshot->ts;
        struct capability_version *version =
            &index->versions[index->version_count++];
        version->element = loaded[i].element;
        version->snapshot = loaded[i].snapshot;
        version->valid_from = loaded[i].snapshot->ts;
        version->valid_to = INT64_MAX;
    }
}

static void chain(struct capability_index *index, enum identity_type type,
                  struct text key, size_t version)
{
    struct version_chains *chains = &index->chains[type];
    if (!key.length)
        return;
    size_t number = text_index_add(&chains->keys, key, NULL);
    chains->next[version] = chains->first[number];
    chains->first[number] = version + 1;
}

static void build_chains(struct arena *arena, struct capability_index *index)
{
    size_t count = index->version_count;
    for (int type = 0; type < IDENTITY_TYPES; type++) {
        index->chains[type].first = arena_array(arena, count, sizeof(size_t));
        index->chains[type].next = arena_array(arena, count, sizeof(size_t));
    }
    for (size_t i = 0; i < count; i++) {
        const struct capability_element *element = index->versions[i].element;
        chain(index, IDENTITY_URI, element->uri, i);
        chain(index, IDENTITY_ADDRESS, element->address, i);
        chain(index, IDENTITY_ALIAS, element->alias, i);
    }
}

struct capability_index *
capability_index_of_names(struct arena *arena, const struct lens *lens,
                          struct text org,
                          const struct capability_snapshot *loaded,
                          size_t loaded_count, const struct text_index *names)
{
    size_t most = 0;
    for (size_t i = 0; i < loaded_count; i++)
        most += loaded[i].element_count;
    struct loaded_element *elements = memory_zeroed(most, sizeof *elements);
    bool all = lens_has(lens, LENS_LATE_SNAPSHOT);
    size_t count = load(loaded, loaded_count, all ? NULL : names, elements);
    count = drop_repeated(elements, count);
    struct capability_index *index = arena_alloc(arena, sizeof *index);
    index->lens = lens;
    index->org = org;
    index->versions = arena_array(arena, count, sizeof *index->versions);
    collapse(index, elements, count);
    build_chains(arena, index);
    free(elements);
    return index;
}

struct capability_index *capability_index_build(
    struct arena *arena, const struct lens *lens, struct text org,
    const struct capability_snapshot *loaded, size_t loaded_count,
    const struct selection_row *selections, size_t selection_count)
{
    struct text_index names = {0};
    for (size_t i = 0; i < selection_count; i++)
        capability_names_add(&names, selections[i].observed_address,
                             selections[i].observed_url);
    struct capability_index *index = capability_index_of_names(
        arena, lens, org, loaded, loaded_count, &names);
    text_index_free(&names);
    return index;
}

void capability_index_free(struct capability_index *index)
{
    for (int type = 0; type < IDENTITY_TYPES; type++)
        text_index_free(&index->chains[type].keys);
}

size_t capability_first(const struct capability_index *index,
                        enum identity_type type, struct text key)
{
    const struct version_chains *chains = &index->chains[type];
    ptrdiff_t number = text_index_find(&chains->keys, key);
    return number < 0 ? 0 : chains->first[number];
}

/* ---- carrying on ----------------------------------------------------------
 */

static bool same_pair(const struct capability_version *a,
                      const struct capability_version *b)
{
    return text_equal(a->element->address, b->element->address) &&
           text_equal(a->element->uri, b->element->uri);
}

/* Versions come sorted by pair, then time; several may be of one time. */
static bool is_last_of_alias(const struct capability_index *index, size_t at)
{
    const struct capability_version *version = &index->versions[at];
    for (size_t i = at + 1;
         i < index->version_count && same_pair(version, &index->versions[i]);
         i++)
        if (index->versions[i].valid_from > version->valid_from &&
            text_equal(version->element->alias,
                       index->versions[i].element->alias))
            return false;
    return true;
}

static int compare_versions(const void *left, const void *right)
{
    const struct capability_version *a =
        *(const struct capability_version *const *)left;
    const struct capability_version *b =
        *(const struct capability_version *const *)right;
    int order = compare_int(a->snapshot->ts, b->snapshot->ts);
    if (!order)
        order = text_compare(a->snapshot->id, b->snapshot->id);
    if (!order)
        order = text_compare(a->element->address, b->element->address);
    return order ? order : text_compare(a->element->uri, b->element->uri);
}

static const struct capability_version **
last_versions(struct arena *arena, const struct capability_index *index,
              size_t *count)
{
    const struct capability_version **last =
        arena_array(arena, index->version_count, sizeof *last);
    *count = 0;
    for (size_t i = 0; i < index->version_count; i++)
        if (is_last_of_alias(index, i))
            last[(*count)++] = &index->versions[i];
    if (*count)
        qsort(last, *count, sizeof *last, compare_versions);
    return last;
}

static bool same_snapshot(const struct capability_version *a,
                          const struct capability_version *b)
{
    return a->snapshot->ts == b->snapshot->ts &&
           text_equal(a->snapshot->id, b->snapshot->id);
}

struct capability_snapshot *
capability_carry(struct arena *arena, const struct capability_index *index,
                 size_t *count)
{
    size_t used;
    const struct capability_version **last = last_versions(arena, index, &used);
    struct capability_snapshot *snapshots =
        arena_array(arena, used, sizeof *snapshots);
    *count = 0;
    for (size_t i = 0; i < used; i++) {
        if (!i || !same_snapshot(last[i - 1], last[i])) {
            struct capability_snapshot *next = &snapshots[(*count)++];
            *next = (struct capability_snapshot){.ts = last[i]->snapshot->ts,
                                                 .id = last[i]->snapshot->id};
            next->elements =
                arena_array(arena, used - i, sizeof *next->elements);
        }
        struct capability_snapshot *snapshot = &snapshots[*count - 1];
        snapshot->elements[snapshot->element_count++] = *last[i]->element;
    }
    return snapshots;
}

/*
 * capability_fuzz.c: any JSON as the data of a capability snapshot: what is
 * read is complete, and comes back from its stored form as it was.
 */
#include "livepeer/livepeer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_interval(const struct capability_interval *a,
                           const struct capability_interval *b)
{
    must(strlen(a->suffix) == MD5_HEX_BYTES - 1);
    must(!strcmp(a->suffix, b->suffix));
    must(a->has_hardware == b->has_hardware);
    must(text_equal(a->pipeline, b->pipeline));
    must(text_equal(a->model, b->model));
    must(text_equal(a->gpu_id, b->gpu_id));
    must(a->has_hardware || !a->gpu_id.length);
}

static void check_element(const struct capability_element *a,
                          const struct capability_element *b)
{
    must(a->address.length && a->interval_count);
    must(strlen(a->payload) == MD5_HEX_BYTES - 1);
    must(!strcmp(a->payload, b->payload));
    must(text_equal(a->address, b->address));
    must(text_equal(a->uri, b->uri));
    must(text_equal(a->alias, b->alias));
    must(!a->alias.length || a->alias.length == 42);
    must(a->interval_count == b->interval_count);
    for (size_t i = 0; i < a->interval_count; i++)
        check_interval(&a->intervals[i], &b->intervals[i]);
}

static void store_and_read(struct arena *arena,
                           struct capability_element *elements, size_t count)
{
    struct capability_snapshot both[2] = {
        {.ts = 1, .line = 2, .elements = elements, .element_count = count},
        {.ts = 3, .removed = true, .elements = elements}};
    both[0].id = text_of("id");
    both[1].id = text_of("9c838785-dc30-4725-9769-34cc47792393");
    both[1].element_count = count / 2;
    struct capability_snapshot *snapshots;
    struct buf bytes = {0};
    size_t read;
    snapshots_encode(&bytes, both, 2);
    must(snapshots_decode(arena, (struct text){bytes.data, bytes.length},
                          &snapshots, &read));
    must(read == 2 && snapshots[0].element_count == count);
    must(snapshots[1].element_count == count / 2 && snapshots[1].removed);
    for (size_t i = 0; i < count; i++)
        check_element(&elements[i], &snapshots[0].elements[i]);
    buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct yyjson_val *root = json_parse(&arena, (const char *)data, size);
    if (root) {
        size_t count;
        struct capability_element *elements =
            capability_read(&arena, root, &count);
        must(count <= json_count(root));
        store_and_read(&arena, elements, count);
    }
    arena_clear(&arena);
    return 0;
}

/*
 * envelope_fuzz.c: any bytes as one record, with and without an organisation
 * given by the caller. The organisation changes nothing but itself, compact
 * texts are JSON again, and a capability dump becomes an accepted event.
 */
#include "ingest/accept.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_orgs(const struct event *without, const struct event *with)
{
    must(without->ts == with->ts || !strcmp(without->reason, "blank_org"));
    must(strcmp(with->reason, "blank_org") != 0);
    must(text_equal(without->id, with->id));
    must(without->family == with->family);
    must(without->partition == with->partition);
    must(without->offset == with->offset);
    if (strcmp(without->reason, "blank_org") != 0)
        must(without->class == with->class);
}

/* Compact text is a fixed point, sorted or not. */
static void check_compact(struct arena *arena, struct yyjson_val *value)
{
    for (int sorted = 0; sorted <= 1; sorted++) {
        struct text text = json_compact(arena, value, sorted != 0);
        struct yyjson_val *back = json_parse(arena, text.data, text.length);
        must(back != NULL);
        must(text_equal(json_compact(arena, back, sorted != 0), text));
    }
}

static void check_dump(struct arena *arena, const struct event *event)
{
    struct text record;
    struct event made;
    if (!capability_dump(arena, event, 1767908945298, &record))
        return;
    must(event->class == EVIDENCE_REJECTED);
    event_judge(arena, record, text_of("org"), false, &made);
    must(made.class == EVIDENCE_ACCEPTED);
    must(made.family == FAMILY_CAPABILITIES && made.ts == 1767908945298);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    struct event with;
    struct event without;
    struct text record = {(const char *)data, size};
    event_judge(&arena, record, text_of("org"), false, &with);
    event_judge(&arena, record, text_of(""), false, &without);
    must((with.root != NULL) == (strcmp(with.reason, "invalid_json") != 0));
    if (with.root) {
        check_orgs(&without, &with);
        check_compact(&arena, with.root);
        check_dump(&arena, &with);
    }
    arena_clear(&arena);
    return 0;
}

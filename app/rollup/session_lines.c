/*
 * session_lines.c: see session_lines.h.
 *
 * A line is judged once, when it comes; here it is only taken apart again, and
 * gives the same event. Lines of one part lie in one or two blocks, which the
 * store keeps decompressed between them.
 */
#include "rollup/session_lines.h"

#include "rollup/facts.h"

void session_lines_encode(struct buf *out, const struct session_event *events,
                          size_t count)
{
    buf_add_varint(out, count);
    for (size_t i = 0; i < count; i++)
        buf_add_signed(out, events[i].line - (i ? events[i - 1].line : 0));
}

enum err session_lines_of(struct text key, struct text bytes, struct buf *out)
{
    struct arena arena = {0};
    struct session_event *events;
    size_t count;
    bool sound = session_events_decode(&arena, bytes, &events, &count);
    if (sound)
        session_lines_encode(out, events, count);
    arena_free(&arena);
    return sound ? ERR_NONE : facts_damaged("events", key);
}

/* False where RECORD is no session event. */
static bool read_record(struct arena *arena, struct text record,
                        struct session_event *event)
{
    struct envelope envelope;
    struct yyjson_val *root = json_parse(arena, record.data, record.length);
    if (!json_is_object(root))
        return false;
    envelope_read(arena, root, &envelope);
    enum family family = family_of(envelope.type);
    if (family > FAMILY_STREAM_EVENT)
        return false;
    session_event_read(arena, family, envelope.data, event);
    event->id = envelope.id;
    event->gateway = envelope.gateway;
    event->partition = envelope.partition;
    event->offset = envelope.offset;
    return event_time_parse(envelope.timestamp, &event->ts);
}

static enum err read_event(struct store *store, struct arena *arena,
                           struct arena *scratch, int64_t line,
                           struct session_event *event, bool *sound)
{
    struct evidence_line found;
    enum err err = evidence_read(store, scratch, line, &found);
    if (err)
        return err;
    *sound =
        found.kind == EVIDENCE_LINE && read_record(scratch, found.bytes, event);
    if (!*sound)
        return ERR_NONE;
    event->line = line;
    session_event_keep(arena, event);
    return ERR_NONE;
}

enum err session_lines_read(struct store *store, struct arena *arena,
                            struct text bytes, struct session_event **events,
                            size_t *count, bool *sound)
{
    struct arena scratch = {0};
    struct reader in = reader_over(bytes.data, bytes.length);
    uint64_t lines = read_varint(&in);
    uint64_t line = 0;
    enum err err = ERR_NONE;
    *sound = !in.failed && lines <= bytes.length;
    *count = *sound ? (size_t)lines : 0;
    *events = arena_array(arena, *count, sizeof **events);
    for (size_t i = 0; !err && *sound && i < *count; i++) {
        line += (uint64_t)read_signed(&in);
        err = in.failed ? ERR_NONE
                        : read_event(store, arena, &scratch, (int64_t)line,
                                     &(*events)[i], sound);
        *sound &= !in.failed;
        arena_clear(&scratch);
    }
    *sound &= in.at == in.end;
    arena_free(&scratch);
    return err;
}

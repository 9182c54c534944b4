/*
 * request_lines.c: see request_lines.h.
 *
 * A line is judged once, when it comes; here it is only taken apart again, and
 * gives the same events. Hundreds of events share their sender, recipient and
 * URL, so each text is kept once.
 */
#include "rollup/request_lines.h"

#include <stdlib.h>
#include <string.h>

void request_list_add(struct request_list *into,
                      const struct request_event *events, size_t count)
{
    if (into->count + count > into->capacity) {
        into->capacity = (into->count + count) * 2;
        into->list =
            memory_resize(into->list, into->capacity * sizeof *into->list);
    }
    if (count)
        memcpy(into->list + into->count, events, count * sizeof *events);
    into->count += count;
}

void request_list_free(struct request_list *list)
{
    free(list->list);
    *list = (struct request_list){0};
}

void line_reader_free(struct line_reader *reader)
{
    text_index_free(&reader->strings);
    arena_free(&reader->scratch);
}

static struct text kept(struct line_reader *reader, struct text text)
{
    bool added;
    size_t number = text_index_add(&reader->strings, text, &added);
    if (added) {
        reader->kept = arena_grow(reader->arena, reader->kept, number,
                                  sizeof *reader->kept);
        reader->kept[number] =
            arena_text(reader->arena, text.data, text.length);
    }
    return (struct text){reader->kept[number], text.length};
}

static void keep_event(struct line_reader *reader, struct request_event *event)
{
    struct text *texts[REQUEST_TEXTS];
    request_event_texts(event, texts);
    for (size_t i = 0; i < REQUEST_TEXTS; i++)
        *texts[i] = kept(reader, *texts[i]);
    event->id.data =
        arena_text(reader->arena, event->id.data, event->id.length);
}

/* The events of RECORD, in scratch; none where it is nothing of the group. */
static struct request_event *read_record(struct line_reader *reader,
                                         struct text record, int64_t line,
                                         size_t *count)
{
    struct envelope envelope;
    int64_t ts;
    struct arena *scratch = &reader->scratch;
    struct yyjson_val *root = json_parse(scratch, record.data, record.length);
    *count = 0;
    if (!json_is_object(root))
        return NULL;
    envelope_read(scratch, root, &envelope);
    if (!event_time_parse(envelope.timestamp, &ts))
        return NULL;
    struct request_event *events = request_events_read(
        scratch, family_of(envelope.type), envelope.data, count);
    for (size_t i = 0; i < *count; i++) {
        events[i].ts = ts;
        events[i].line = line;
        events[i].id = envelope.id;
        events[i].gateway = envelope.gateway;
    }
    return events;
}

/* Whether it is what a line of RUN must be. */
static bool is_of_run(const struct line_reader *reader,
                      const struct request_run *run,
                      const struct request_event *event)
{
    return request_group_of(event->kind) == reader->group &&
           event->ts >= run->first_ts && event->ts <= run->last_ts;
}

static enum err read_line(struct line_reader *reader,
                          const struct request_run *run, int64_t line,
                          struct request_list *into)
{
    struct evidence_line found;
    size_t count = 0;
    struct request_event *events = NULL;
    arena_clear(&reader->scratch);
    enum err err = evidence_read(reader->store, &reader->scratch, line, &found);
    if (err)
        return err;
    if (found.kind == EVIDENCE_LINE)
        events = read_record(reader, found.bytes, line, &count);
    if (!count || !is_of_run(reader, run, events))
        return facts_damaged("payments", reader->org);
    for (size_t i = 0; i < count; i++)
        keep_event(reader, &events[i]);
    request_list_add(into, events, count);
    return ERR_NONE;
}

enum err request_run_read(struct line_reader *reader,
                          const struct request_run *run,
                          struct request_list *into)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < run->line_count; i++)
        err = read_line(reader, run, run->lines[i], into);
    return err;
}

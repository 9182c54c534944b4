/*
 * outbox.c: see driver_int.h. One append is under way at a time and takes all
 * that waits, so that order is kept and many rows share a transaction.
 */
#include "sched/driver_int.h"

#include "base/log.h"

#include <stdlib.h>

enum { ENTRIES_AT_ONCE = 256, RETRY_US = 5 * US_PER_SECOND };

struct posting {
    struct store_work work; /* first: its address is the posting's */
    struct outbox *outbox;
    struct journal_entry entries[ENTRIES_AT_ONCE];
    size_t count;
    size_t notes; /* of the outbox's first ones */
};

struct note *note_new(void)
{
    return memory_zeroed(1, sizeof(struct note));
}

static void note_free(struct note *note)
{
    arena_free(&note->arena);
    free(note);
}

void outbox_add(struct outbox *outbox, struct note *note)
{
    if (!outbox->first)
        outbox->last = &outbox->first;
    *outbox->last = note;
    outbox->last = &note->next;
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return !outbox->first;
}

static enum err append(void *context, struct store *store)
{
    const struct posting *posting = context;
    return journal_append(store, posting->entries, posting->count);
}

/* Says once that writing fails, and once that it works again. */
static void tell(struct outbox *outbox, enum err err, const char *sentence)
{
    if (err && !outbox->failing)
        log_message(LOG_ERROR, "no run is begun until this is mended: %s",
                    sentence);
    if (!err && outbox->failing)
        log_message(LOG_INFO, "runs can be written down again");
    outbox->failing = err != ERR_NONE;
}

/* Of a failed posting stays what must be written, and, of several, all that
 * one of them may have spoilt. */
static bool stays(const struct posting *posting, const struct note *note,
                  enum err err)
{
    return err && !note->on_written && (err != ERR_INPUT || posting->notes > 1);
}

/* Takes the posting's notes out of the outbox, but for those that stay. */
static struct note *take_ended(struct outbox *outbox,
                               const struct posting *posting, enum err err)
{
    struct note *ended = NULL;
    struct note **ended_last = &ended;
    struct note **at = &outbox->first;
    for (size_t i = 0; i < posting->notes; i++) {
        struct note *note = *at;
        if (stays(posting, note, err)) {
            at = &note->next;
            continue;
        }
        *at = note->next;
        note->next = NULL;
        *ended_last = note;
        ended_last = &note->next;
    }
    while (*at)
        at = &(*at)->next;
    outbox->last = at;
    return ended;
}

static void on_posted(struct store_work *work, enum err err,
                      const char *sentence)
{
    struct posting *posting = (struct posting *)(void *)work;
    struct outbox *outbox = posting->outbox;
    const struct surroundings *outside = outbox->outside;
    tell(outbox, err, sentence);
    struct note *ended = take_ended(outbox, posting, err);
    outbox->one_by_one =
        outbox->first && (err == ERR_INPUT || outbox->one_by_one);
    outbox->retry_us =
        err && err != ERR_INPUT
            ? outside->now(outside->context).monotonic_us + RETRY_US
            : 0;
    outbox->posting = NULL;
    free(posting);
    while (ended) {
        struct note *next = ended->next;
        if (ended->on_written)
            ended->on_written(ended->context, err);
        note_free(ended);
        ended = next;
    }
    outbox->on_change(outbox->context);
}

void outbox_post(struct outbox *outbox, int64_t now_us)
{
    if (outbox->posting || !outbox->first || now_us < outbox->retry_us)
        return;
    struct posting *posting = memory_zeroed(1, sizeof *posting);
    posting->work = (struct store_work){
        .run = append, .context = posting, .done = on_posted};
    posting->outbox = outbox;
    for (const struct note *note = outbox->first;
         note && posting->count + note->count <= ENTRIES_AT_ONCE &&
         !(posting->notes && outbox->one_by_one);
         note = note->next) {
        for (size_t i = 0; i < note->count; i++)
            posting->entries[posting->count++] = note->entries[i];
        posting->notes++;
    }
    outbox->posting = posting;
    outbox->outside->with_store(outbox->outside->context, &posting->work);
}

void outbox_free(struct outbox *outbox)
{
    while (outbox->first) {
        struct note *next = outbox->first->next;
        note_free(outbox->first);
        outbox->first = next;
    }
}

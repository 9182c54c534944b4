/*
 * ingest.c: the way of one record (see ingest.h).
 *
 *   judge -> taken before? -> evidence -> facts and counts -> commit
 *
 * A key is (org, family, event time, id) for accepted events, the same within
 * its reason for ignored ones, and the bytes themselves for rejected records.
 * A record whose bytes were taken before is written to the evidence as a
 * reference to the earlier line. Of redeliveries that differ, the one that
 * sorts first by (gateway, NUL, compact data with sorted keys), then by
 * (partition, offset), then by its bytes stands; the facts of the other are
 * taken back.
 */
#include "ingest/ingest_int.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    GATHERED_BYTES_MAX = 4 << 20,
    GATHERED_BYTES_QUICK = 64 << 20,
    GATHERED_COUNTS_MAX = 8192,
    TOTALS_MAX = 10000
};

/* One delivery on its way. */
struct delivery {
    const struct ingest_origin *origin;
    struct event event;
    struct text record;
    struct seen_place place;
    uint64_t fingerprint;
    struct evidence_line line; /* line.line is set when replaying */
};

struct ingest *ingest_new(struct store *store)
{
    struct ingest *ingest = memory_zeroed(1, sizeof *ingest);
    ingest->store = store;
    ingest->seen = seen_new(store);
    ingest->batch = batch_new();
    ingest->gathered_bytes_max = GATHERED_BYTES_MAX;
    return ingest;
}

void ingest_free(struct ingest *ingest)
{
    if (!ingest)
        return;
    if (ingest->in_transaction)
        store_rollback(ingest->store);
    seen_free(ingest->seen);
    batch_free(ingest->batch);
    counts_free(&ingest->counts);
    counts_free(&ingest->written);
    arena_free(&ingest->arena);
    arena_free(&ingest->compare);
    free(ingest->totals);
    free(ingest);
}

uint64_t ingest_pending(const struct ingest *ingest)
{
    return ingest->pending;
}

struct ingest_outcome ingest_last(const struct ingest *ingest)
{
    return ingest->last;
}

/* ---- keys ---------------------------------------------------------------- */

static uint64_t first_word(const uint8_t digest[SHA256_BYTES])
{
    uint64_t word;
    memcpy(&word, digest, sizeof word);
    return word;
}

/* Rejected records have no time of their own to shard by. */
static void key_of_bytes(struct delivery *delivery, const uint8_t *digest)
{
    delivery->fingerprint = first_word(digest);
    delivery->place =
        (struct seen_place){EVIDENCE_REJECTED, delivery->event.org, digest[8]};
}

static void key_of(struct delivery *delivery)
{
    const struct event *event = &delivery->event;
    if (event->class == EVIDENCE_REJECTED) {
        uint8_t digest[SHA256_BYTES];
        struct text nul = {"", 1};
        struct text parts[] = {text_of(event->reason), nul, delivery->record};
        hash_sha256_parts(parts, 3, digest);
        key_of_bytes(delivery, digest);
        return;
    }
    delivery->fingerprint = event_fingerprint(event);
    delivery->place =
        (struct seen_place){event->class, event->org, event->ts / MS_PER_HOUR};
}

static bool same_key(const struct event *a, const struct event *b)
{
    return a->class == b->class && !strcmp(a->reason, b->reason) &&
           a->ts == b->ts && text_equal(a->org, b->org) &&
           text_equal(a->type, b->type) && text_equal(a->id, b->id);
}

/* ---- redeliveries -------------------------------------------------------- */

static int compare_place(const struct event *a, const struct event *b)
{
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* An earlier line of the same key. */
struct earlier {
    bool found;
    bool readable; /* its evidence has not expired */
    bool same_bytes;
    int payload; /* of this delivery against it, see find_order */
    int order;   /* less than 0 where this delivery stands */
    struct seen_entry *entry;
    /* In the arena `compare`, until the order is found. */
    struct evidence_line line;
    struct event event;
};

static bool same_oversize(const struct evidence_line *a,
                          const struct evidence_line *b)
{
    return a->kind == b->kind && a->length == b->length &&
           (a->kind != EVIDENCE_OVERSIZE ||
            !memcmp(a->sha256, b->sha256, SHA256_BYTES)) &&
           text_equal(a->bytes, b->bytes);
}

static enum err read_earlier(struct ingest *ingest, struct earlier *earlier)
{
    arena_clear(&ingest->compare);
    return evidence_read(ingest->store, &ingest->compare, earlier->entry->line,
                         &earlier->line);
}

static void judge_earlier(struct ingest *ingest, struct earlier *earlier)
{
    event_judge(&ingest->compare, earlier->line.bytes, earlier->line.org, true,
                &earlier->event);
}

/* Looks at the line of EARLIER's entry and decides whether it is the key. The
 * same bytes at the same place are. */
static enum err look_at(struct ingest *ingest, struct delivery *delivery,
                        struct earlier *earlier)
{
    enum err err = read_earlier(ingest, earlier);
    if (err == ERR_ABSENT) {
        earlier->found = true; /* expired: nothing to compare with */
        return ERR_NONE;
    }
    if (err)
        return err;
    earlier->readable = true;
    earlier->same_bytes = same_oversize(&earlier->line, &delivery->line);
    earlier->found = earlier->same_bytes;
    if (earlier->found || delivery->event.class == EVIDENCE_REJECTED)
        return ERR_NONE;
    judge_earlier(ingest, earlier);
    earlier->found = same_key(&earlier->event, &delivery->event);
    return ERR_NONE;
}

/*
 * The earlier delivery that matters: the same bytes if they were taken before,
 * else the line that stands for the key.
 */
static enum err find_earlier(struct ingest *ingest, struct delivery *delivery,
                             struct earlier *earlier)
{
    struct seen_entry *entry = NULL;
    *earlier = (struct earlier){0};
    while (true) {
        enum err err = seen_next(ingest->seen, &delivery->place,
                                 delivery->fingerprint, &entry);
        if (err || !entry)
            return err;
        struct earlier look = {.entry = entry};
        err = look_at(ingest, delivery, &look);
        if (err)
            return err;
        if (look.found && (look.same_bytes || !entry->beaten))
            *earlier = look;
        if (look.found && look.same_bytes)
            return ERR_NONE;
    }
}

static void write_payload(struct buf *out, struct arena *arena,
                          const struct event *event)
{
    if (event->data)
        json_compact_to(out, arena, event->data, true);
    else
        buf_add_string(out, "null");
}

/* (gateway, NUL, compact data with sorted keys). Two of the largest records
 * would take too much memory at once, so the earlier one is given up when its
 * text is there. */
static int compare_payload(struct ingest *ingest,
                           const struct delivery *delivery,
                           const struct earlier *earlier)
{
    struct buf left = {0};
    struct buf right = {0};
    int order = text_compare(delivery->event.gateway, earlier->event.gateway);
    if (!order) {
        write_payload(&right, &ingest->compare, &earlier->event);
        arena_clear(&ingest->compare);
        write_payload(&left, &ingest->compare, &delivery->event);
        order = text_compare((struct text){left.data, left.length},
                             (struct text){right.data, right.length});
    }
    buf_free(&left);
    buf_free(&right);
    return order;
}

/* Which of two lines of a key stands: by their payloads, else by where they lay
 * and by their bytes. */
static enum err find_order(struct ingest *ingest, struct delivery *delivery,
                           struct earlier *earlier)
{
    enum err err = read_earlier(ingest, earlier);
    if (err)
        return err;
    judge_earlier(ingest, earlier);
    int place = compare_place(&delivery->event, &earlier->event);
    if (!place)
        place = text_compare(delivery->record, earlier->line.bytes);
    earlier->payload = compare_payload(ingest, delivery, earlier);
    earlier->order = earlier->payload ? earlier->payload : place;
    return ERR_NONE;
}

/* ---- taking -------------------------------------------------------------- */

static enum err write_evidence(struct ingest *ingest, struct delivery *delivery,
                               const struct earlier *earlier)
{
    if (ingest->replaying)
        return ERR_NONE;
    struct evidence_line *line = &delivery->line;
    if (earlier->found && earlier->same_bytes) {
        line->kind = EVIDENCE_REPEAT;
        line->repeats = earlier->entry->line;
        line->event_ms = INT64_MIN; /* it is no evidence of that day */
    }
    return evidence_append(ingest->store, line);
}

static enum err add_seen(struct ingest *ingest, struct delivery *delivery,
                         int64_t line, bool beaten)
{
    const struct seen_entry entry = {.line = line,
                                     .fingerprint = delivery->fingerprint &
                                                    SEEN_FINGERPRINT_MASK,
                                     .beaten = beaten};
    return seen_add(ingest->seen, &delivery->place, &entry);
}

static enum err take_first(struct ingest *ingest, struct delivery *delivery)
{
    const struct event *event = &delivery->event;
    batch_count(ingest->batch, event, true, false);
    if (event->class == EVIDENCE_ACCEPTED)
        batch_add(ingest->batch, &ingest->arena, event, delivery->line.line,
                  false);
    return add_seen(ingest, delivery, delivery->line.line, false);
}

/* The facts of the earlier line are taken back, and this one's stand. */
static enum err take_place(struct ingest *ingest, struct delivery *delivery,
                           struct earlier *earlier)
{
    enum err err = read_earlier(ingest, earlier);
    if (err)
        return err;
    judge_earlier(ingest, earlier);
    batch_add(ingest->batch, &ingest->compare, &earlier->event,
              earlier->entry->line, true);
    batch_add(ingest->batch, &ingest->arena, &delivery->event,
              delivery->line.line, false);
    earlier->entry->line = delivery->line.line;
    return ERR_NONE;
}

/* Another line of a key: one of the two stands, the other is kept as beaten,
 * so that its next delivery is known again. */
static enum err compete(struct ingest *ingest, struct delivery *delivery,
                        struct earlier *earlier)
{
    bool differs = earlier->payload != 0;
    bool conflict = differs && !earlier->entry->conflict;
    int64_t beaten =
        earlier->order < 0 ? earlier->entry->line : delivery->line.line;
    ingest->last.conflict = differs;
    batch_count(ingest->batch, &delivery->event, false, conflict);
    enum err err =
        earlier->order < 0 ? take_place(ingest, delivery, earlier) : ERR_NONE;
    earlier->entry->conflict |= conflict;
    if (!err)
        err = seen_changed(ingest->seen, &delivery->place);
    return err ? err : add_seen(ingest, delivery, beaten, true);
}

/* Two lines of a key whose facts differ, and both can be read. */
static bool competes(const struct delivery *delivery,
                     const struct earlier *earlier)
{
    return earlier->found && earlier->readable && !earlier->same_bytes &&
           delivery->event.class == EVIDENCE_ACCEPTED;
}

static enum err take_again(struct ingest *ingest, struct delivery *delivery,
                           struct earlier *earlier)
{
    if (competes(delivery, earlier))
        return compete(ingest, delivery, earlier);
    batch_count(ingest->batch, &delivery->event, false, false);
    if (earlier->same_bytes)
        return ERR_NONE;
    if (!earlier->readable) {
        /* The line that stood for the key has expired; this one is kept. */
        earlier->entry->line = delivery->line.line;
        return seen_changed(ingest->seen, &delivery->place);
    }
    return add_seen(ingest, delivery, delivery->line.line, true);
}

static enum err take(struct ingest *ingest, struct delivery *delivery)
{
    struct earlier earlier;
    enum err err = find_earlier(ingest, delivery, &earlier);
    if (!err && competes(delivery, &earlier))
        err = find_order(ingest, delivery, &earlier);
    arena_clear(&ingest->compare);
    if (!err)
        err = write_evidence(ingest, delivery, &earlier);
    if (err)
        return err;
    ingest->pending++;
    ingest->last = (struct ingest_outcome){
        delivery->event.class, delivery->event.reason, earlier.found, false};
    return earlier.found ? take_again(ingest, delivery, &earlier)
                         : take_first(ingest, delivery);
}

enum err ingest_begin(struct ingest *ingest)
{
    if (ingest->in_transaction)
        return ERR_NONE;
    enum err err = store_begin(ingest->store);
    ingest->in_transaction = !err;
    return err;
}

static struct text trimmed(struct text text)
{
    while (text.length && strchr(" \t\r\n", text.data[0]) && text.data[0]) {
        text.data++;
        text.length--;
    }
    while (text.length && text.data[text.length - 1] &&
           strchr(" \t\r\n", text.data[text.length - 1]))
        text.length--;
    return text;
}

static void fill_line(struct delivery *delivery)
{
    struct evidence_line *line = &delivery->line;
    line->source = delivery->origin->source;
    line->org = delivery->event.org;
    line->class = delivery->event.class;
    line->arrival_ms = delivery->origin->arrival_ms;
    line->event_ms = delivery->event.ts;
    line->bytes = delivery->record;
    line->length = delivery->record.length;
}

/* LINE is where the record lies already, or -1 for one that has just come. */
enum err ingest_take_record(struct ingest *ingest,
                            const struct ingest_origin *origin,
                            struct text record, int64_t line)
{
    struct delivery delivery = {.origin = origin, .record = record};
    arena_clear(&ingest->arena);
    event_judge(&ingest->arena, record, origin->org, origin->org_wins,
                &delivery.event);
    if (delivery.event.class == EVIDENCE_REJECTED &&
        capability_dump(&ingest->arena, &delivery.event, origin->snapshot_ms,
                        &delivery.record))
        event_judge(&ingest->arena, delivery.record, origin->org,
                    origin->org_wins, &delivery.event);
    fill_line(&delivery);
    delivery.line.line = line;
    key_of(&delivery);
    return take(ingest, &delivery);
}

enum err ingest_take_oversize(struct ingest *ingest,
                              const struct ingest_origin *origin,
                              struct text bytes, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES], int64_t line)
{
    struct delivery delivery = {.origin = origin, .record = bytes};
    delivery.event = (struct event){.class = EVIDENCE_REJECTED,
                                    .reason = "invalid_json",
                                    .org = origin->org,
                                    .ts = INT64_MIN};
    fill_line(&delivery);
    delivery.line.kind = EVIDENCE_OVERSIZE;
    delivery.line.length = length;
    delivery.line.line = line;
    memcpy(delivery.line.sha256, sha256, SHA256_BYTES);
    key_of_bytes(&delivery, sha256);
    return take(ingest, &delivery);
}

enum err ingest_warm(struct store *store, struct text org, int64_t day)
{
    return seen_warm(store, org, day);
}

static void begin_anew(struct ingest *ingest)
{
    ingest->in_transaction = false;
    ingest->pending = 0;
    ingest->gathered_bytes = 0;
    counts_free(&ingest->written);
}

enum err ingest_abandon(struct ingest *ingest, enum err err)
{
    store_rollback(ingest->store);
    seen_reset(ingest->seen);
    batch_clear(ingest->batch);
    begin_anew(ingest);
    return err;
}

/* ---- staying small ------------------------------------------------------- */

/* Of totals: beyond so many rows, organisations are not told apart. */
static const char others[] = "(others)";

static void add_total(struct counts *counts, const struct count *count)
{
    struct count merged = *count;
    if (counts->keys.count >= TOTALS_MAX)
        merged.org = text_of(others);
    counts_add(counts, &merged);
}

static void keep_counts(struct ingest *ingest, struct counts *into)
{
    const struct counts *counts = batch_counts(ingest->batch);
    for (size_t i = 0; ingest->keeps_totals && i < counts->keys.count; i++)
        add_total(into, &counts->list[i]);
}

/* What has been gathered goes into the tables, in the open transaction, where
 * it has come to take much memory: by its length, or because it is of very many
 * organisations or hours. */
static enum err relieve(struct ingest *ingest, size_t record_bytes)
{
    ingest->gathered_bytes += record_bytes;
    if (ingest->gathered_bytes < ingest->gathered_bytes_max &&
        !seen_is_large(ingest->seen) &&
        batch_counts(ingest->batch)->keys.count < GATHERED_COUNTS_MAX)
        return ERR_NONE;
    enum err err = ingest_flush(ingest);
    if (!err)
        keep_counts(ingest, &ingest->written);
    batch_forget_counts(ingest->batch);
    return err;
}

enum err ingest_record(struct ingest *ingest,
                       const struct ingest_origin *origin, struct text record)
{
    record = trimmed(record);
    if (!record.length)
        return ERR_NONE;
    enum err err = ingest_begin(ingest);
    if (!err)
        err = ingest_take_record(ingest, origin, record, -1);
    if (!err)
        err = relieve(ingest, record.length);
    return err ? ingest_abandon(ingest, err) : ERR_NONE;
}

enum err ingest_oversize(struct ingest *ingest,
                         const struct ingest_origin *origin, struct text bytes,
                         uint64_t length, const uint8_t sha256[SHA256_BYTES])
{
    enum err err = ingest_begin(ingest);
    if (!err)
        err = ingest_take_oversize(ingest, origin, bytes, length, sha256, -1);
    if (!err)
        err = relieve(ingest, bytes.length);
    return err ? ingest_abandon(ingest, err) : ERR_NONE;
}

void ingest_give_back(struct ingest *ingest)
{
    arena_free(&ingest->arena);
    arena_free(&ingest->compare);
    batch_give_back(ingest->batch);
    store_give_back(ingest->store);
}

/* ---- committing ---------------------------------------------------------- */

enum err ingest_flush(struct ingest *ingest)
{
    ingest->gathered_bytes = 0;
    enum err err = batch_write_facts(ingest->batch, ingest->store);
    if (!err)
        err = batch_write_counts(ingest->batch, ingest->store);
    if (!err)
        err = seen_flush(ingest->seen);
    return err;
}

enum err ingest_commit(struct ingest *ingest)
{
    if (!ingest->in_transaction)
        return ERR_NONE;
    enum err err = ingest_flush(ingest);
    if (!err)
        err = store_commit(ingest->store);
    if (err)
        return ingest_abandon(ingest, err);
    for (size_t i = 0; i < ingest->written.keys.count; i++)
        add_total(&ingest->counts, &ingest->written.list[i]);
    keep_counts(ingest, &ingest->counts);
    batch_clear(ingest->batch);
    begin_anew(ingest);
    return ERR_NONE;
}

enum err ingest_finish(struct ingest *ingest)
{
    enum err err = ingest_commit(ingest);
    if (!err)
        err = ingest_begin(ingest);
    if (!err)
        err = seen_join(ingest->seen);
    if (!err)
        err = store_commit(ingest->store);
    if (err)
        return ingest_abandon(ingest, err);
    ingest->in_transaction = false;
    return ERR_NONE;
}

void ingest_be_quick(struct ingest *ingest)
{
    ingest->gathered_bytes_max = GATHERED_BYTES_QUICK;
}

void ingest_keep_totals(struct ingest *ingest)
{
    ingest->keeps_totals = true;
}

const struct ingest_total *ingest_totals(struct ingest *ingest, size_t *count)
{
    *count = ingest->counts.keys.count;
    ingest->totals =
        memory_resize(ingest->totals, *count * sizeof *ingest->totals);
    for (size_t i = 0; i < *count; i++) {
        const struct count *from = &ingest->counts.list[i];
        ingest->totals[i] =
            (struct ingest_total){evidence_class_name(from->class),
                                  from->reason,
                                  from->org,
                                  from->family,
                                  from->received,
                                  from->unique,
                                  from->conflicts};
    }
    return ingest->totals;
}

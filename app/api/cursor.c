/*
 * cursor.c: see cursor.h.
 *
 * The text is base64url of four things: a check over the other three (8 bytes),
 * question (8), rows (8), row key. The check is no secret: it tells a cursor
 * that was cut or altered from one that is out of date. Nobody gains by making
 * one up, because only cursors that were given have a moment.
 */
#include "api/cursor.h"

#include "base/base64.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 8, ROW_KEY_AT = 3 * WORD_BYTES };

static uint64_t check_of(const char *bytes, size_t length)
{
    return hash_fast(bytes + WORD_BYTES, length - WORD_BYTES);
}

static uint64_t word_at(struct text bytes, size_t at)
{
    struct reader in = reader_over(bytes.data + at, WORD_BYTES);
    return read_u64(&in);
}

struct text place_write(struct arena *arena, const struct place *place)
{
    struct buf bytes = {0};
    struct buf check = {0};
    struct buf encoded = {0};
    buf_add_u64(&bytes, 0);
    buf_add_u64(&bytes, place->question);
    buf_add_u64(&bytes, place->rows);
    buf_add(&bytes, place->row_key.data, place->row_key.length);
    buf_add_u64(&check, check_of(bytes.data, bytes.length));
    memcpy(bytes.data, check.data, WORD_BYTES);
    base64url_encode(&encoded, (struct text){bytes.data, bytes.length});
    struct text text = {arena_text(arena, encoded.data, encoded.length),
                        encoded.length};
    buf_free(&bytes);
    buf_free(&check);
    buf_free(&encoded);
    return text;
}

bool place_read(struct arena *arena, struct text text, struct place *place)
{
    struct text bytes;
    if (!base64url_decode(arena, text, &bytes) || bytes.length < ROW_KEY_AT ||
        word_at(bytes, 0) != check_of(bytes.data, bytes.length))
        return false;
    place->question = word_at(bytes, WORD_BYTES);
    place->rows = word_at(bytes, (size_t)2 * WORD_BYTES);
    place->row_key =
        (struct text){bytes.data + ROW_KEY_AT, bytes.length - ROW_KEY_AT};
    return true;
}

/* ---- sort keys ----------------------------------------------------------- */

struct text cursor_encode(struct arena *arena, const char *shape,
                          const struct cursor *cursor)
{
    struct buf bytes = {0};
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'i')
            buf_add_signed(&bytes, cursor->parts[i].number);
        else
            buf_add_text(&bytes, cursor->parts[i].text);
    }
    struct text text = {arena_text(arena, bytes.data, bytes.length),
                        bytes.length};
    buf_free(&bytes);
    return text;
}

bool cursor_decode(struct text bytes, const char *shape, struct cursor *cursor)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'i')
            cursor->parts[i].number = read_signed(&in);
        else
            cursor->parts[i].text = read_text(&in);
    }
    return !in.failed && in.at == in.end;
}

/* ---- moments ------------------------------------------------------------- */

/* Each cursor has one slot; the next one that has the same takes it over. */
struct moments {
    pthread_mutex_t lock;
    struct {
        uint64_t cursor; /* its hash; 0 in an empty slot */
        struct store_moment moment;
    } slots[MOMENTS_KEPT];
};

struct moments *moments_new(void)
{
    struct moments *moments = memory_zeroed(1, sizeof *moments);
    pthread_mutex_init(&moments->lock, NULL);
    return moments;
}

void moments_free(struct moments *moments)
{
    if (!moments)
        return;
    pthread_mutex_destroy(&moments->lock);
    free(moments);
}

void moments_note(struct moments *moments, struct text cursor,
                  const struct store_moment *moment)
{
    uint64_t hash = hash_fast(cursor.data, cursor.length);
    size_t at = hash % MOMENTS_KEPT;
    pthread_mutex_lock(&moments->lock);
    moments->slots[at].cursor = hash;
    moments->slots[at].moment = *moment;
    pthread_mutex_unlock(&moments->lock);
}

bool moments_find(struct moments *moments, struct text cursor,
                  struct store_moment *moment)
{
    uint64_t hash = hash_fast(cursor.data, cursor.length);
    size_t at = hash % MOMENTS_KEPT;
    pthread_mutex_lock(&moments->lock);
    bool found = moments->slots[at].cursor == hash;
    *moment = moments->slots[at].moment;
    pthread_mutex_unlock(&moments->lock);
    return found && hash;
}

/*
 * block.h: the inside of a block of evidence: records behind one another, and
 * the way to and from the compressed form. Private to the store.
 *
 * Nothing here touches the database, so that it is tested by tables and
 * fuzzed alone.
 */
#ifndef ASSAY_STORE_BLOCK_H
#define ASSAY_STORE_BLOCK_H

#include "store/store.h"

/* A block is full at whichever of the two it reaches first: the more lines,
 * the less each takes, and the longer it takes to read one of them. */
enum { BLOCK_RAW_BYTES = 3 << 20, BLOCK_LINES = 4096 };

/* No block can be larger: the fullest that is not full, plus one line. */
enum { BLOCK_RAW_MAX_BYTES = BLOCK_RAW_BYTES + EVIDENCE_LINE_MAX_BYTES + 256 };

enum { BLOCK_LINE_BITS = 16 };

/* What stored numbers are relative to, wrapping around, so that every pair of
 * them has a difference. */
static inline int64_t wrapping_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t wrapping_difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* Days since 1970-01-01 UTC, ascending, each once. */
struct day_set {
    int64_t *days;
    size_t count;
    size_t capacity;
};

void day_set_add(struct day_set *set, int64_t day);
void day_set_encode(const struct day_set *set, struct buf *out);
/* Adds what ENCODED holds; false where that is damaged. */
bool day_set_decode(struct day_set *set, struct text encoded);
void day_set_free(struct day_set *set);

/* A block in the making. */
struct block {
    int64_t number;
    struct buf raw;
    uint32_t lines;
    int64_t first_arrival_ms; /* the least and the greatest, not the order */
    int64_t last_arrival_ms;
    int64_t previous_arrival_ms; /* what the next record is relative to */
    int64_t previous_event_ms;
    struct day_set days;
};

/* Makes BLOCK, zeroed or used before, an empty one with this number. */
void block_start(struct block *block, int64_t number);
void block_add(struct block *block, const struct evidence_line *line);
bool block_is_full(const struct block *block);
/* Its bytes are not wanted any more; the next block may use their memory. */
void block_end(struct block *block);
void block_free(struct block *block);

/* Fills BLOCK from the raw bytes of one; false where they are damaged. */
bool block_restore(struct block *block, int64_t number, struct text raw);

/* Reading records in order. */
struct block_cursor {
    struct reader reader;
    int64_t number;
    uint32_t index; /* of the record that comes next */
    int64_t arrival_ms;
    int64_t event_ms;
};

/* False where RAW is not the content of block NUMBER. */
bool block_cursor_start(struct block_cursor *cursor, int64_t number,
                        struct text raw);
/*
 * The next record; texts are borrowed from the raw bytes, feed fields are left
 * alone. False at the end and where the bytes are damaged: then
 * cursor->reader.failed is set.
 */
bool block_cursor_next(struct block_cursor *cursor, struct evidence_line *out);

/* Compression, with contexts that are kept between calls. */
struct packer;
struct packer *packer_new(void);
void packer_free(struct packer *packer);
/* Frees what it can make again: some megabytes. */
void packer_give_back(struct packer *packer);
/* Appends what is stored of a sealed block. */
void pack_body(struct packer *packer, struct text raw, struct buf *out);
/* Appends a form byte and the records, compressed where that is shorter. */
void pack_chunk(struct packer *packer, struct text raw, struct buf *out);
/* Append the raw bytes; false where the stored ones are damaged. */
bool unpack_body(struct packer *packer, struct text body, struct buf *out);
bool unpack_chunk(struct packer *packer, struct text chunk, struct buf *out);
/* Rows of packs (columns.h); damage of the stored form is found. */
void pack_rows(struct packer *packer, struct text raw, struct buf *out);
/* False also where that would be more than MAX_BYTES. */
bool unpack_rows(struct packer *packer, struct text stored, size_t max_bytes,
                 struct buf *out);

#endif

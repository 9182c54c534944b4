/*
 * seen_chunk.h: the stored form of taken keys. Private to this room.
 */
#ifndef ASSAY_INGEST_SEEN_CHUNK_H
#define ASSAY_INGEST_SEEN_CHUNK_H

#include "ingest/seen.h"

/* Appends COUNT entries, which it sorts by line. */
void seen_chunk_encode(struct buf *out, struct seen_entry *entries,
                       size_t count);

/* Calls ADD for each entry of BYTES; false where they are damaged, after some
 * entries at the most. */
bool seen_chunk_decode(struct text bytes,
                       void (*add)(void *context,
                                   const struct seen_entry *entry),
                       void *context);

#endif

/*
 * seen_chunk.h: the stored form of taken keys. Private to this room.
 */
#ifndef ASSAY_INGEST_SEEN_CHUNK_H
#define ASSAY_INGEST_SEEN_CHUNK_H

#include "ingest/seen.h"

/* The most entries of a cold chunk: lines one after another take no room, so
 * its bytes do not bound their number. */
enum { SEEN_CHUNK_COLD_MAX = 1 << 20 };

/* Appends COUNT entries, which it sorts by line; COLD ones without their
 * fingerprints, which their lines tell. */
void seen_chunk_encode(struct buf *out, struct seen_entry *entries,
                       size_t count, bool cold);

/* Calls ADD for each entry of BYTES, with fingerprint 0 where they are cold;
 * false where they are damaged, after some entries at the most. */
bool seen_chunk_decode(struct text bytes,
                       void (*add)(void *context,
                                   const struct seen_entry *entry),
                       void *context);

#endif

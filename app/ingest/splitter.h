/*
 * splitter.h: a stream of bytes into records. Private to this room.
 */
#ifndef ASSAY_INGEST_SPLITTER_H
#define ASSAY_INGEST_SPLITTER_H

#include "ingest/ingest.h"

struct splitter;
/* SINK is borrowed. */
struct splitter *splitter_new(const struct record_sink *sink);
void splitter_free(struct splitter *splitter);

/* The next bytes, cut anywhere. */
MUST_USE enum err splitter_take(struct splitter *splitter, const char *bytes,
                                size_t length);
/* The end of the stream: what is left is the last record. */
MUST_USE enum err splitter_end(struct splitter *splitter);

/* Records handed to the sink so far. */
uint64_t splitter_records(const struct splitter *splitter);

#endif

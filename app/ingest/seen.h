/*
 * seen.h: which keys have been taken before, however long ago. Private to this
 * room.
 */
#ifndef ASSAY_INGEST_SEEN_H
#define ASSAY_INGEST_SEEN_H

#include "ingest/ingest.h"

/* The part of a fingerprint that counts. */
#define SEEN_FINGERPRINT_MASK (((uint64_t)1 << 48) - 1)

/* One taken key: the evidence line that stands for it. Sixteen bytes, because
 * there is one for every line of the hours at hand. */
struct seen_entry {
    int64_t line;
    uint64_t fingerprint : 48;
    uint64_t conflict : 1; /* came with differing content at some time */
    uint64_t beaten : 1;   /* another line of the same key stands instead */
};

struct seen;
struct seen *seen_new(struct store *store);
void seen_free(struct seen *seen);

/* Entries are kept by class, org and shard: the hour of the event, or any
 * other number that spreads keys. */
struct seen_place {
    enum evidence_class class;
    struct text org;
    int64_t shard;
};

/*
 * The entries with FINGERPRINT, one call each: *ENTRY is null to begin with and
 * afterwards the one before; null again at the end. Fingerprints can collide,
 * so the caller compares what the entry's line says.
 */
MUST_USE enum err seen_next(struct seen *seen, const struct seen_place *place,
                            uint64_t fingerprint, struct seen_entry **entry);

/* Adds an entry; pointers from seen_next are void afterwards. */
MUST_USE enum err seen_add(struct seen *seen, const struct seen_place *place,
                           const struct seen_entry *entry);

/* To be called after changing an entry. */
MUST_USE enum err seen_changed(struct seen *seen,
                               const struct seen_place *place);

/* Writes what is new, in the open transaction; frees memory beyond its cap. */
MUST_USE enum err seen_flush(struct seen *seen);

/* Joins the chunks of all shards, in the open transaction; hours well behind
 * the newest event as cold ones. */
MUST_USE enum err seen_join(struct seen *seen);

/* Makes the hours of an organisation's day stand without the evidence, which is
 * about to go; in the open transaction. */
MUST_USE enum err seen_warm(struct store *store, struct text org, int64_t day);

/* Whether what is in memory should be written soon. */
bool seen_is_large(const struct seen *seen);

/* Forgets everything in memory, after a rollback. */
void seen_reset(struct seen *seen);

#endif

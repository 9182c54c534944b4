/*
 * capability_index.h: capability versions as attribution.c looks them up.
 * Private to this room.
 */
#ifndef ASSAY_ROLLUP_CAPABILITY_INDEX_H
#define ASSAY_ROLLUP_CAPABILITY_INDEX_H

#include "base/index.h"
#include "rollup/rollup.h"

/* One payload of one (address, uri), from its first sight in the loaded range
 * until the next payload's. */
struct capability_version {
    const struct capability_element *element;
    const struct capability_snapshot *snapshot; /* in which it was first seen */
    int64_t valid_from;
    int64_t valid_to; /* INT64_MAX where no later version was loaded */
};

/* In order of preference (§2.6 step 4). */
enum identity_type {
    IDENTITY_URI,
    IDENTITY_ADDRESS,
    IDENTITY_ALIAS,
    IDENTITY_TYPES
};

/* Numbers of versions that share one key, as a chain. */
struct version_chains {
    struct text_index keys;
    size_t *first; /* by key number: version + 1 */
    size_t *next;  /* by version: version + 1 */
};

struct capability_index {
    const struct lens *lens;
    struct text org;
    struct capability_version *versions;
    size_t version_count;
    struct version_chains chains[IDENTITY_TYPES];
};

/* capability_index_build (rollup.h) with the names that selections would give:
 * what they observed as an address or a URL. */
struct capability_index *
capability_index_of_names(struct arena *arena, const struct lens *lens,
                          struct text org,
                          const struct capability_snapshot *loaded,
                          size_t loaded_count, const struct text_index *names);
void capability_names_add(struct text_index *names, struct text address,
                          struct text url);

/* Its id, as MD5 in hex (§2.5). */
void capability_version_id(const struct capability_index *index,
                           const struct capability_version *version,
                           char id[MD5_HEX_BYTES]);

/* What INDEX leaves to times after all it was built of: of each (address, uri)
 * the last versions under each alias, as snapshots sorted by (ts, id) that hold
 * nothing else. */
struct capability_snapshot *
capability_carry(struct arena *arena, const struct capability_index *index,
                 size_t *count);

/* The first version under KEY as number + 1, 0 for none. */
size_t capability_first(const struct capability_index *index,
                        enum identity_type type, struct text key);

#endif

/*
 * found.h: the list under discovery_read, for the readers of this room.
 *
 * A reader gathers what one entry says in a struct discovered of its own, by
 * the functions here, and hands it over; the list copies what it keeps.
 */
#ifndef ASSAY_DISCOVER_FOUND_H
#define ASSAY_DISCOVER_FOUND_H

#include "discover/discover.h"

struct yyjson_val;

/* One answer that is being read. */
struct reading {
    struct discovery *found;
    enum discover_kind kind;
    struct arena arena; /* of the document, gone when it is read */
};

/* Notes that something was left out. */
void found_skip(struct reading *reading, enum discovery_skip skip);

/* The model of ENTRY, added where it is new; null, and counted, where it cannot
 * be. Texts are borrowed until found_add. */
struct discovered_model *found_model(struct reading *reading,
                                     struct discovered *entry,
                                     struct text pipeline,
                                     struct text model_id);

/* GPU works for MODEL (which may be null). An empty name is no GPU. */
void found_gpu(struct reading *reading, struct discovered_model *model,
               struct text gpu_id);

/* Adds to one of a model's counts, which may not have been told so far. */
void found_capacity(int64_t *count, int64_t more);

/* The entry is whole: URL is how its orchestrator is told. */
void found_add(struct reading *reading, struct discovered *entry,
               struct text url);

/* ---- the readers --------------------------------------------------------- */

/* Parted by commas, or by ends of lines where that is what KIND says. */
void read_lines(struct reading *reading, struct text bytes);

/* Webhook and endpoint: an array of {"address", ...}. */
MUST_USE enum err read_addresses(struct reading *reading,
                                 struct yyjson_val *root);

/* {"orchestrators": [{"orch_uri", ...}]} */
MUST_USE enum err read_network_capabilities(struct reading *reading,
                                            struct yyjson_val *root);

#endif

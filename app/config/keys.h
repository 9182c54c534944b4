/*
 * keys.h: the rows behind config.h, for this room and its tests alone.
 */
#ifndef ASSAY_CONFIG_KEYS_H
#define ASSAY_CONFIG_KEYS_H

#include "config/config.h"

extern const struct config_key config_keys[];
extern const size_t config_keys_count;

/* Position in the table of the option called PATH, or config_keys_count. */
size_t config_key_find(const char *path);

enum { CONFIG_REASON_BYTES = 400 };

/*
 * Reads TEXT as KEY's type into KEY's field of the struct at TARGET; what it
 * keeps lives in ARENA. False leaves the field alone and writes into REASON
 * what KEY takes and what was found.
 */
MUST_USE bool value_read(struct arena *arena, const struct config_key *key,
                         void *target, const char *text,
                         char reason[CONFIG_REASON_BYTES]);

/* The field as a person would write it; for a secret where it comes from. */
const char *value_show(struct arena *arena, const struct config_key *key,
                       const void *target);

/* "ASSAY_EVIDENCE_MAX_BYTES" for "evidence.max_bytes". */
const char *variable_name(struct arena *arena, const char *path);

/* Copies both texts into ARENA. */
void problem_add(struct arena *arena, struct config_problems *problems,
                 const char *where, const char *format, ...) PRINTF_LIKE(4, 5);

/* Sets option I from TEXT and remembers ORIGIN, or adds a problem. */
void config_set(struct config *config, size_t i, const char *text,
                struct config_origin origin);

/* "assay.yaml:3" for line 3. */
const char *place_of_line(struct arena *arena, const char *name, size_t line);

/* Calls SET for every field of TABLE that MAP gives a value; the rest as
 * config_table_read(). */
typedef void (*section_setter)(void *context, size_t i, const char *text,
                               size_t line);
void section_read(struct config_document *document,
                  const struct config_node *map,
                  const struct config_table *table, section_setter set,
                  void *context);

#endif

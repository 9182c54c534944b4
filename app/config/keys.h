/*
 * keys.h: the rows behind config.h, for this room and its tests alone.
 */
#ifndef ASSAY_CONFIG_KEYS_H
#define ASSAY_CONFIG_KEYS_H

#include "config/config.h"

enum config_type {
    CONFIG_TEXT,     /* const char *, may be empty */
    CONFIG_PATH,     /* const char *, not empty; from the working directory */
    CONFIG_INT,      /* int64_t, decimal */
    CONFIG_BOOL,     /* bool, "true" or "false" */
    CONFIG_CHOICE,   /* int, position among the words of .choices */
    CONFIG_DURATION, /* int64_t in ms, "250ms", "30s", "5m", "2h", "7d" */
    CONFIG_SIZE,     /* int64_t in bytes, "800", "10MB" (1000s), "10MiB" */
    CONFIG_ADDRESS,  /* struct config_address */
    CONFIG_SECRET    /* struct config_secret; the value is a file's path */
};

struct config_key {
    const char *path; /* "evidence.max_bytes" */
    enum config_type type;
    size_t offset;        /* of the field in its struct */
    const char *standard; /* the default, as it would be written */
    const char *choices;  /* CONFIG_CHOICE: "a|b|c" */
    const char *unit;     /* null where there is none */
    const char *help;     /* one sentence */
    int64_t least;        /* range of INT, DURATION and SIZE */
    int64_t most;
};

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

/* Appends what PATH holds to BYTES and stops once that is more than MOST bytes.
 * False with errno set where it cannot be read. */
MUST_USE bool file_read(const char *path, size_t most, struct buf *bytes);

/* "ASSAY_EVIDENCE_MAX_BYTES" for "evidence.max_bytes". */
const char *variable_name(struct arena *arena, const char *path);

void problem_add(struct config *config, struct config_problems *problems,
                 const char *where, const char *format, ...) PRINTF_LIKE(4, 5);

/* Sets option I from TEXT and remembers ORIGIN, or adds a problem. */
void config_set(struct config *config, size_t i, const char *text,
                struct config_origin origin);

/* "assay.yaml:3" for line 3. */
const char *place_of_line(struct arena *arena, const char *name, size_t line);

/* Sets what the YAML in BYTES sets, adding a problem for all that is wrong. */
void yaml_apply(struct config *config, const char *name, const char *bytes,
                size_t length);

#endif

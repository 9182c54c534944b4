/*
 * err.h: how every function in this program says that it failed.
 *
 * A function that can fail returns an enum err and marks itself MUST_USE. The
 * sentence for a person (what, where, what to do) is left in a buffer of the
 * calling thread by err_set() and read back with err_message(). Codes are few
 * on purpose: a code decides what a caller does next, the sentence explains.
 *
 * Turned down: errno-style globals without a code (callers forget to look) and
 * allocated error objects (they need an owner on every path).
 */
#ifndef ASSAY_BASE_ERR_H
#define ASSAY_BASE_ERR_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at)                                       \
    __attribute__((format(printf, format_at, first_at)))

enum err {
    ERR_NONE = 0,
    ERR_FINDING,  /* the work was done and found a difference or a defect */
    ERR_USAGE,    /* the command line is wrong */
    ERR_CONFIG,   /* a configuration value is wrong */
    ERR_INPUT,    /* bytes from outside are not what they must be */
    ERR_STORE,    /* the store cannot be read or written */
    ERR_LOCKED,   /* another process owns the store */
    ERR_NEWER,    /* the store was written by a later release */
    ERR_CORRUPT,  /* the store or its evidence contradicts itself */
    ERR_FULL,     /* no space left; nothing was acknowledged */
    ERR_NETWORK,  /* a socket could not be opened, read or written */
    ERR_ABSENT,   /* what was asked for does not exist */
    ERR_GONE,     /* it did, and is no longer kept */
    ERR_LARGE,    /* the answer would take more than is allowed */
    ERR_EVIDENCE, /* too little evidence for an answer */
    ERR_STOPPED   /* a signal or a caller asked to stop early */
};

/*
 * Remembers the sentence for this thread and returns CODE, so that a failure
 * is one line: return err_set(ERR_INPUT, "line %zu: ...", n). Sentences are
 * cut at 1,000 bytes.
 */
enum err err_set(enum err code, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts CONTEXT and ": " before the sentence already there; returns CODE. */
enum err err_wrap(enum err code, const char *format, ...) PRINTF_LIKE(2, 3);

/* The last sentence of this thread, "" if none. Valid until the next one. */
const char *err_message(void);

/* Documented process exit code: 0 ok, 1 finding, 2 usage or config, 3 store,
 * 4 network, 5 not enough evidence. */
int err_exit_code(enum err code);

#endif

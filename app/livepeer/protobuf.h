/*
 * protobuf.h: the wire format of protocol buffers, driven by tables.
 *
 * A message is a plain C struct and a table that says which field number lies
 * at which offset. Writing gives fields in the order of the table (which is
 * the order of their numbers) and leaves out zeros, empty texts and null
 * pointers, as proto3 does; so equal structs give equal bytes.
 *
 * Reading takes foreign bytes. Texts are borrowed from them, all else is
 * allocated in the arena. Unknown fields, and known ones of another wire type,
 * are passed over. How deep messages nest is bounded by the tables, which do
 * not recurse; how much memory is asked for by PROTOBUF_BYTES_MAX and
 * PROTOBUF_ITEMS_MAX. A message that stands twice where one belongs: the last
 * counts (the encoding's document would merge them; no peer writes two).
 *
 * Turned down: code generated from .proto files (a tool on every machine that
 * builds, and ten times the code), and one hand-written pair of functions a
 * message (that is what the tables replace).
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
#ifndef ASSAY_LIVEPEER_PROTOBUF_H
#define ASSAY_LIVEPEER_PROTOBUF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PROTOBUF_BYTES_MAX = 1 << 20, /* of one encoded message */
    PROTOBUF_ITEMS_MAX = 1 << 16  /* list elements and messages in it */
};

enum protobuf_kind {
    PROTOBUF_BOOL,         /* bool */
    PROTOBUF_INT32,        /* int32_t; negative ones take ten bytes */
    PROTOBUF_UINT32,       /* uint32_t */
    PROTOBUF_INT64,        /* int64_t */
    PROTOBUF_BYTES,        /* struct text, any bytes */
    PROTOBUF_STRING,       /* struct text, UTF-8 or the message is refused */
    PROTOBUF_MESSAGE,      /* pointer to a struct of TYPE; null for absent */
    PROTOBUF_EMBEDDED,     /* a struct of TYPE, written even where empty */
    PROTOBUF_UINT64_LIST,  /* pointer to uint64_t, and a size_t: packed */
    PROTOBUF_STRING_LIST,  /* pointer to struct text, and a size_t */
    PROTOBUF_MESSAGE_LIST, /* pointer to structs of TYPE, and a size_t; a map is
                           a list of entries {1: key, 2: value} */
};

struct message_type;

struct message_field {
    uint32_t number;
    enum protobuf_kind kind;
    bool always;         /* written even where zero: the key of a map entry */
    size_t offset;       /* of the member */
    size_t count_offset; /* lists only: of the size_t beside it */
    const struct message_type *type;
};

struct message_type {
    const char *name; /* as the protocol spells it, for errors */
    size_t bytes;     /* sizeof the struct */
    const struct message_field *fields; /* by number */
    size_t field_count;
};

void protobuf_encode(struct buf *out, const struct message_type *type,
                     const void *message);

/* Fills all of MESSAGE. ERR_INPUT says which message is wrong, and how. */
MUST_USE enum err protobuf_decode(struct arena *arena, struct text bytes,
                                  const struct message_type *type,
                                  void *message);

#endif

/*
 * grpc.h: a unary call of gRPC as HTTP/2 carries it (livepeer-protocols.md
 * §2.1): one message behind five bytes, and an outcome in the trailers.
 */
#ifndef ASSAY_SIM_GRPC_H
#define ASSAY_SIM_GRPC_H

#include "wire/wire.h"

enum { GRPC_MESSAGE_MAX_BYTES = 64 << 10 };

/* Codes of gRPC that are used here. */
enum grpc_status { GRPC_OK = 0, GRPC_UNKNOWN = 2, GRPC_UNIMPLEMENTED = 12 };

/* Whether EXCHANGE is a call of gRPC rather than a request over HTTP. */
bool grpc_is_call(const struct exchange *exchange);

/* The one message in a call's BODY; false where it is anything else. */
MUST_USE bool grpc_unwrap(struct text body, struct text *message);

void grpc_reply(struct exchange *exchange, struct text message);

/* SENTENCE is percent-encoded on the way. */
void grpc_refuse(struct exchange *exchange, enum grpc_status status,
                 const char *sentence);

#endif

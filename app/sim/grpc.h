/*
 * grpc.h: the server's side of a unary call of gRPC; the client's, and what
 * both share, is wire/grpc.h.
 */
#ifndef ASSAY_SIM_GRPC_H
#define ASSAY_SIM_GRPC_H

#include "wire/wire.h"

enum { GRPC_MESSAGE_MAX_BYTES = 64 << 10 };

/* Whether EXCHANGE is a call of gRPC rather than a request over HTTP. */
bool grpc_is_call(const struct exchange *exchange);

void grpc_reply(struct exchange *exchange, struct text message);

/* SENTENCE is percent-encoded on the way. */
void grpc_refuse(struct exchange *exchange, enum grpc_status status,
                 const char *sentence);

#endif

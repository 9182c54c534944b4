/*
 * grpc.h: a unary call (livepeer-protocols.md §2.1).
 *
 * One message there and one back over HTTP/2, each framed by five bytes: 0 for
 * "not compressed", then its length as 32 bits, big-endian. The status stands
 * in the trailers, or, where there is no message, in the headers.
 *
 * On the loop's thread.
 */
#ifndef ASSAY_WIRE_GRPC_H
#define ASSAY_WIRE_GRPC_H

#include "wire/http.h"

struct grpc_call;

/* Those that are spoken of here; others come as their numbers. */
enum grpc_status {
    GRPC_NO_STATUS = -1, /* no whole answer, or none of gRPC */
    GRPC_OK = 0,
    GRPC_UNKNOWN = 2,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_UNIMPLEMENTED = 12
};

enum { GRPC_TEXT_BYTES = 256, GRPC_ANSWER_MAX_BYTES = 1 << 20 };

struct grpc_answer {
    int status;          /* 0 to 16, or GRPC_NO_STATUS */
    struct text message; /* where GRPC_OK; valid during on_done */
    /* What the other side says about its status; or what is wrong where there
     * is none. */
    char text[GRPC_TEXT_BYTES];
    const struct http_answer *http; /* times, key, and its outcome */
};

struct grpc_request {
    const char *origin; /* "https://host:port" */
    const char *path;   /* "/net.Orchestrator/GetOrchestrator" */
    struct text message;
    int64_t limit_us;
    bool fresh; /* as in http.h */
    bool last;
    void *context;
    void (*on_done)(void *context, const struct grpc_answer *answer);
};

struct grpc_call *grpc_start(struct http_client *client,
                             const struct grpc_request *request);
/* Ends it without on_done. */
void grpc_cancel(struct grpc_call *call);

/* ---- for the server's side and the tests; pure --------------------------- */

/* The one message in a call's BODY; false where it is anything else. */
MUST_USE bool grpc_unwrap(struct text body, struct text *message);

/* Undoes the percent-encoding of a grpc-message; cut to what TEXT holds. */
void grpc_decode_text(struct text encoded, char text[GRPC_TEXT_BYTES]);

#endif

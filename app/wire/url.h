/*
 * url.h: addresses of the web as strangers write them.
 *
 * Read by libcurl's own parser, so that what is judged here is what libcurl
 * connects to: hex, octal and short forms of IPv4 come out as four decimals.
 * Only http and https; no credentials (they would stand in logs and evidence),
 * no zones of IPv6, no byte outside of printable ASCII. Fragments are dropped.
 *
 * Pure: any thread.
 */
#ifndef ASSAY_WIRE_URL_H
#define ASSAY_WIRE_URL_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { URL_BYTES_MAX = 8192 };

struct url {
    char *text;      /* normalised, without fragment */
    char *origin;    /* "https://host:8935", the port always there */
    char *host;      /* lower case, no trailing dot; IPv6 without brackets */
    uint16_t port;   /* the scheme's own where none is written */
    bool secure;     /* https */
    bool is_numeric; /* the host is an address, not a name */
};

/* ERR_INPUT says what is wrong with TEXT. The parts live in ARENA. */
MUST_USE enum err url_parse(struct arena *arena, const char *text,
                            struct url *url);

/*
 * The same for TEXT that may lack its beginning, as the URLs that
 * orchestrators answer with may: relative to BASE then (RFC 3986 §5).
 */
MUST_USE enum err url_join(struct arena *arena, const struct url *base,
                           const char *text, struct url *url);

/*
 * How gateways read an orchestrator's address: "https://" comes before what
 * does not begin with "http", and 8935 is the port of what names none and has
 * no scheme.
 */
MUST_USE enum err url_of_orchestrator(struct arena *arena, const char *text,
                                      struct url *url);

#endif

/*
 * headers.h: what stands in the head of every answer, refusals of the lobby
 * included. Private to the API.
 */
#ifndef ASSAY_API_HEADERS_H
#define ASSAY_API_HEADERS_H

/* The page needs its own files and nothing else; no other page may frame it.
 */
#define SAFE_HEADERS                                                           \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "         \
    "style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "  \
    "form-action 'none'; frame-ancestors 'none'\r\n"                           \
    "X-Content-Type-Options: nosniff\r\n"                                      \
    "X-Frame-Options: DENY\r\n"                                                \
    "Referrer-Policy: no-referrer\r\n"                                         \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                            \
    "Cross-Origin-Opener-Policy: same-origin\r\n"

/* Where pages of any origin may read an answer; scripts there see of its
 * headers only what is named (Fetch standard, CORS-safelisted response-header
 * names), and need these for pages, pins and coming again. */
#define HEADERS_FOR_EVERYBODY                                                  \
    "Access-Control-Allow-Origin: *\r\n"                                       \
    "Access-Control-Expose-Headers: ETag, Link, Content-Location, "            \
    "Retry-After, Assay-Simulated\r\n"

#endif

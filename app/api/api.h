/*
 * api.h: the HTTP server: the JSON routes under /v1/ and the page in web/.
 *
 * Each of civetweb's workers owns one read-only connection to the store, so
 * that no reader waits for the writer. What a request changes is handed to the
 * writer's thread, and the request is answered when that is durable.
 *
 * Who may ask is decided in one place (gate.c: host, origin, token), what may
 * be asked in one table (routes.c: path, method, scope and parameters).
 */
#ifndef ASSAY_API_API_H
#define ASSAY_API_API_H

#include "base/err.h"
#include "config/config.h"
#include "ingest/ingest.h"
#include "store/store.h"

struct api;

/* Who may ask. Nobody may ask what has no scope: a row that forgot it. */
enum scope { SCOPE_NOBODY, SCOPE_OPEN, SCOPE_READ, SCOPE_INGEST, SCOPE_ADMIN };

/*
 * ERR_CONFIG where the address in CONFIG lies beyond loopback, is not declared
 * readable by everybody, and the store has no token by which anybody could
 * read. Makes no store.
 */
MUST_USE enum err api_may_listen(const struct config *config);

/*
 * Listens at config->listen and serves the store in DIRECTORY, which must
 * exist, from threads of its own. What requests bring goes to WRITER. It and
 * CONFIG must outlive the server. ERR_NETWORK where the address cannot be had.
 */
MUST_USE enum err api_start(struct api **api, const struct config *config,
                            const char *directory, struct writer *writer);

/* "http://127.0.0.1:8080/", with the port that was really taken. */
const char *api_url(const struct api *api);

/* Takes no more requests, lets running ones finish, frees. */
void api_stop(struct api *api);

/* ---- tokens ---------------------------------------------------------- */

/* "assay_ID_SECRET": what a caller sends as "Authorization: Bearer ...". Only
 * its hash is kept. */
enum { TOKEN_ID_BYTES = 16, TOKEN_TEXT_BYTES = 80, TOKEN_ORG_BYTES_MAX = 100 };

struct token {
    char id[TOKEN_ID_BYTES]; /* no secret; names the token to people */
    enum scope scope;        /* READ, INGEST or ADMIN */
    struct text org; /* of all that comes in by it; "" leaves it to the lines */
    int64_t created_ms;
    int64_t revoked_ms; /* INT64_MIN while it is good */
};

/* "read", "ingest", "admin" as a scope; SCOPE_NOBODY for any other word. */
enum scope scope_named(const char *word);
const char *scope_name(enum scope scope);

/* Makes a token and TEXT, which is told nobody ever again. ERR_INPUT where ORG
 * is no name of an organisation. */
MUST_USE enum err token_create(struct store *store, enum scope scope,
                               struct text org, struct token *token,
                               char text[TOKEN_TEXT_BYTES]);
/* From the next request on. ERR_ABSENT where there is no such token, ERR_INPUT
 * where it was revoked before. */
MUST_USE enum err token_revoke(struct store *store, struct text id);
/* Oldest first, revoked ones included; TOKEN is borrowed for the call. */
MUST_USE enum err token_each(struct store *store,
                             void (*visit)(void *context,
                                           const struct token *token),
                             void *context);

#endif

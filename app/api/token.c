/*
 * token.c: bearer tokens: "assay_", an id, "_", a secret.
 *
 * The secret is 32 bytes from the kernel. Against guessing that is enough by
 * itself, so one SHA-256 hides it as well as a slow hash would, and checking
 * costs nothing. The id finds the row; hashes are compared in constant time.
 * Workers look it up for each request, so that a revoked token is dead with
 * the next one.
 */
#include "api/api_int.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/utf8.h"

#include <string.h>
#include <strings.h>

static const char prefix[] = "assay_";

enum { ID_RANDOM_BYTES = 6, SECRET_BYTES = 32 };

static const char *const scope_names[] = {
    [SCOPE_NOBODY] = "nobody", [SCOPE_OPEN] = "everybody",
    [SCOPE_READ] = "read",     [SCOPE_INGEST] = "ingest",
    [SCOPE_ADMIN] = "admin",
};

const char *scope_name(enum scope scope)
{
    return scope_names[scope];
}

enum scope scope_named(const char *word)
{
    for (int scope = SCOPE_READ; scope <= SCOPE_ADMIN; scope++)
        if (strcmp(word, scope_names[scope]) == 0)
            return (enum scope)scope;
    return SCOPE_NOBODY;
}

/* ---- making -------------------------------------------------------------- */

static bool is_org(struct text org)
{
    if (org.length > TOKEN_ORG_BYTES_MAX)
        return false;
    for (size_t i = 0; i < org.length; i++)
        if ((unsigned char)org.data[i] <= ' ' || org.data[i] == 0x7f)
            return false;
    return text_is_utf8(org);
}

static void make_text(struct token *token, char text[TOKEN_TEXT_BYTES])
{
    uint8_t id[ID_RANDOM_BYTES];
    uint8_t secret[SECRET_BYTES];
    struct buf out = {0};
    random_bytes(id, sizeof id);
    random_bytes(secret, sizeof secret);
    hash_hex(id, sizeof id, token->id);
    buf_printf(&out, "%s%s_", prefix, token->id);
    base64url_encode(&out, (struct text){(char *)secret, sizeof secret});
    memcpy(text, buf_string(&out), out.length + 1);
    memset(out.data, 0, out.length);
    memset(secret, 0, sizeof secret);
    buf_free(&out);
}

static enum err add(struct store *store, const struct token *token,
                    const uint8_t hash[SHA256_BYTES])
{
    enum err err = store_begin(store);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_TOKEN_ADD);
    query_bind_string(query, 1, token->id);
    query_bind_string(query, 2, scope_name(token->scope));
    query_bind_text(query, 3, token->org);
    query_bind_blob(query, 4, hash, SHA256_BYTES);
    query_bind_int(query, 5, token->created_ms);
    err = query_run(query);
    if (!err)
        return store_commit(store);
    store_rollback(store);
    return err;
}

enum err token_create(struct store *store, enum scope scope, struct text org,
                      struct token *token, char text[TOKEN_TEXT_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    if (!is_org(org))
        return err_set(ERR_INPUT,
                       "the name of an organisation has no blanks and at most "
                       "%d bytes",
                       TOKEN_ORG_BYTES_MAX);
    *token = (struct token){.scope = scope,
                            .org = org,
                            .created_ms = clock_wall_ms(),
                            .revoked_ms = INT64_MIN};
    make_text(token, text);
    hash_sha256(text, strlen(text), hash);
    return add(store, token, hash);
}

/* ---- revoking and listing ------------------------------------------------ */

static enum err is_good(struct store *store, struct text id)
{
    bool row;
    struct query *query = query_start(store, QUERY_TOKEN_KNOWN);
    query_bind_text(query, 1, id);
    enum err err = query_step(query, &row);
    if (err)
        return err;
    if (!row)
        return err_set(ERR_ABSENT, "there is no token %.*s", (int)id.length,
                       id.data);
    bool revoked = !query_is_null(query, 0);
    err = query_run(query);
    if (err || !revoked)
        return err;
    return err_set(ERR_INPUT, "token %.*s has been revoked before",
                   (int)id.length, id.data);
}

enum err token_revoke(struct store *store, struct text id)
{
    enum err err = is_good(store, id);
    if (!err)
        err = store_begin(store);
    if (err)
        return err;
    struct query *query = query_start(store, QUERY_TOKEN_REVOKE);
    query_bind_text(query, 1, id);
    query_bind_int(query, 2, clock_wall_ms());
    err = query_run(query);
    if (!err)
        return store_commit(store);
    store_rollback(store);
    return err;
}

/* The scope of a row that somebody else may have written is not trusted. */
static void read_common(struct query *query, struct arena *arena,
                        struct token *token)
{
    struct text id = query_copy(arena, query, 0);
    struct text scope = query_copy(arena, query, 1);
    size_t length = id.length < TOKEN_ID_BYTES ? id.length : TOKEN_ID_BYTES - 1;
    *token = (struct token){.scope = scope_named(scope.data),
                            .org = query_copy(arena, query, 2)};
    memcpy(token->id, id.data, length);
}

enum err token_each(struct store *store,
                    void (*visit)(void *context, const struct token *token),
                    void *context)
{
    struct arena arena = {0};
    struct query *query = query_start(store, QUERY_TOKEN_LIST);
    bool row;
    enum err err;
    while (!(err = query_step(query, &row)) && row) {
        struct token token;
        read_common(query, &arena, &token);
        token.created_ms = query_int(query, 3);
        token.revoked_ms =
            query_is_null(query, 4) ? INT64_MIN : query_int(query, 4);
        visit(context, &token);
        arena_clear(&arena);
    }
    arena_free(&arena);
    return err;
}

enum err token_any(struct store *store, bool *any)
{
    bool row;
    struct query *query = query_start(store, QUERY_TOKEN_ANY);
    enum err err = query_step(query, &row);
    *any = !err && row && query_int(query, 0);
    return err ? err : query_run(query);
}

/* ---- checking ------------------------------------------------------------ */

/* Takes as long for every pair. */
static bool same_hash(const uint8_t *a, const uint8_t *b)
{
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < SHA256_BYTES; i++)
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

struct text token_of_header(const char *header)
{
    static const char scheme[] = "bearer ";
    enum { SCHEME_BYTES = sizeof scheme - 1 };
    struct text none = {0};
    if (!header || strncasecmp(header, scheme, SCHEME_BYTES) != 0)
        return none;
    header += SCHEME_BYTES;
    header += strspn(header, " ");
    struct text text = {header, strcspn(header, " ")};
    return header[text.length] || text.length >= TOKEN_TEXT_BYTES ? none : text;
}

static struct text id_of(struct text text)
{
    enum { PREFIX_BYTES = sizeof prefix - 1 };
    struct text none = {0};
    if (text.length <= PREFIX_BYTES ||
        memcmp(text.data, prefix, PREFIX_BYTES) != 0)
        return none;
    const char *id = text.data + PREFIX_BYTES;
    size_t left = text.length - PREFIX_BYTES;
    const char *end = memchr(id, '_', left);
    return end ? (struct text){id, (size_t)(end - id)} : none;
}

enum err token_find(struct store *store, struct arena *arena, struct text text,
                    const struct token **found)
{
    uint8_t hash[SHA256_BYTES];
    bool row;
    *found = NULL;
    struct text id = id_of(text);
    if (!id.data)
        return ERR_NONE;
    struct query *query = query_start(store, QUERY_TOKEN_FIND);
    query_bind_text(query, 1, id);
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    hash_sha256(text.data, text.length, hash);
    struct text kept = query_text(query, 3);
    if (kept.length == SHA256_BYTES &&
        same_hash((const uint8_t *)kept.data, hash)) {
        struct token *token = arena_alloc(arena, sizeof *token);
        read_common(query, arena, token);
        *found = token;
    }
    return query_run(query);
}

/*
 * tokens.c: GET, POST and DELETE of /v1/tokens, for whoever administers a
 * running server: the command `assay token` needs the store for itself.
 */
#include "api/api_int.h"

enum { BODY_BYTES_MAX = 4096 };

static void add_token(struct json_writer *writer, const struct token *token)
{
    json_key(writer, "id");
    json_string(writer, token->id);
    json_key(writer, "scope");
    json_string(writer, scope_name(token->scope));
    json_key(writer, "org");
    json_text(writer, token->org);
    json_key(writer, "created_at");
    json_time(writer, token->created_ms);
    json_key(writer, "revoked_at");
    json_time(writer,
              token->revoked_ms == INT64_MIN ? ABSENT_INT : token->revoked_ms);
}

static void add_row(void *context, const struct token *token)
{
    struct json_writer *writer = context;
    json_begin(writer, '{');
    add_token(writer, token);
    json_end(writer, '}');
}

enum err answer_tokens(struct request *request, struct reply *reply)
{
    struct json_writer writer = reply_json(reply);
    reply->cache_control = "no-store";
    json_begin(&writer, '{');
    json_key(&writer, "data");
    json_begin(&writer, '[');
    enum err err = token_each(request->store, add_row, &writer);
    json_end(&writer, ']');
    json_end(&writer, '}');
    return err;
}

/* ---- a new one ----------------------------------------------------------- */

/* What the writer's thread is asked for, and what it made. */
struct creation {
    enum scope scope;
    struct text org;
    struct token token;
    char text[TOKEN_TEXT_BYTES];
};

static enum err create(void *context, struct store *store)
{
    struct creation *creation = context;
    return token_create(store, creation->scope, creation->org, &creation->token,
                        creation->text);
}

static enum err read_wish(struct request *request, struct creation *creation)
{
    struct text body;
    enum err err =
        body_read(request->body, request->arena, BODY_BYTES_MAX, &body);
    if (err)
        return err;
    struct yyjson_val *root =
        json_parse(request->arena, body.data, body.length);
    struct yyjson_val *scope = json_get(root, "scope");
    struct yyjson_val *org = json_get(root, "org");
    struct text word = json_to_text(request->arena, scope);
    creation->scope =
        scope_named(arena_text(request->arena, word.data, word.length));
    creation->org = json_to_text(request->arena, org);
    size_t known = (scope ? 1U : 0U) + (org ? 1U : 0U);
    /* A misspelt org would make a token that speaks for everybody. */
    if (json_count(root) != known || !json_is_string(scope) ||
        creation->scope == SCOPE_NOBODY ||
        (!json_is_null(org) && !json_is_string(org)))
        return err_set(ERR_INPUT,
                       "the body must be an object like {\"scope\": "
                       "\"ingest\", \"org\": \"acme\"}; a scope is read, "
                       "ingest or admin, and org may be left out");
    return ERR_NONE;
}

enum err answer_token_new(struct request *request, struct reply *reply)
{
    struct creation creation = {0};
    enum err err = read_wish(request, &creation);
    if (!err)
        err = writer_call(request->writer, create, &creation);
    if (err)
        return err;
    struct json_writer writer = reply_json(reply);
    reply->status = 201;
    reply->cache_control = "no-store";
    json_begin(&writer, '{');
    json_key(&writer, "token");
    json_string(&writer, creation.text);
    add_token(&writer, &creation.token);
    json_end(&writer, '}');
    return ERR_NONE;
}

/* ---- the end of one ------------------------------------------------------ */

static enum err revoke(void *context, struct store *store)
{
    const struct text *id = context;
    return token_revoke(store, *id);
}

enum err answer_token_end(struct request *request, struct reply *reply)
{
    struct text id = request->argument;
    enum err err = writer_call(request->writer, revoke, &id);
    if (err)
        return err;
    struct json_writer writer = reply_json(reply);
    reply->cache_control = "no-store";
    json_begin(&writer, '{');
    json_key(&writer, "revoked");
    json_text(&writer, id);
    json_end(&writer, '}');
    return ERR_NONE;
}

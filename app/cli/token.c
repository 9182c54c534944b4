/*
 * token.c: `assay token create`, `list` and `revoke`.
 *
 * Tokens lie in the store, so a running server holds them; it is asked over
 * HTTP then, and these commands say how.
 */
#include "api/api.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/table.h"

#include <stdio.h>

static const struct option options[] = {
    {.name = "--scope",
     .value = "read|ingest|admin",
     .type = OPTION_CHOICE,
     .only = "create",
     .help = "what its owner may do; admin may do everything"},
    {.name = "--org",
     .value = "NAME",
     .type = OPTION_TEXT,
     .only = "create",
     .help = "organisation of all events that come in by it, whatever their "
             "lines say"},
    {0}};

static const struct example examples[] = {
    {"assay token create --scope ingest --org acme",
     "a token for the gateways of acme"},
    {"assay token list", "who may do what"},
    {"assay token revoke 4f1c2a9b03d7", "end it"},
    {0}};

/* Beside a running server the store cannot be had; an admin can ask it. */
static enum err open_for_writing(struct invocation *invocation,
                                 struct store **store, const char *request)
{
    enum err err = store_open(store, invocation->config->data, STORE_WRITE);
    if (err != ERR_LOCKED)
        return err;
    char sentence[600];
    snprintf(sentence, sizeof sentence, "%s", err_message());
    return err_set(ERR_LOCKED, "%s; or ask it, with an admin token: %s",
                   sentence, request);
}

static enum err run_create(struct invocation *invocation)
{
    const char *word = option_text(invocation, "--scope");
    const char *org = option_text(invocation, "--org");
    if (!word)
        return err_set(ERR_USAGE, "say what the token is for: --scope read, "
                                  "ingest or admin");
    struct store *store;
    struct token token;
    char text[TOKEN_TEXT_BYTES];
    enum err err = open_for_writing(invocation, &store,
                                    "POST /v1/tokens with {\"scope\": ...}");
    if (err)
        return err;
    err = token_create(store, scope_named(word), text_of(org ? org : ""),
                       &token, text);
    store_close(store);
    if (err)
        return err == ERR_INPUT ? err_wrap(ERR_USAGE, "--org") : err;
    if (!invocation->quiet)
        fprintf(stderr,
                "token %s, scope %s; it is shown this once, keep it like a "
                "password\n",
                token.id, word);
    printf("%s\n", text);
    return ERR_NONE;
}

/* ---- list ---------------------------------------------------------------- */

struct listing {
    struct table *table;
    enum err err;
};

static void add_time(struct table *table, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    if (ms == INT64_MIN)
        table_null(table);
    else
        table_text(table, text_of(clock_text_ms(ms, text)));
}

static void add_row(void *context, const struct token *token)
{
    struct listing *listing = context;
    if (listing->err)
        return;
    table_text(listing->table, text_of(token->id));
    table_text(listing->table, text_of(scope_name(token->scope)));
    table_text(listing->table, token->org);
    add_time(listing->table, token->created_ms);
    add_time(listing->table, token->revoked_ms);
    listing->err = table_end_row(listing->table);
}

static enum err run_list(struct invocation *invocation)
{
    static const struct column columns[] = {{"id", COLUMN_TEXT},
                                            {"scope", COLUMN_TEXT},
                                            {"org", COLUMN_TEXT},
                                            {"created_at", COLUMN_TEXT},
                                            {"revoked_at", COLUMN_TEXT}};
    struct store *store;
    enum err err = store_open(&store, invocation->config->data, STORE_READ);
    if (err)
        return err;
    struct listing listing = {
        .table =
            table_open(stdout, invocation->json ? TABLE_NDJSON : TABLE_ALIGNED,
                       columns, 5)};
    err = token_each(store, add_row, &listing);
    enum err closed = table_close(listing.table);
    store_close(store);
    if (err || listing.err)
        return err ? err : listing.err;
    return closed;
}

static enum err run_revoke(struct invocation *invocation)
{
    struct store *store;
    enum err err = open_for_writing(invocation, &store, "DELETE /v1/tokens/ID");
    if (err)
        return err;
    err = token_revoke(store, text_of(invocation->arguments[0]));
    store_close(store);
    return err;
}

static const struct verb verbs[] = {
    {.name = "create",
     .arguments = "",
     .summary = "make a token and print it, this once, as the last line",
     .run = run_create},
    {.name = "list",
     .arguments = "",
     .summary = "print all tokens without their secrets",
     .run = run_list},
    {.name = "revoke",
     .arguments = "ID",
     .summary = "end a token; a server refuses it from the next request on",
     .least = 1,
     .most = 1,
     .run = run_revoke},
    {0}};

const struct command command_token = {
    .name = "token",
    .summary = "say who may do what over the network",
    .about =
        "A token goes with a request as \"Authorization: Bearer TOKEN\". What "
        "changes something needs one, on this machine, too; reading needs one "
        "where the server listens beyond loopback without public_read. Only a "
        "hash of a token is kept, so a lost one is replaced, not found.\n\n"
        "A running server holds the store: create and revoke name its process "
        "then. It does the same for a caller with an admin token, at GET and "
        "POST /v1/tokens and DELETE /v1/tokens/ID.",
    .verbs = verbs,
    .options = options,
    .examples = examples,
    .prints_json = true,
};

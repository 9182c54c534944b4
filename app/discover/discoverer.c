/*
 * discoverer.c: sources that are asked again (see discover.h).
 *
 * Each source keeps its own last good list, so that one that fails takes
 * nothing away from the others, and not what it told before. The lists are
 * joined when somebody wants to see them, in the order of the sources.
 */
#include "base/file.h"
#include "discover/discover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    US_PER_SECOND = 1000000,
    SHOWN_BYTES = 100 /* of an answer that is no list */
};

struct source {
    struct discoverer *discoverer;
    struct discover_source given;
    struct http_exchange *exchange; /* null while it is not asked */
    bool asked;
    int64_t asked_us; /* the last time */
    struct discovery list;
    char problem[DISCOVER_PROBLEM_BYTES];
};

struct discoverer {
    struct arena arena;
    struct discover_clients clients;
    struct source *sources;
    size_t count;
    size_t running; /* sources whose answer is awaited, and the refresh */
    discover_done *on_done;
    void *context;
};

/* ---- answers ------------------------------------------------------------- */

static void take(struct source *source, struct text bytes)
{
    struct discovery list = {0};
    if (discovery_read(&list, source->given.kind, bytes)) {
        snprintf(source->problem, sizeof source->problem, "%s", err_message());
        discovery_free(&list);
        return;
    }
    discovery_free(&source->list);
    source->list = list;
    source->problem[0] = '\0';
}

/* What a server said that is not an answer, without bytes that are no text. */
static void tell_refusal(struct source *source,
                         const struct http_answer *answer)
{
    char shown[SHOWN_BYTES + 1];
    size_t length =
        answer->body.length < SHOWN_BYTES ? answer->body.length : SHOWN_BYTES;
    for (size_t i = 0; i < length; i++) {
        char byte = answer->body.data[i];
        shown[i] = byte >= ' ' && byte <= '~' ? byte : ' ';
    }
    while (length && shown[length - 1] == ' ')
        length--;
    shown[length] = '\0';
    snprintf(source->problem, sizeof source->problem, "HTTP status %d%s%s",
             answer->status, *shown ? ": " : "", shown);
}

static void finish_one(struct discoverer *discoverer)
{
    if (--discoverer->running == 0)
        discoverer->on_done(discoverer->context, discoverer);
}

static void on_answer(void *context, const struct http_answer *answer)
{
    struct source *source = context;
    source->exchange = NULL;
    if (answer->outcome != HTTP_ANSWERED)
        snprintf(source->problem, sizeof source->problem, "%s",
                 *answer->detail ? answer->detail
                                 : http_outcome_name(answer->outcome));
    else if (answer->status / 100 != 2)
        tell_refusal(source, answer);
    else
        take(source, answer->body);
    finish_one(source->discoverer);
}

/* ---- asking -------------------------------------------------------------- */

static void read_file(struct source *source)
{
    struct buf bytes = {0};
    if (file_read(source->given.place, DISCOVERY_BYTES_MAX, &bytes))
        take(source, (struct text){bytes.data, bytes.length});
    else
        snprintf(source->problem, sizeof source->problem, "%s",
                 strerror(errno));
    buf_free(&bytes);
}

static void fetch(struct source *source)
{
    const struct discover_clients *clients = &source->discoverer->clients;
    bool webhook = source->given.kind == DISCOVER_WEBHOOK;
    bool endpoint = source->given.kind == DISCOVER_ENDPOINT;
    struct http_request request = {
        .method = "GET",
        .url = source->given.place,
        .limit_us =
            (webhook ? DISCOVER_WEBHOOK_S : DISCOVER_ANSWER_S) * US_PER_SECOND,
        .body_bytes = DISCOVERY_BYTES_MAX,
        .context = source,
        .on_done = on_answer};
    source->discoverer->running++;
    source->exchange = http_start(
        endpoint ? clients->unverified : clients->verified, &request);
}

static bool is_due(const struct source *source, int64_t now_us)
{
    return !source->asked || now_us - source->asked_us >=
                                 (int64_t)DISCOVER_REFRESH_S * US_PER_SECOND;
}

static void ask(struct source *source)
{
    if (source->given.kind == DISCOVER_LIST)
        take(source, text_of(source->given.place));
    else if (source->given.kind == DISCOVER_FILE)
        read_file(source);
    else
        fetch(source);
}

void discoverer_refresh(struct discoverer *discoverer, int64_t now_us,
                        discover_done *on_done, void *context)
{
    discoverer->on_done = on_done;
    discoverer->context = context;
    if (discoverer->running)
        return;
    discoverer->running = 1;
    for (size_t i = 0; i < discoverer->count; i++) {
        struct source *source = &discoverer->sources[i];
        if (!is_due(source, now_us))
            continue;
        source->asked = true;
        source->asked_us = now_us;
        ask(source);
    }
    finish_one(discoverer);
}

/* ---- the discoverer ------------------------------------------------------ */

struct discoverer *discoverer_open(const struct discover_clients *clients,
                                   const struct discover_source *sources,
                                   size_t count)
{
    struct discoverer *discoverer = memory_zeroed(1, sizeof *discoverer);
    struct arena *arena = &discoverer->arena;
    discoverer->clients = *clients;
    discoverer->count = count;
    discoverer->sources =
        arena_array(arena, count, sizeof *discoverer->sources);
    for (size_t i = 0; i < count; i++) {
        const char *place = sources[i].place;
        discoverer->sources[i].discoverer = discoverer;
        discoverer->sources[i].given = (struct discover_source){
            sources[i].kind, arena_text(arena, place, strlen(place))};
    }
    return discoverer;
}

void discoverer_close(struct discoverer *discoverer)
{
    if (!discoverer)
        return;
    for (size_t i = 0; i < discoverer->count; i++) {
        if (discoverer->sources[i].exchange)
            http_cancel(discoverer->sources[i].exchange);
        discovery_free(&discoverer->sources[i].list);
    }
    arena_free(&discoverer->arena);
    free(discoverer);
}

const struct discovery *discoverer_list(const struct discoverer *discoverer,
                                        size_t i)
{
    return &discoverer->sources[i].list;
}

const char *discoverer_problem(const struct discoverer *discoverer, size_t i)
{
    return discoverer->sources[i].problem;
}

void discoverer_join(const struct discoverer *discoverer,
                     struct discovery *found)
{
    for (size_t i = 0; i < discoverer->count; i++)
        discovery_join(found, &discoverer->sources[i].list);
}

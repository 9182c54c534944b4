/*
 * asker.c: see asker.h.
 */
#include "asker.h"

#include "harness.h"

static void open_client(void *context)
{
    struct asker *asker = context;
    asker->settings.policy = &asker->policy;
    REQUIRE_OK(http_client_open(&asker->client, asker->loop, &asker->settings));
}

static void close_client(void *context)
{
    struct asker *asker = context;
    http_client_close(asker->client);
    asker->client = NULL;
}

void asker_open(struct asker *asker)
{
    pthread_mutex_init(&asker->mutex, NULL);
    pthread_cond_init(&asker->changed, NULL);
    if (!asker->forbids_loopback)
        REQUIRE_OK(address_allow(&asker->policy, "127.0.0.0/8"));
    REQUIRE_OK(loop_start(&asker->loop));
    loop_call(asker->loop, open_client, asker);
}

void asker_close_client(struct asker *asker)
{
    loop_call(asker->loop, close_client, asker);
}

void asker_close(struct asker *asker)
{
    asker_close_client(asker);
    loop_stop(asker->loop);
    buf_free(&asker->body);
    buf_free(&asker->headers);
}

static void on_header(void *context, struct text name, struct text value)
{
    struct asker *asker = context;
    buf_printf(&asker->headers, "%.*s=%.*s\n", (int)name.length, name.data,
               (int)value.length, value.data);
}

static void on_done(void *context, const struct http_answer *answer)
{
    struct asker *asker = context;
    pthread_mutex_lock(&asker->mutex);
    buf_add(&asker->body, answer->body.data, answer->body.length);
    asker->answer = *answer;
    asker->answer.body = (struct text){0};
    asker->done = true;
    pthread_cond_signal(&asker->changed);
    pthread_mutex_unlock(&asker->mutex);
}

static void start(void *context)
{
    struct asker *asker = context;
    asker->exchange = http_start(asker->client, &asker->request);
}

void asker_start(struct asker *asker)
{
    asker->request.context = asker;
    asker->request.on_done = on_done;
    asker->request.on_header = on_header;
    asker->done = false;
    buf_clear(&asker->body);
    buf_clear(&asker->headers);
    loop_call(asker->loop, start, asker);
}

const struct http_answer *asker_wait(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    while (!asker->done)
        pthread_cond_wait(&asker->changed, &asker->mutex);
    pthread_mutex_unlock(&asker->mutex);
    return &asker->answer;
}

const struct http_answer *asker_ask(struct asker *asker)
{
    asker_start(asker);
    return asker_wait(asker);
}

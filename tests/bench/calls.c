/*
 * calls.c: what GetOrchestrator costs us on a connection that stands, in
 * processor time.
 *
 *     calls ORIGIN COUNT
 *
 * Asks ORIGIN, which is on this machine, COUNT times, one after another, over
 * one connection, and reads every answer. Prints one object.
 */
#include "livepeer/livepeer.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LIMIT_US = 5000000, WARM_UP = 10 };

struct asking {
    const char *origin;
    long wanted;
    long answered; /* in the calls that count */
    double began;
    struct loop *loop;
    struct http_client *client;
    struct buf message;
};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say(const char *what)
{
    fprintf(stderr, "calls: %s\n", what);
    exit(1);
}

static void print(const struct asking *asking)
{
    double each = (cpu_seconds() - asking->began) / (double)asking->wanted;
    printf("{\"calls\":%ld,\"us_each\":%.1f}\n", asking->wanted, each * 1e6);
    exit(0);
}

static void ask(struct asking *asking);

static void on_answered(void *context, const struct grpc_answer *answer)
{
    struct asking *asking = context;
    struct arena arena = {0};
    struct orchestrator_info info;
    if (answer->status != GRPC_OK ||
        orchestrator_info_decode(&arena, answer->message, &info))
        say(answer->text);
    if (asking->answered > 0 && !answer->http->kept)
        say("the connection was not kept");
    arena_free(&arena);
    if (++asking->answered == 0)
        asking->began = cpu_seconds();
    if (asking->answered == asking->wanted)
        print(asking);
    ask(asking);
}

static void ask(struct asking *asking)
{
    struct grpc_request call = {
        .origin = asking->origin,
        .path = "/net.Orchestrator/GetOrchestrator",
        .message = {asking->message.data, asking->message.length},
        .limit_us = LIMIT_US,
        .context = asking,
        .on_done = on_answered};
    grpc_start(asking->client, &call);
}

static void begin(void *context)
{
    struct asking *asking = context;
    struct orchestrator_request request = {0};
    struct address_policy here = {0};
    struct http_settings settings = {.policy = &here};
    if (address_allow(&here, "127.0.0.0/8") ||
        http_client_open(&asking->client, asking->loop, &settings))
        say(err_message());
    orchestrator_request_encode(&asking->message, &request);
    ask(asking);
}

int main(int count, char **arguments)
{
    struct asking asking = {.answered = -WARM_UP};
    if (count != 3)
        say("calls ORIGIN COUNT");
    asking.origin = arguments[1];
    asking.wanted = strtol(arguments[2], NULL, 10);
    if (loop_start(&asking.loop))
        say(err_message());
    loop_call(asking.loop, begin, &asking);
    for (;;)
        nanosleep(&(struct timespec){.tv_sec = 60}, NULL);
}

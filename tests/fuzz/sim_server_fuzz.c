/*
 * sim_server_fuzz.c: any bytes on a port of the sandbox network.
 *
 * The first byte chooses the port: an orchestrator's off chain, one's with a
 * price, the signer's, the gateway's; the second one how many bytes come at a
 * time. The rest comes as a client would send it, without TLS, over a real
 * socket: HTTP/1.1, HTTP/2, and the handlers behind them. Whatever it is, the
 * server ends the connection once the client has ended its side, and answers
 * the next one.
 *
 * "TOKEN" in the bytes stands for credentials that are good.
 */
#include "sim/gateway.h"
#include "sim/job.h"
#include "sim/network.h"
#include "sim/signer.h"
#include "wire/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTS = 4, PATIENCE_MS = 15000, DIALS = 10000 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char yaml[] = "defaults: {model: noop, start: 0ms}\n"
                           "orchestrators:\n"
                           "  - {name: free}\n"
                           "  - {name: paid, price_wei: 5}\n";
static const char channel[] = "c0ffee";

static struct stage {
    struct scenario scenario;
    struct network network;
    struct orchestrator orchestrators[2];
    struct server *plain[2];
    struct signer *signer;
    struct gateway gateway;
    uint16_t ports[PORTS];
    struct buf token;
    bool is_set;
} stage;

static void must(bool holds)
{
    if (!holds) {
        perror("must");
        abort();
    }
}

static uint16_t port_of(const char *url)
{
    return (uint16_t)strtoll(strrchr(url, ':') + 1, NULL, 10);
}

static void open_orchestrator(size_t i)
{
    struct orchestrator *orchestrator = &stage.orchestrators[i];
    struct server_settings settings = {.host = "127.0.0.1",
                                       .handle = orchestrator_handle,
                                       .context = orchestrator};
    must(!orchestrator_open(orchestrator, &stage.network, i,
                            &stage.scenario.orchestrators[i], "127.0.0.1", 0));
    must(!server_open(&stage.plain[i], stage.network.loop, &settings));
    stage.ports[i] = server_port(stage.plain[i]);
}

static void make_token(void *unused)
{
    struct arena arena = {0};
    struct capabilities none = {0};
    (void)unused;
    struct orchestrator_info info =
        offer_make(&stage.orchestrators[0], &arena, &none);
    struct segment_data segment = {.auth_token = info.auth_token};
    struct text header = segment_header(&arena, &segment);
    buf_add(&stage.token, header.data, header.length);
    arena_free(&arena);
}

static void set_stage(void)
{
    struct gateway_settings gateway = {
        .host = "127.0.0.1", .hour_s = HOUR_S, .flattered = ""};
    must(!scenario_load_bytes(&stage.scenario, "fuzz", yaml, strlen(yaml)));
    must(!truth_open(&stage.network.truth, NULL));
    must(!loop_start(&stage.network.loop));
    stage.network.orchestrators = stage.orchestrators;
    stage.network.orchestrator_count = 2;
    stage.network.is_open = true;
    for (size_t i = 0; i < 2; i++)
        open_orchestrator(i);
    must(!signer_open(&stage.signer, &stage.network, "127.0.0.1"));
    must(!gateway_open(&stage.gateway, &stage.network, &gateway));
    stage.ports[2] = port_of(signer_url(stage.signer));
    stage.ports[3] = port_of(stage.gateway.url);
    loop_call(stage.network.loop, make_token, NULL);
    stage.is_set = true;
}

/* The channel as it was made, and no job left of the input before. */
static void tidy(void *unused)
{
    static const struct trickle_observer nobody;
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct orchestrator *orchestrator = &stage.orchestrators[i];
        while (orchestrator->jobs)
            job_end(orchestrator->jobs, "the input has ended");
        trickle_server_remove(orchestrator->trickle, channel);
        (void)trickle_server_add(orchestrator->trickle, channel,
                                 "application/json", &nobody);
    }
}

/* A port waits for a minute after its connection, and an address has 28,000:
 * after so many connections it is another address's turn. */
static int dial(uint16_t port)
{
    static uint32_t dialled;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr =
                                  htonl(INADDR_LOOPBACK + dialled++ / DIALS)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(descriptor >= 0);
    must(bind(descriptor, (struct sockaddr *)&own, sizeof own) == 0);
    must(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
    return descriptor;
}

/* Takes what has come; false once the other side has ended, as it must when it
 * is waited for. */
static bool take(int descriptor, int patience_ms)
{
    char scratch[1 << 16];
    struct pollfd watched = {descriptor, POLLIN, 0};
    if (poll(&watched, 1, patience_ms) <= 0) {
        must(patience_ms == 0);
        return true;
    }
    return recv(descriptor, scratch, sizeof scratch, 0) > 0;
}

static void converse(uint16_t port, struct text bytes, size_t piece)
{
    int descriptor = dial(port);
    bool open = true;
    for (size_t at = 0; open && at < bytes.length; at += piece) {
        size_t left = bytes.length - at;
        open = send(descriptor, bytes.data + at, left < piece ? left : piece,
                    MSG_NOSIGNAL) > 0 &&
               take(descriptor, 0);
    }
    shutdown(descriptor, SHUT_WR);
    while (open)
        open = take(descriptor, PATIENCE_MS);
    close(descriptor);
}

static void fill_in(struct buf *out, struct text bytes)
{
    static const char mark[] = "TOKEN";
    const char *at = memmem(bytes.data, bytes.length, mark, strlen(mark));
    size_t before = at ? (size_t)(at - bytes.data) : bytes.length;
    buf_add(out, bytes.data, before);
    if (!at)
        return;
    buf_add(out, stage.token.data, stage.token.length);
    buf_add(out, at + strlen(mark), bytes.length - before - strlen(mark));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buf request = {0};
    if (length < 2)
        return 0;
    if (!stage.is_set)
        set_stage();
    fill_in(&request, (struct text){(const char *)bytes + 2, length - 2});
    loop_call(stage.network.loop, tidy, NULL);
    converse(stage.ports[bytes[0] % PORTS],
             (struct text){request.data, request.length},
             bytes[1] ? bytes[1] : request.length + 1);
    buf_free(&request);
    return 0;
}

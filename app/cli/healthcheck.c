/*
 * healthcheck.c: `assay healthcheck`: does the server answer? For supervisors
 * and containers that hold no other program.
 *
 * Asks the configured address for /healthz and prints nothing where all is
 * well. The certificate of a server of our own is not verified: it is for the
 * name that others use, and this asks an address of this machine.
 */
#include "base/buf.h"
#include "base/tls.h"
#include "cli/cli.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 5, ANSWER_BYTES = 4096 };

static const struct option options[] = {
    {.name = "--listen",
     .value = "ADDR:PORT",
     .type = OPTION_CONFIG,
     .help = "the address that the server was given",
     .key = "listen"},
    {0}};

static const struct example examples[] = {
    {"assay healthcheck && echo well", "ask the server on 127.0.0.1:8080"},
    {0}};

/* ---- the socket ---------------------------------------------------------- */

/* A server that listens everywhere is asked on this machine. */
static const char *host_of(const struct config_address *address)
{
    if (strcmp(address->host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(address->host, "::") == 0 ? "::1" : address->host;
}

static enum err unreachable(const struct config_address *address, int code)
{
    return err_set(ERR_NETWORK, "no server answers on %s: %s", address->text,
                   strerror(code));
}

static enum err dial(const struct config_address *address, int *connection)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)address->port);
    if (getaddrinfo(host_of(address), port, &hints, &found) != 0)
        return err_set(ERR_CONFIG, "%s is no numeric address", address->host);
    int code = 0;
    *connection = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*connection < 0) {
        code = errno;
    } else {
        setsockopt(*connection, SOL_SOCKET, SO_RCVTIMEO, &patience,
                   sizeof patience);
        setsockopt(*connection, SOL_SOCKET, SO_SNDTIMEO, &patience,
                   sizeof patience);
        if (connect(*connection, found->ai_addr, found->ai_addrlen) != 0)
            code = errno;
    }
    freeaddrinfo(found);
    if (code && *connection >= 0)
        close(*connection);
    return code ? unreachable(address, code) : ERR_NONE;
}

/* ---- asking -------------------------------------------------------------- */

static const char question[] =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/* Length of the answer's beginning, 0 where there is none. */
static size_t ask_plain(int connection, char answer[ANSWER_BYTES])
{
    size_t length = 0;
    ssize_t got = 0;
    if (send(connection, question, strlen(question), MSG_NOSIGNAL) < 0)
        return 0;
    while (length < ANSWER_BYTES && (got = recv(connection, answer + length,
                                                ANSWER_BYTES - length, 0)) > 0)
        length += (size_t)got;
    return length;
}

/* ---- the command --------------------------------------------------------- */

static enum err judge(const struct config_address *address, const char *answer,
                      size_t length)
{
    static const char begin[] = "HTTP/1.1 ";
    size_t before = sizeof begin - 1;
    if (length < before + 3 || memcmp(answer, begin, before) != 0)
        return err_set(ERR_NETWORK, "what listens on %s does not answer",
                       address->text);
    if (memcmp(answer + before, "200", 3) == 0)
        return ERR_NONE;
    return err_set(ERR_FINDING, "the server on %s answers with status %.3s",
                   address->text, answer + before);
}

/* Whatever the other side does, byte by byte or not at all. */
static void give_up(int signal_number)
{
    static const char sentence[] =
        "assay healthcheck: no answer within five seconds\n";
    (void)signal_number;
    (void)!write(STDERR_FILENO, sentence, sizeof sentence - 1);
    _exit(err_exit_code(ERR_NETWORK));
}

static enum err run(struct invocation *invocation)
{
    const struct config *config = invocation->config;
    char answer[ANSWER_BYTES];
    int connection = -1;
    signal(SIGALRM, give_up);
    alarm(PATIENCE_S);
    enum err err = dial(&config->listen, &connection);
    if (err)
        return err;
    size_t length =
        *config->tls_certificate_file
            ? tls_exchange(connection, question, answer, sizeof answer)
            : ask_plain(connection, answer);
    close(connection);
    return judge(&config->listen, answer, length);
}

const struct command command_healthcheck = {
    .name = "healthcheck",
    .summary = "ask the running server whether it answers",
    .arguments = "",
    .about =
        "Asks the configured address for /healthz, within five seconds. "
        "Prints nothing where all is well. For containers and supervisors; "
        "`assay doctor` looks deeper.",
    .options = options,
    .examples = examples,
    .exits = "0  it answers\n"
             "1  it answers, but not with 200\n"
             "4  nothing answers",
    .run = run,
};

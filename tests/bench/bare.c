/*
 * bare.c: the yardstick: the same civetweb with a handler that does nothing
 * but write BYTES bytes.
 *
 *     bare PORT BYTES
 *
 * Runs until its standard input ends.
 */
#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *answer;
static size_t answer_length;

static int on_request(struct mg_connection *connection)
{
    mg_write(connection, answer, answer_length);
    return 200;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "bare PORT BYTES\n");
        return 2;
    }
    char address[40];
    char byte;
    size_t body = strtoul(argv[2], NULL, 10);
    snprintf(address, sizeof address, "127.0.0.1:%s", argv[1]);
    const char *options[] = {
        "listening_ports",       address, "num_threads", "8",
        "enable_keep_alive",     "yes",   "tcp_nodelay", "1",
        "keep_alive_timeout_ms", "2000",  NULL};
    answer = calloc(1, body + 200);
    if (!answer)
        return 2;
    answer_length = (size_t)snprintf(answer, 200,
                                     "HTTP/1.1 200 OK\r\n"
                                     "Content-Type: application/json\r\n"
                                     "Content-Length: %zu\r\n"
                                     "Connection: keep-alive\r\n\r\n",
                                     body);
    memset(answer + answer_length, 'x', body);
    answer_length += body;
    struct mg_callbacks callbacks = {.begin_request = on_request};
    struct mg_context *context = mg_start(&callbacks, NULL, options);
    if (!context)
        return 1;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    mg_stop(context);
    free(answer);
    return 0;
}

/*
 * tls.h: connections over TLS (1.2 and 1.3): those that come to us, a step at
 * a time, and one question to a server of ours.
 *
 * A stream never waits: each call goes as far as the bytes reach that are in
 * the socket, and says whether there was enough. So whoever stalls in the
 * middle of a handshake costs memory and no thread.
 */
#ifndef ASSAY_BASE_TLS_H
#define ASSAY_BASE_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Certificate, key and settings, shared by all streams of any thread. */
struct tls_server;

/* ERR_CONFIG names the file and what is wrong with it. */
MUST_USE enum err tls_server_new(struct tls_server **server,
                                 const char *certificate_file,
                                 const char *key_file);
/* After the last stream. Null is allowed. */
void tls_server_free(struct tls_server *server);

/* One connection's; belongs to one thread at a time. Takes about 20 KB. */
struct tls_stream;

/* CONNECTION must not block, and stays its owner's. */
struct tls_stream *tls_stream_new(struct tls_server *server, int connection);
/* Null is allowed. */
void tls_stream_free(struct tls_stream *stream);

enum tls_state { TLS_OPEN, TLS_WAITS_TO_READ, TLS_WAITS_TO_WRITE, TLS_FAILED };
/* Goes on with the handshake; after it, OPEN. */
enum tls_state tls_stream_shake(struct tls_stream *stream);

/* How many bytes came or went, 0 where that would wait, less where the stream
 * has ended. After a write of 0 the same bytes must be written next. */
int tls_stream_read(struct tls_stream *stream, char *bytes, size_t room);
int tls_stream_write(struct tls_stream *stream, const char *bytes,
                     size_t length);
/* Tells the other side that nothing follows, if it can without waiting. */
void tls_stream_end(struct tls_stream *stream);

/* Sends QUESTION over CONNECTION and reads until the other side ends it, or
 * ANSWER has no room. The length of what came; 0 where nothing did. It does not
 * verify whose certificate that is: the server is on this machine. */
size_t tls_exchange(int connection, const char *question, char *answer,
                    size_t room);

#endif

/*
 * tls.c: see tls.h.
 *
 * Randomness comes from the kernel for every call: there is no generator to
 * share, to lock or to seed.
 */
#include "base/tls.h"
#include "base/arena.h"
#include "base/random.h"

#include <errno.h>
#include <limits.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int random_of_kernel(void *unused, unsigned char *bytes, size_t length)
{
    (void)unused;
    random_bytes(bytes, length);
    return 0;
}

static int send_bytes(void *context, const unsigned char *bytes, size_t length)
{
    ssize_t sent = send(*(int *)context, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    return (int)sent;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t length)
{
    ssize_t got = recv(*(int *)context, bytes, length, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return MBEDTLS_ERR_SSL_WANT_READ;
    return (int)got;
}

/* ---- the server's side --------------------------------------------------- */

/* All certificates go out in one message, which has one buffer
 * (mbedtls_choices.h). */
enum { CHAIN_MAX_BYTES = MBEDTLS_SSL_OUT_CONTENT_LEN - 256 };

struct tls_server {
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_ssl_config settings;
};

static enum err refuse(const char *what, const char *file, int code)
{
    char reason[120] = "";
    mbedtls_strerror(code, reason, sizeof reason);
    return err_set(ERR_CONFIG, "%s %s cannot be used: %s", what, file, reason);
}

static enum err check_length(const mbedtls_x509_crt *first, const char *file)
{
    size_t bytes = 0;
    for (const mbedtls_x509_crt *at = first; at; at = at->next)
        bytes += at->raw.len;
    if (bytes <= CHAIN_MAX_BYTES)
        return ERR_NONE;
    return err_set(ERR_CONFIG,
                   "the certificates in %s (tls.certificate_file) have %zu "
                   "bytes together, and %d fit: leave out the root's, which "
                   "nobody needs",
                   file, bytes, CHAIN_MAX_BYTES);
}

static enum err read_pair(struct tls_server *server,
                          const char *certificate_file, const char *key_file)
{
    int code =
        mbedtls_x509_crt_parse_file(&server->certificate, certificate_file);
    if (code != 0)
        return refuse("the certificate (tls.certificate_file)",
                      certificate_file, code);
    code = mbedtls_pk_parse_keyfile(&server->key, key_file, NULL,
                                    random_of_kernel, NULL);
    if (code != 0)
        return refuse("the private key (tls.key_file)", key_file, code);
    if (mbedtls_pk_check_pair(&server->certificate.pk, &server->key,
                              random_of_kernel, NULL))
        return err_set(ERR_CONFIG,
                       "the key in %s is not the one of the certificate in %s",
                       key_file, certificate_file);
    return check_length(&server->certificate, certificate_file);
}

static enum err set_up(struct tls_server *server, const char *certificate_file)
{
    mbedtls_ssl_config *settings = &server->settings;
    int code = mbedtls_ssl_config_defaults(settings, MBEDTLS_SSL_IS_SERVER,
                                           MBEDTLS_SSL_TRANSPORT_STREAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_authmode(settings, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(settings, random_of_kernel, NULL);
    if (code == 0)
        code = mbedtls_ssl_conf_own_cert(settings, &server->certificate,
                                         &server->key);
    return code ? refuse("the certificate (tls.certificate_file)",
                         certificate_file, code)
                : ERR_NONE;
}

enum err tls_server_new(struct tls_server **out, const char *certificate_file,
                        const char *key_file)
{
    *out = NULL;
    if (psa_crypto_init() != PSA_SUCCESS)
        return err_set(ERR_NETWORK, "cryptography cannot be started");
    struct tls_server *server = memory_zeroed(1, sizeof *server);
    mbedtls_x509_crt_init(&server->certificate);
    mbedtls_pk_init(&server->key);
    mbedtls_ssl_config_init(&server->settings);
    enum err err = read_pair(server, certificate_file, key_file);
    if (!err)
        err = set_up(server, certificate_file);
    if (err)
        tls_server_free(server);
    else
        *out = server;
    return err;
}

void tls_server_free(struct tls_server *server)
{
    if (!server)
        return;
    mbedtls_ssl_config_free(&server->settings);
    mbedtls_pk_free(&server->key);
    mbedtls_x509_crt_free(&server->certificate);
    free(server);
}

/* ---- streams ------------------------------------------------------------ */

struct tls_stream {
    mbedtls_ssl_context ssl;
    int connection;
    bool broken; /* nothing can be sent or read any more */
};

struct tls_stream *tls_stream_new(struct tls_server *server, int connection)
{
    struct tls_stream *stream = memory_zeroed(1, sizeof *stream);
    stream->connection = connection;
    mbedtls_ssl_init(&stream->ssl);
    /* Fails only for lack of memory. */
    stream->broken = mbedtls_ssl_setup(&stream->ssl, &server->settings) != 0;
    mbedtls_ssl_set_bio(&stream->ssl, &stream->connection, send_bytes,
                        receive_bytes, NULL);
    return stream;
}

void tls_stream_free(struct tls_stream *stream)
{
    if (!stream)
        return;
    mbedtls_ssl_free(&stream->ssl);
    free(stream);
}

enum tls_state tls_stream_shake(struct tls_stream *stream)
{
    if (stream->broken)
        return TLS_FAILED;
    switch (mbedtls_ssl_handshake(&stream->ssl)) {
    case 0:
        return TLS_OPEN;
    case MBEDTLS_ERR_SSL_WANT_READ:
        return TLS_WAITS_TO_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return TLS_WAITS_TO_WRITE;
    default:
        stream->broken = true;
        return TLS_FAILED;
    }
}

/* mbedtls' answer to reading or writing as ours. */
static int judge(struct tls_stream *stream, int code)
{
    if (code > 0)
        return code;
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE)
        return 0;
    stream->broken = true;
    return -1;
}

int tls_stream_read(struct tls_stream *stream, char *bytes, size_t room)
{
    if (stream->broken)
        return -1;
    return judge(stream,
                 mbedtls_ssl_read(&stream->ssl, (unsigned char *)bytes, room));
}

int tls_stream_write(struct tls_stream *stream, const char *bytes,
                     size_t length)
{
    if (stream->broken)
        return -1;
    return judge(
        stream,
        mbedtls_ssl_write(&stream->ssl, (const unsigned char *)bytes, length));
}

void tls_stream_end(struct tls_stream *stream)
{
    if (!stream->broken)
        (void)mbedtls_ssl_close_notify(&stream->ssl);
    stream->broken = true;
}

/* ---- asking -------------------------------------------------------------- */

static size_t ask(mbedtls_ssl_context *session, const char *question,
                  char *answer, size_t room)
{
    size_t length = 0;
    int got;
    if (mbedtls_ssl_write(session, (const unsigned char *)question,
                          strlen(question)) < 0)
        return 0;
    do {
        got = mbedtls_ssl_read(session, (unsigned char *)answer + length,
                               room - length);
        length += got > 0 ? (size_t)got : 0;
        /* A ticket of TLS 1.3 is no end. */
    } while (length < room &&
             (got > 0 || got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET));
    return length;
}

size_t tls_exchange(int connection, const char *question, char *answer,
                    size_t room)
{
    mbedtls_ssl_config settings;
    mbedtls_ssl_context session;
    size_t length = 0;
    mbedtls_ssl_config_init(&settings);
    mbedtls_ssl_init(&session);
    if (psa_crypto_init() == PSA_SUCCESS &&
        mbedtls_ssl_config_defaults(&settings, MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) == 0) {
        mbedtls_ssl_conf_authmode(&settings, MBEDTLS_SSL_VERIFY_NONE);
        mbedtls_ssl_conf_rng(&settings, random_of_kernel, NULL);
        mbedtls_ssl_set_bio(&session, &connection, send_bytes, receive_bytes,
                            NULL);
        if (mbedtls_ssl_setup(&session, &settings) == 0 &&
            mbedtls_ssl_set_hostname(&session, "localhost") == 0 &&
            mbedtls_ssl_handshake(&session) == 0)
            length = ask(&session, question, answer, room);
    }
    mbedtls_ssl_free(&session);
    mbedtls_ssl_config_free(&settings);
    return length;
}

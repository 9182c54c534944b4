/*
 * tls.c: see tls.h.
 */
#include "base/tls.h"
#include "base/random.h"

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <string.h>
#include <sys/socket.h>

static int random_of_kernel(void *unused, unsigned char *bytes, size_t length)
{
    (void)unused;
    random_bytes(bytes, length);
    return 0;
}

static enum err refuse(const char *what, const char *file, int code)
{
    char reason[120] = "";
    mbedtls_strerror(code, reason, sizeof reason);
    return err_set(ERR_CONFIG, "%s %s cannot be used: %s", what, file, reason);
}

static enum err check_pair(mbedtls_x509_crt *certificate,
                           mbedtls_pk_context *key,
                           const char *certificate_file, const char *key_file)
{
    int code = mbedtls_x509_crt_parse_file(certificate, certificate_file);
    if (code != 0)
        return refuse("the certificate (tls.certificate_file)",
                      certificate_file, code);
    code =
        mbedtls_pk_parse_keyfile(key, key_file, NULL, random_of_kernel, NULL);
    if (code != 0)
        return refuse("the private key (tls.key_file)", key_file, code);
    if (mbedtls_pk_check_pair(&certificate->pk, key, random_of_kernel, NULL))
        return err_set(ERR_CONFIG,
                       "the key in %s is not the one of the certificate in %s",
                       key_file, certificate_file);
    return ERR_NONE;
}

enum err tls_check(const char *certificate_file, const char *key_file)
{
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    if (psa_crypto_init() != PSA_SUCCESS)
        return err_set(ERR_NETWORK, "cryptography cannot be started");
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    enum err err = check_pair(&certificate, &key, certificate_file, key_file);
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&certificate);
    return err;
}

/* ---- asking ---------------------------------------------------------- */

static int send_bytes(void *context, const unsigned char *bytes, size_t length)
{
    return (int)send(*(int *)context, bytes, length, MSG_NOSIGNAL);
}

static int receive_bytes(void *context, unsigned char *bytes, size_t length)
{
    return (int)recv(*(int *)context, bytes, length, 0);
}

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

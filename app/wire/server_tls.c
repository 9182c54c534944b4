/*
 * server_tls.c: TLS under the server's connections, by mbedtls.
 *
 * The identity is what go-livepeer's orchestrators make at every start: a key
 * on P-256 and a certificate that it signed itself, for one year, with the
 * host as DNS name, also where it is an address (livepeer-protocols.md §2.1).
 * No session tickets: a probe that measures handshakes should get them.
 */
#include "base/clock.h"
#include "base/random.h"
#include "wire/server_int.h"

#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CERTIFICATE_MAX_BYTES = 2048,
    SERIAL_BYTES = 16,
    PLAIN_BYTES = 16 << 10,
    VALID_MS_BEFORE = MS_PER_HOUR,
    YEAR_DAYS = 365
};

struct tls_identity {
    mbedtls_pk_context key;
    mbedtls_x509_crt certificate;
    mbedtls_ssl_config settings;
};

struct tls_session {
    struct connection *connection;
    mbedtls_ssl_context ssl;
    const char *input; /* what is being worked on */
    size_t input_length;
    bool established;
};

static int random_of_kernel(void *unused, unsigned char *bytes, size_t length)
{
    (void)unused;
    random_bytes(bytes, length);
    return 0;
}

/* ---- identity ------------------------------------------------------------ */

static int make_key(mbedtls_pk_context *key)
{
    int code =
        mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (code)
        return code;
    return mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key),
                               random_of_kernel, NULL);
}

/* "20251124080211", as certificates write it. */
static void certificate_time(int64_t ms, char text[32])
{
    char full[CLOCK_TEXT_BYTES];
    clock_text_s(ms, full);
    char *at = text;
    for (const char *from = full; *from; from++) {
        if (*from >= '0' && *from <= '9')
            *at++ = *from;
    }
    *at = '\0';
}

static int describe(mbedtls_x509write_cert *writer, const char *host)
{
    static const char name[] = "O=sandbox orchestrator";
    char from[32];
    char until[32];
    uint8_t serial[SERIAL_BYTES];
    mbedtls_x509_san_list names = {
        .node.type = MBEDTLS_X509_SAN_DNS_NAME,
        .node.san.unstructured_name = {.tag = MBEDTLS_ASN1_IA5_STRING,
                                       .len = strlen(host),
                                       .p = (unsigned char *)(uintptr_t)host}};
    int64_t now = clock_wall_ms();
    certificate_time(now - VALID_MS_BEFORE, from);
    certificate_time(now + (int64_t)YEAR_DAYS * MS_PER_DAY, until);
    random_bytes(serial, sizeof serial);
    serial[0] = (serial[0] & 0x7f) | 1; /* positive, no leading zero */
    int code =
        mbedtls_x509write_crt_set_serial_raw(writer, serial, sizeof serial);
    if (!code)
        code = mbedtls_x509write_crt_set_subject_name(writer, name);
    if (!code)
        code = mbedtls_x509write_crt_set_issuer_name(writer, name);
    if (!code)
        code = mbedtls_x509write_crt_set_validity(writer, from, until);
    if (!code)
        code = mbedtls_x509write_crt_set_basic_constraints(writer, 1, -1);
    if (!code)
        code = mbedtls_x509write_crt_set_key_usage(
            writer,
            MBEDTLS_X509_KU_DIGITAL_SIGNATURE | MBEDTLS_X509_KU_KEY_CERT_SIGN);
    if (!code)
        code =
            mbedtls_x509write_crt_set_subject_alternative_name(writer, &names);
    return code;
}

static int make_certificate(struct tls_identity *identity, const char *host)
{
    unsigned char der[CERTIFICATE_MAX_BYTES];
    mbedtls_x509write_cert writer;
    mbedtls_x509write_crt_init(&writer);
    mbedtls_x509write_crt_set_version(&writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&writer, &identity->key);
    mbedtls_x509write_crt_set_issuer_key(&writer, &identity->key);
    int code = describe(&writer, host);
    /* It is written to the end of the room given. */
    if (!code)
        code = mbedtls_x509write_crt_der(&writer, der, sizeof der,
                                         random_of_kernel, NULL);
    if (code > 0)
        code = mbedtls_x509_crt_parse_der(
            &identity->certificate, der + sizeof der - code, (size_t)code);
    mbedtls_x509write_crt_free(&writer);
    return code;
}

static int set_up(struct tls_identity *identity, const char *host)
{
    static const char *const protocols[] = {"h2", "http/1.1", NULL};
    mbedtls_ssl_config *settings = &identity->settings;
    int code = mbedtls_ssl_config_defaults(settings, MBEDTLS_SSL_IS_SERVER,
                                           MBEDTLS_SSL_TRANSPORT_STREAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(settings, random_of_kernel, NULL);
    if (!code)
        code = make_key(&identity->key);
    if (!code)
        code = make_certificate(identity, host);
    if (!code)
        code = mbedtls_ssl_conf_own_cert(settings, &identity->certificate,
                                         &identity->key);
    if (!code)
        code = mbedtls_ssl_conf_alpn_protocols(
            settings, (const char **)(uintptr_t)protocols);
    return code;
}

enum err tls_identity_new(struct tls_identity **result, const char *host)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return err_set(ERR_NETWORK, "cryptography cannot be started");
    struct tls_identity *identity = memory_zeroed(1, sizeof *identity);
    mbedtls_pk_init(&identity->key);
    mbedtls_x509_crt_init(&identity->certificate);
    mbedtls_ssl_config_init(&identity->settings);
    int code = set_up(identity, host);
    if (code) {
        char reason[120] = "";
        mbedtls_strerror(code, reason, sizeof reason);
        tls_identity_free(identity);
        return err_set(ERR_NETWORK, "no certificate can be made for %s: %s",
                       host, reason);
    }
    *result = identity;
    return ERR_NONE;
}

void tls_identity_free(struct tls_identity *identity)
{
    if (!identity)
        return;
    mbedtls_ssl_config_free(&identity->settings);
    mbedtls_x509_crt_free(&identity->certificate);
    mbedtls_pk_free(&identity->key);
    free(identity);
}

/* ---- one connection ------------------------------------------------------ */

static int send_bytes(void *context, const unsigned char *bytes, size_t length)
{
    struct tls_session *session = context;
    connection_output_raw(session->connection, bytes, length);
    return (int)length;
}

static int receive_bytes(void *context, unsigned char *bytes, size_t length)
{
    struct tls_session *session = context;
    if (!session->input_length)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (length > session->input_length)
        length = session->input_length;
    memcpy(bytes, session->input, length);
    session->input += length;
    session->input_length -= length;
    return (int)length;
}

struct tls_session *tls_session_new(struct tls_identity *identity,
                                    struct connection *connection)
{
    struct tls_session *session = memory_zeroed(1, sizeof *session);
    session->connection = connection;
    mbedtls_ssl_init(&session->ssl);
    /* It fails only for want of memory, which ends the process. */
    if (mbedtls_ssl_setup(&session->ssl, &identity->settings) != 0)
        abort();
    mbedtls_ssl_set_bio(&session->ssl, session, send_bytes, receive_bytes,
                        NULL);
    return session;
}

void tls_session_free(struct tls_session *session)
{
    if (!session)
        return;
    mbedtls_ssl_free(&session->ssl);
    free(session);
}

static void start_protocol(struct tls_session *session)
{
    const char *chosen = mbedtls_ssl_get_alpn_protocol(&session->ssl);
    session->established = true;
    if (chosen && strcmp(chosen, "h2") == 0)
        http2_start(session->connection);
    else
        http1_start(session->connection);
}

/* Decrypts what there is. False where the other side broke the rules. */
static bool read_records(struct tls_session *session)
{
    struct connection *connection = session->connection;
    unsigned char plain[PLAIN_BYTES];
    for (;;) {
        int got = mbedtls_ssl_read(&session->ssl, plain, sizeof plain);
        if (got > 0)
            connection_input(connection, (const char *)plain, (size_t)got);
        else if (got == MBEDTLS_ERR_SSL_WANT_READ)
            return true;
        else
            return false; /* its goodbye, or an error: the end either way */
        if (connection->is_broken)
            return true;
    }
}

bool tls_session_input(struct tls_session *session, const char *bytes,
                       size_t length)
{
    session->input = bytes;
    session->input_length = length;
    if (!session->established) {
        int code = mbedtls_ssl_handshake(&session->ssl);
        if (code == MBEDTLS_ERR_SSL_WANT_READ)
            return true;
        if (code)
            return false;
        start_protocol(session);
    }
    return read_records(session);
}

void tls_session_output(struct tls_session *session, const void *bytes,
                        size_t length)
{
    const unsigned char *at = bytes;
    while (length) {
        int written = mbedtls_ssl_write(&session->ssl, at, length);
        if (written <= 0) {
            connection_break(session->connection);
            return;
        }
        at += written;
        length -= (size_t)written;
    }
}

void tls_session_goodbye(struct tls_session *session)
{
    if (session->established)
        mbedtls_ssl_close_notify(&session->ssl);
}

/*
 * mbedtls_choices.h: what we change in mbedtls' configuration, for the library
 * and for our own code alike.
 *
 * Threads: connections are made on several, and TLS 1.3 keeps keys in a store
 * that they share. Entropy: see runtime/entropy.c. Everest: a key agreement on
 * X25519 that is several times as fast. The window: larger tables for the
 * signatures on P-256 that orchestrators use.
 *
 * Buffers: hundreds of connections are open at once, so records that go out
 * have 8 KB, and the buffer of what comes in grows as needed
 * (edits/mbedtls.edit). Ciphers: those that hide keys of the past and protect
 * what they encrypt, the ones first that processors help with.
 */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_ENTROPY_HARDWARE_ALT
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED
#undef MBEDTLS_ECP_WINDOW_SIZE
#define MBEDTLS_ECP_WINDOW_SIZE 6
#define MBEDTLS_SSL_OUT_CONTENT_LEN 8192
#define MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH
#define MBEDTLS_SSL_CIPHERSUITES                                               \
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384,      \
        MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,                               \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                       \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,                         \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,                       \
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,                         \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,                 \
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256

/*
 * mbedtls_choices.h: what we change in mbedtls' configuration, for the library
 * and for our own code alike.
 *
 * Threads: connections are made on several, and TLS 1.3 keeps keys in a store
 * that they share. Entropy: see runtime/entropy.c. Everest: a key agreement on
 * X25519 that is several times as fast. The window: larger tables for the
 * signatures on P-256 that orchestrators use.
 */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_ENTROPY_HARDWARE_ALT
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED
#undef MBEDTLS_ECP_WINDOW_SIZE
#define MBEDTLS_ECP_WINDOW_SIZE 6

/*
 * mbedtls_choices.h: what we change in mbedtls' configuration, for the library
 * and for our own code alike.
 *
 * Threads: connections are made on several, and TLS 1.3 keeps keys in a store
 * that they share. Entropy: see entropy.c.
 */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_ENTROPY_HARDWARE_ALT

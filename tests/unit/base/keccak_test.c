/*
 * Known digests, and every way of cutting a message into parts.
 */
#include "base/keccak.h"

#include "base/hash.h"
#include "harness.h"

#include <string.h>

static void check_digest(const uint8_t digest[KECCAK_BYTES], const char *wanted)
{
    char hex[2 * KECCAK_BYTES + 1];
    hash_hex(digest, KECCAK_BYTES, hex);
    CHECK_EQ_TEXT(hex, wanted);
}

TEST(digests_are_keccaks_and_not_sha3s)
{
    static const struct {
        const char *message;
        const char *digest;
    } rows[] = {
        {"",
         "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {"BondingManager",
         "2517d59a36a86548e38734e8ab416f42afff4bca78706a66ad65750dae7f9e37"},
        {"abc",
         "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"getContract(bytes32)", NULL},
    };
    EACH_ROW (row, rows) {
        uint8_t digest[KECCAK_BYTES];
        keccak256(row->message, strlen(row->message), digest);
        if (row->digest)
            check_digest(digest, row->digest);
        else /* a selector of the network's contracts */
            CHECK_EQ_MEMORY(digest, "\xe1\x6c\x7d\x98", 4);
    }
}

/* Lengths around the rate of 136 bytes, where the padding changes blocks. */
TEST(parts_are_one_message)
{
    static const size_t rows[] = {0, 1, 135, 136, 137, 271, 272, 273, 1000};
    char message[1000];
    memset(message, 'a', sizeof message);
    EACH_ROW (length, rows) {
        uint8_t whole[KECCAK_BYTES];
        uint8_t cut[KECCAK_BYTES];
        keccak256(message, *length, whole);
        for (size_t at = 0; at <= *length; at += 1 + *length / 7) {
            struct text parts[] = {
                {message, at}, {message, 0}, {message + at, *length - at}};
            keccak256_parts(parts, 3, cut);
            CHECK_EQ_MEMORY(cut, whole, KECCAK_BYTES);
        }
    }
}

/* From the reference's own test of a million repetitions of "a". */
TEST(a_long_message)
{
    static char message[1000000];
    uint8_t digest[KECCAK_BYTES];
    memset(message, 'a', sizeof message);
    keccak256(message, sizeof message, digest);
    check_digest(digest,
                 "fadae6b49f129bbb812be8407b7b2894f34aecf6dbd1f9b0f0c7e9853098"
                 "fc96");
}

/*
 * Signatures S0 to S2 of livepeer-protocols.md §10: what other programs sign
 * and recover, byte for byte.
 */
#include "seal/seal.h"

#include "base/arena.h"
#include "base/hex.h"
#include "harness.h"

#include <string.h>

static const char *const key_1 =
    "0000000000000000000000000000000000000000000000000000000000000001";
static const char *const address_1 = "7e5f4552091a69125d5dfcb7b8c2659029395bdf";

static const char *hex(const uint8_t *bytes, size_t length)
{
    static char text[2][2 * ETHEREUM_SIGNATURE_BYTES + 1];
    static size_t at;
    at = !at;
    hash_hex(bytes, length, text[at]);
    return text[at];
}

TEST(a_signature_tells_who_signed)
{
    static const struct {
        const char *hash;
        const char *signature;
        const char *address; /* null where nobody did */
    } rows[] = {
        {"b7da355477356fc4c47fcabcf232dc77a6db9b07b7e48b76261cc55cc8fbabb3",
         "206443228e8f784bc3a122de0d85eb3ebff82d6a79cca26c7eeb907099a6404f"
         "6dff57bc6828f28bd6cd073c89d94cf3364204679ed8365fa45b5ee6af19a9841c",
         "3baddb1eee2105893136a3f96c8a963e9c6309d6"},
        {"4d5a49db91080e655190d37cddc99ea26046572ad0796bb34bdaba86f6b74672",
         "2e05f5b96d0c24dde6256c43b4dd51d50979d8a650510a52b1317a95e9eda00d"
         "3d716748cd06e78360e29fdfe091e0c6c5a3d7ae1fb408d0b746ebdd9fa6382a1c",
         "7e5f4552091a69125d5dfcb7b8c2659029395bdf"},
        /* the same with s' = n - s and the other v: a high s */
        {"4d5a49db91080e655190d37cddc99ea26046572ad0796bb34bdaba86f6b74672",
         "2e05f5b96d0c24dde6256c43b4dd51d50979d8a650510a52b1317a95e9eda00d"
         "c28e98b732f9187c9f1d60201f6e1f37f50b05388f949b6b08917bafd09009171b",
         NULL},
        /* v as other networks write it */
        {"4d5a49db91080e655190d37cddc99ea26046572ad0796bb34bdaba86f6b74672",
         "2e05f5b96d0c24dde6256c43b4dd51d50979d8a650510a52b1317a95e9eda00d"
         "3d716748cd06e78360e29fdfe091e0c6c5a3d7ae1fb408d0b746ebdd9fa6382a01",
         NULL},
        {"4d5a49db91080e655190d37cddc99ea26046572ad0796bb34bdaba86f6b74672",
         "00000000000000000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000000001b",
         NULL},
        {"4d5a49db91080e655190d37cddc99ea26046572ad0796bb34bdaba86f6b74672",
         "2e05", NULL},
    };
    EACH_ROW (row, rows) {
        uint8_t hash[KECCAK_BYTES];
        uint8_t signature[ETHEREUM_SIGNATURE_BYTES];
        uint8_t address[ETHEREUM_ADDRESS_BYTES];
        size_t length = strlen(row->signature) / 2;
        REQUIRE(hex_decode(text_of(row->hash), hash, KECCAK_BYTES));
        if (length > sizeof signature)
            length = sizeof signature;
        REQUIRE(hex_decode((struct text){row->signature, 2 * length}, signature,
                           length));
        bool found = ethereum_recover(
            hash, (struct text){(const char *)signature, length}, address);
        CHECK_EQ_INT(found, row->address != NULL);
        if (found && row->address)
            CHECK_EQ_TEXT(hex(address, sizeof address), row->address);
    }
}

TEST(a_key_signs_as_other_programs_do)
{
    static const struct {
        const char *hash;
        const char *digest; /* null where it is not known */
        const char *signature;
    } rows[] = {
        {"4d5a49db91080e655190d37cddc99ea26046572ad0796bb34bdaba86f6b74672",
         "58656fe8bd0c2b186542f829f6c5de387b108a917b38013f297aa26ca32b18b1",
         "2e05f5b96d0c24dde6256c43b4dd51d50979d8a650510a52b1317a95e9eda00d"
         "3d716748cd06e78360e29fdfe091e0c6c5a3d7ae1fb408d0b746ebdd9fa6382a1c"},
        {"6c7a68d64be1fd74fbcd82dec1786c3dba660ede122dececec9cab48d0ccfe13",
         NULL,
         "b138d5c5fcb9e1757ab1aad9f5c698bd1d4ae4c8830888b018853e7ebd9fae5a"
         "15e4ab1079836d1b2643abd2c3aa1d20bea5876c8d248b381cbaebe93e23f04b1b"},
    };
    struct ethereum_key *key;
    REQUIRE_OK(ethereum_key_parse(text_of(key_1), &key));
    CHECK_EQ_TEXT(hex(ethereum_key_address(key), ETHEREUM_ADDRESS_BYTES),
                  address_1);
    EACH_ROW (row, rows) {
        uint8_t hash[KECCAK_BYTES];
        uint8_t digest[KECCAK_BYTES];
        uint8_t signature[ETHEREUM_SIGNATURE_BYTES];
        REQUIRE(hex_decode(text_of(row->hash), hash, KECCAK_BYTES));
        ethereum_digest(hash, digest);
        if (row->digest)
            CHECK_EQ_TEXT(hex(digest, sizeof digest), row->digest);
        ethereum_sign(key, hash, signature);
        CHECK_EQ_TEXT(hex(signature, sizeof signature), row->signature);
    }
    ethereum_key_free(key);
}

TEST(only_keys_of_the_curve_are_taken)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"0000000000000000000000000000000000000000000000000000000000000001",
         true},
        {"0x0000000000000000000000000000000000000000000000000000000000000001\r"
         "\n",
         true},
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364140",
         true}, /* the order less one */
        {"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141",
         false},
        {"0000000000000000000000000000000000000000000000000000000000000000",
         false},
        {"", false},
        {"0x", false},
        {"1", false},
        {"00000000000000000000000000000000000000000000000000000000000000012",
         false},
        {"000000000000000000000000000000000000000000000000000000000000000g",
         false},
        {"{\"crypto\":{}}", false},
    };
    EACH_ROW (row, rows) {
        struct ethereum_key *key;
        enum err err = ethereum_key_parse(text_of(row->text), &key);
        CHECK_EQ_INT(err, row->good ? ERR_NONE : ERR_CONFIG);
        CHECK(!key == !row->good);
        if (err && strlen(row->text) > 2)
            CHECK(!strstr(err_message(), row->text));
        ethereum_key_free(key);
    }
}

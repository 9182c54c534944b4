/*
 * The expected values are those of RFC 1321 §A.5 and of FIPS 180-4's examples,
 * and joined ones were computed by md5sum.
 */
#include "base/hash.h"

#include "harness.h"

#include <string.h>

static void check_sha256(const uint8_t *digest, const char *wanted)
{
    char hex[2 * SHA256_BYTES + 1];
    hash_hex(digest, SHA256_BYTES, hex);
    CHECK_EQ_TEXT(hex, wanted);
}

TEST(sha256_of_known_bytes)
{
    static const struct {
        const char *bytes;
        const char *digest;
    } rows[] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    uint8_t digest[SHA256_BYTES];
    EACH_ROW (row, rows) {
        hash_sha256(row->bytes, strlen(row->bytes), digest);
        check_sha256(digest, row->digest);
    }
    struct text parts[] = {text_of("a"), text_of(""), text_of("bc")};
    hash_sha256_parts(parts, 3, digest);
    check_sha256(digest, rows[1].digest);
}

/* Every length of a last block, given at once and byte by byte; then FIPS
 * 180-4's long example. */
TEST(sha256_of_any_length)
{
    static char bytes[1000000];
    uint8_t whole[SHA256_BYTES];
    uint8_t joined[SHA256_BYTES];
    memset(bytes, 'a', sizeof bytes);
    for (size_t length = 0; length < 200; length++) {
        struct hash_stream *stream = hash_stream_new();
        for (size_t i = 0; i < length; i++)
            hash_stream_add(stream, bytes + i, 1);
        hash_stream_finish(stream, joined);
        hash_sha256(bytes, length, whole);
        CHECK_EQ_MEMORY(joined, whole, SHA256_BYTES);
    }
    hash_sha256(bytes, sizeof bytes, whole);
    check_sha256(whole, "cdc76e5c9914fb9281a1c7e284d73e67"
                        "f1809a48a497200e046d39ccc7112cd0");
}

TEST(md5_of_parts_joined_with_a_bar)
{
    static const struct {
        const char *parts[3];
        size_t count;
        const char *digest;
    } rows[] = {
        {{""}, 1, "d41d8cd98f00b204e9800998ecf8427e"},
        {{"abc"}, 1, "900150983cd24fb0d6963f7d28e17f72"},
        {{"message digest"}, 1, "f96b697d7cb7938d525a2f31aaf161d0"},
        {{"a", "b", "c"}, 3, "2e077b3ec5932ac3cf914ebdf242b4ee"},
        {{"", ""}, 2, "b99834bc19bbad24580b3adfa04fb947"},
        {{NULL}, 0, "d41d8cd98f00b204e9800998ecf8427e"},
    };
    char digest[MD5_HEX_BYTES];
    EACH_ROW (row, rows) {
        struct text parts[3];
        for (size_t i = 0; i < row->count; i++)
            parts[i] = text_of(row->parts[i]);
        hash_md5_joined(parts, row->count, digest);
        CHECK_EQ_TEXT(digest, row->digest);
    }
}

TEST(hex_is_lower_case_and_terminated)
{
    char hex[9] = "????????";
    hash_hex((const uint8_t *)"\x00\x9f\xa0\xff", 4, hex);
    CHECK_EQ_TEXT(hex, "009fa0ff");
    hash_hex((const uint8_t *)"", 0, hex);
    CHECK_EQ_TEXT(hex, "");
}

TEST(the_fast_hash_tells_lengths_and_bytes_apart)
{
    static const char zeros[64];
    uint64_t seen[64];
    for (size_t i = 0; i < 64; i++) {
        seen[i] = hash_fast(zeros, i);
        for (size_t j = 0; j < i; j++)
            REQUIRE(seen[i] != seen[j]);
    }
    CHECK(hash_fast("abcdefgh1", 9) != hash_fast("abcdefgh2", 9));
    CHECK(hash_fast("abcd", 3) == hash_fast("abc", 3)); /* LENGTH bytes only */
}

/* RFC 4231, cases 1, 2 and 6. */
TEST(hmac_follows_its_vectors)
{
    static const struct {
        const char *key;
        size_t key_length;
        const char *one;
        const char *two;
        const char *hex;
    } rows[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
         "\x0b\x0b\x0b\x0b",
         20, "Hi ", "There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want ", "for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {NULL, 131, "Test Using Larger Than Block-Size Key",
         " - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    char long_key[131];
    memset(long_key, 0xaa, sizeof long_key);
    EACH_ROW (row, rows) {
        uint8_t out[SHA256_BYTES];
        char hex[2 * SHA256_BYTES + 1];
        struct text parts[2] = {text_of(row->one), text_of(row->two)};
        struct text key = {row->key ? row->key : long_key, row->key_length};
        hash_hmac_sha256(key, parts, 2, out);
        hash_hex(out, sizeof out, hex);
        CHECK_EQ_TEXT(hex, row->hex);
    }
}

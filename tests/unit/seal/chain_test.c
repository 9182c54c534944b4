/*
 * The expected values were computed by another program from the rules in
 * seal.h, so that a change of a rule is a failure here.
 */
#include "seal/seal.h"

#include "harness.h"

#include <string.h>

static void check_hex(const uint8_t hash[SHA256_BYTES], const char *wanted)
{
    char hex[2 * SHA256_BYTES + 1];
    hash_hex(hash, SHA256_BYTES, hex);
    CHECK_EQ_TEXT(hex, wanted);
}

TEST(a_chain_starts_with_the_feed_and_goes_on_with_blocks)
{
    uint8_t chain[SHA256_BYTES];
    uint8_t block[SHA256_BYTES];
    seal_chain_start(text_of("import"), text_of("acme"), text_of("accepted"),
                     chain);
    check_hex(chain, "cbbc0d1a83b8c5c9976049a97408c50a"
                     "7b33304f8720f13bded9e490704e4c32");
    hash_sha256("block one", 9, block);
    seal_chain_add(chain, block);
    check_hex(chain, "dfb8381523f71363773037102291302f"
                     "2f970981f80350ff788fda54635d2c8b");
}

TEST(names_of_feeds_do_not_run_together)
{
    uint8_t a[SHA256_BYTES];
    uint8_t b[SHA256_BYTES];
    seal_chain_start(text_of("ab"), text_of("c"), text_of("accepted"), a);
    seal_chain_start(text_of("a"), text_of("bc"), text_of("accepted"), b);
    CHECK(memcmp(a, b, SHA256_BYTES) != 0);
}

TEST(an_open_block_hashes_its_chunks_in_order)
{
    uint8_t hash[SHA256_BYTES];
    seal_open_start(hash);
    seal_open_add(hash, text_of("first"));
    seal_open_add(hash, text_of("second"));
    check_hex(hash, "de1e86981ce97f7ca334a50ce77d42ac"
                    "e7c020d4c3d4dd9aa6185f4fd8bf40a0");
    seal_open_start(hash);
    seal_open_add(hash, text_of("firstsecond"));
    CHECK(hash[0] != 0xde);
}

#include "ingest/seen_chunk.h"

#include "harness.h"

#include <string.h>

struct gathered {
    struct seen_entry list[64];
    size_t count;
};

static void gather(void *context, const struct seen_entry *entry)
{
    struct gathered *gathered = context;
    if (gathered->count < 64)
        gathered->list[gathered->count++] = *entry;
}

static struct text bytes_of(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

static void check_entry(const struct seen_entry *got,
                        const struct seen_entry *wanted)
{
    CHECK_EQ_INT(got->line, wanted->line);
    CHECK_EQ_INT((int64_t)got->fingerprint, (int64_t)wanted->fingerprint);
    CHECK_EQ_INT(got->conflict, wanted->conflict);
    CHECK_EQ_INT(got->beaten, wanted->beaten);
}

/* Sorted by line, as they come back. */
static const struct seen_entry samples[] = {
    {.fingerprint = 0, .line = 0},
    {.fingerprint = SEEN_FINGERPRINT_MASK, .line = 65536},
    {.fingerprint = 7, .line = 65537, .conflict = true},
    {.fingerprint = 7, .line = 65538},
    {.fingerprint = 5, .line = 70000, .beaten = true},
    {.fingerprint = 6,
     .line = (int64_t)1 << 47,
     .conflict = true,
     .beaten = true},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

TEST(entries_come_back_by_line)
{
    for (size_t count = 0; count <= SAMPLES; count++) {
        struct seen_entry shuffled[SAMPLES];
        struct gathered got = {.count = 0};
        struct buf bytes = {0};
        for (size_t i = 0; i < count; i++)
            shuffled[i] = samples[(i + 2) % count];
        seen_chunk_encode(&bytes, shuffled, count, false);
        CHECK(bytes.length % 16 != 0);
        CHECK(seen_chunk_decode(bytes_of(&bytes), gather, &got));
        CHECK_EQ_INT(got.count, count);
        for (size_t i = 0; i < count; i++)
            check_entry(&got.list[i], &samples[i]);
        buf_free(&bytes);
    }
}

TEST(lines_one_after_another_take_six_bytes_each)
{
    struct seen_entry entries[64];
    struct buf bytes = {0};
    for (int i = 0; i < 64; i++)
        entries[i] =
            (struct seen_entry){.fingerprint = 77, .line = 1 << 20 | (63 - i)};
    seen_chunk_encode(&bytes, entries, 64, false);
    CHECK(bytes.length < 64 * 6 + 10);
    buf_free(&bytes);
}

TEST(cold_ones_take_nearly_nothing_and_keep_their_flags)
{
    struct seen_entry entries[1000];
    struct buf bytes = {0};
    struct gathered got = {.count = 0};
    for (int i = 0; i < 1000; i++)
        entries[i] = (struct seen_entry){.line = 1 << 20 | i};
    seen_chunk_encode(&bytes, entries, 1000, true);
    CHECK(bytes.length < 16);
    buf_clear(&bytes);
    memcpy(entries, samples, sizeof samples);
    seen_chunk_encode(&bytes, entries, SAMPLES, true);
    CHECK(seen_chunk_decode(bytes_of(&bytes), gather, &got));
    CHECK_EQ_INT(got.count, SAMPLES);
    for (size_t i = 0; i < SAMPLES && i < got.count; i++) {
        struct seen_entry wanted = samples[i];
        wanted.fingerprint = 0;
        check_entry(&got.list[i], &wanted);
    }
    buf_free(&bytes);
}

TEST(the_former_chunks_are_read)
{
    struct buf bytes = {0};
    struct gathered got = {.count = 0};
    buf_add_u64(&bytes, 0x1234567890abcdef);
    buf_add_u64(&bytes, (uint64_t)1 << 63 | 65537);
    buf_add_u64(&bytes, 5);
    buf_add_u64(&bytes, (uint64_t)1 << 62 | 9);
    CHECK(seen_chunk_decode(bytes_of(&bytes), gather, &got));
    CHECK_EQ_INT(got.count, 2);
    check_entry(&got.list[0],
                &(struct seen_entry){.fingerprint = 0x567890abcdef,
                                     .line = 65537,
                                     .conflict = true});
    check_entry(&got.list[1], &(struct seen_entry){
                                  .fingerprint = 5, .line = 9, .beaten = true});
    buf_free(&bytes);
}

TEST(damaged_chunks_are_refused_or_harmless)
{
    struct seen_entry entries[SAMPLES];
    struct buf bytes = {0};
    memcpy(entries, samples, sizeof entries);
    seen_chunk_encode(&bytes, entries, SAMPLES, false);
    for (size_t cut = 1; cut < bytes.length; cut++) {
        struct gathered got = {.count = 0};
        struct text part = {bytes.data, cut};
        if (cut % 16 && cut < SAMPLES * 6 + 10)
            CHECK(!seen_chunk_decode(part, gather, &got));
    }
    for (size_t i = 0; i < bytes.length; i++) {
        struct gathered got = {.count = 0};
        bytes.data[i] ^= (char)0x81;
        (void)seen_chunk_decode(bytes_of(&bytes), gather, &got);
        CHECK(got.count <= SAMPLES);
        bytes.data[i] ^= (char)0x81;
    }
    buf_free(&bytes);
}

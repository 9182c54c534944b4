#include "store/block.h"

#include "base/random.h"
#include "harness.h"

#include <string.h>

static struct text bytes_of(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

static struct evidence_line a_line(const char *bytes, int64_t arrival_ms,
                                   int64_t event_ms)
{
    return (struct evidence_line){.kind = EVIDENCE_LINE,
                                  .arrival_ms = arrival_ms,
                                  .event_ms = event_ms,
                                  .bytes = text_of(bytes),
                                  .length = strlen(bytes)};
}

static void check_same(const struct evidence_line *got,
                       const struct evidence_line *wanted)
{
    CHECK_EQ_INT(got->kind, wanted->kind);
    CHECK_EQ_INT(got->arrival_ms, wanted->arrival_ms);
    CHECK_EQ_INT(got->event_ms, wanted->event_ms);
    CHECK_EQ_INT(got->length, wanted->length);
    CHECK_EQ_INT(got->repeats, wanted->repeats);
    CHECK(text_equal(got->bytes, wanted->bytes));
    CHECK_EQ_MEMORY(got->sha256, wanted->sha256, SHA256_BYTES);
}

/* Every kind, and times that no clock has. */
static const struct evidence_line samples[] = {
    {.arrival_ms = 1767908945298,
     .event_ms = 1767908945000,
     .length = 5,
     .bytes = {"a\0b\nc", 5}},
    {.arrival_ms = 1767908945298, .event_ms = INT64_MIN, .bytes = {"", 0}},
    {.arrival_ms = INT64_MAX, .event_ms = INT64_MIN + 1, .bytes = {"", 0}},
    {.arrival_ms = INT64_MIN, .event_ms = INT64_MAX, .bytes = {"", 0}},
    {.kind = EVIDENCE_REPEAT,
     .arrival_ms = 1,
     .event_ms = 0,
     .length = 77,
     .repeats = 65536,
     .bytes = {"", 0}},
    {.kind = EVIDENCE_REPEAT,
     .arrival_ms = 1,
     .event_ms = 0,
     .length = 77,
     .repeats = INT64_MAX,
     .bytes = {"", 0}},
    {.kind = EVIDENCE_OVERSIZE,
     .arrival_ms = 0,
     .event_ms = INT64_MIN,
     .length = 1000000000000,
     .bytes = {"beginning", 9},
     .sha256 = {1, 2, 3}},
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static void fill(struct block *block, int64_t number)
{
    block_start(block, number);
    for (size_t i = 0; i < SAMPLES; i++)
        block_add(block, &samples[i]);
}

TEST(records_are_read_as_they_were_added)
{
    struct block block = {0};
    struct block_cursor cursor;
    struct evidence_line line = {0};
    fill(&block, 7);
    REQUIRE(block_cursor_start(&cursor, 7, bytes_of(&block.raw)));
    for (size_t i = 0; i < SAMPLES; i++) {
        REQUIRE(block_cursor_next(&cursor, &line));
        check_same(&line, &samples[i]);
        CHECK_EQ_INT(line.line, 7 * 65536 + (int64_t)i);
    }
    CHECK(!block_cursor_next(&cursor, &line));
    CHECK(!cursor.reader.failed);
    block_free(&block);
}

TEST(a_restored_block_goes_on_like_the_first)
{
    struct block one = {0};
    struct block two = {0};
    struct evidence_line more = a_line("more", 5, 6);
    fill(&one, 9);
    REQUIRE(block_restore(&two, 9, bytes_of(&one.raw)));
    block_add(&one, &more);
    block_add(&two, &more);
    CHECK(text_equal(bytes_of(&one.raw), bytes_of(&two.raw)));
    CHECK_EQ_INT(two.lines, SAMPLES + 1);
    CHECK_EQ_INT(two.first_arrival_ms, INT64_MIN);
    CHECK_EQ_INT(two.last_arrival_ms, INT64_MAX);
    block_free(&one);
    block_free(&two);
}

TEST(bytes_of_another_block_are_refused)
{
    struct block block = {0};
    struct block other = {0};
    fill(&block, 7);
    CHECK(!block_restore(&other, 8, bytes_of(&block.raw)));
    block_free(&block);
    block_free(&other);
}

TEST(damaged_records_never_lead_outside)
{
    struct block block = {0};
    struct block other = {0};
    fill(&block, 7);
    for (size_t length = 0; length < block.raw.length; length++)
        (void)block_restore(&other, 7, (struct text){block.raw.data, length});
    for (size_t at = 0; at < block.raw.length; at++) {
        char kept = block.raw.data[at];
        for (int bit = 0; bit < 8; bit++) {
            block.raw.data[at] = (char)(kept ^ (1 << bit));
            (void)block_restore(&other, 7, bytes_of(&block.raw));
        }
        block.raw.data[at] = kept;
    }
    CHECK(!block_restore(&other, 7,
                         (struct text){block.raw.data, block.raw.length - 1}));
    block_free(&block);
    block_free(&other);
}

TEST(days_are_a_set)
{
    static const struct {
        int64_t event_ms;
        int64_t day;
    } rows[] = {{0, 0},
                {86399999, 0},
                {86400000, 1},
                {-1, -1},
                {-86400000, -1},
                {-86400001, -2},
                {INT64_MAX, INT64_MAX / 86400000},
                {INT64_MIN + 1, INT64_MIN / 86400000 - 1}};
    EACH_ROW (row, rows) {
        struct block block = {0};
        struct evidence_line line = a_line("x", 0, row->event_ms);
        block_start(&block, 1);
        block_add(&block, &line);
        block_add(&block, &line);
        CHECK_EQ_INT(block.days.count, 1);
        CHECK_EQ_INT(block.days.days[0], row->day);
        block_free(&block);
    }
}

TEST(day_sets_are_ascending_and_read_back)
{
    struct day_set set = {0};
    struct day_set again = {0};
    struct buf encoded = {0};
    static const int64_t days[] = {5, -3, 5, 20000, 0, INT64_MAX, INT64_MIN, 7};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
        day_set_add(&set, days[i]);
    day_set_encode(&set, &encoded);
    REQUIRE(day_set_decode(&again, bytes_of(&encoded)));
    CHECK_EQ_INT(again.count, 7);
    for (size_t i = 0; i < again.count; i++) {
        CHECK_EQ_INT(again.days[i], set.days[i]);
        CHECK(!i || again.days[i - 1] < again.days[i]);
    }
    CHECK(!day_set_decode(&again,
                          (struct text){encoded.data, encoded.length - 1}));
    CHECK(!day_set_decode(&again, (struct text){"", 0}));
    /* A count that lies must not cost time or memory. */
    CHECK(!day_set_decode(
        &again, (struct text){"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9}));
    buf_free(&encoded);
    day_set_free(&set);
    day_set_free(&again);
}

TEST(a_block_is_full_by_bytes_or_by_lines)
{
    struct block block = {0};
    struct buf large = {0};
    struct evidence_line small = a_line("", 0, 0);
    block_start(&block, 1);
    for (int i = 0; i < BLOCK_LINES - 1; i++)
        block_add(&block, &small);
    CHECK(!block_is_full(&block));
    block_add(&block, &small);
    CHECK(block_is_full(&block));
    buf_reserve(&large, BLOCK_RAW_BYTES);
    memset(large.data, 'x', BLOCK_RAW_BYTES);
    small.bytes = (struct text){large.data, BLOCK_RAW_BYTES};
    small.length = BLOCK_RAW_BYTES;
    block_start(&block, 2);
    CHECK(!block_is_full(&block));
    block_add(&block, &small);
    CHECK(block_is_full(&block));
    block_free(&block);
    buf_free(&large);
}

TEST(packing_gives_back_the_bytes)
{
    static const size_t sizes[] = {1, 10, 255, 256, 5000, 300000};
    struct packer *packer = packer_new();
    EACH_ROW (size, sizes) {
        struct buf raw = {0};
        struct buf packed = {0};
        struct buf back = {0};
        buf_reserve(&raw, *size);
        raw.length = *size;
        for (int random = 0; random < 2; random++) {
            if (random)
                random_bytes(raw.data, *size);
            else
                memset(raw.data, 'a', *size);
            packed.length = back.length = 0;
            pack_body(packer, bytes_of(&raw), &packed);
            CHECK(unpack_body(packer, bytes_of(&packed), &back));
            CHECK(text_equal(bytes_of(&raw), bytes_of(&back)));
            packed.length = back.length = 0;
            pack_chunk(packer, bytes_of(&raw), &packed);
            CHECK(packed.length <= raw.length + 1);
            CHECK(unpack_chunk(packer, bytes_of(&packed), &back));
            CHECK(text_equal(bytes_of(&raw), bytes_of(&back)));
            CHECK(!unpack_body(
                packer, (struct text){packed.data, packed.length / 2}, &back));
        }
        buf_free(&raw);
        buf_free(&packed);
        buf_free(&back);
    }
    packer_free(packer);
}

TEST(a_frame_that_claims_too_much_is_not_unpacked)
{
    struct packer *packer = packer_new();
    struct buf raw = {0};
    struct buf packed = {0};
    struct buf back = {0};
    buf_reserve(&raw, BLOCK_RAW_MAX_BYTES + 1);
    raw.length = BLOCK_RAW_MAX_BYTES + 1;
    memset(raw.data, 'a', raw.length);
    pack_body(packer, bytes_of(&raw), &packed);
    CHECK(!unpack_body(packer, bytes_of(&packed), &back));
    CHECK_EQ_INT(back.length, 0);
    CHECK(!unpack_chunk(packer, (struct text){"\7abc", 4}, &back));
    CHECK(!unpack_chunk(packer, (struct text){"", 0}, &back));
    buf_free(&raw);
    buf_free(&packed);
    buf_free(&back);
    packer_free(packer);
}

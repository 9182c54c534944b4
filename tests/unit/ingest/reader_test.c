/*
 * Compressed inputs are made here with the libraries themselves.
 */
#include "ingest/ingest.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* An input given STEP bytes at a time, from memory of exactly that size. */
struct input {
    struct text bytes;
    size_t step;
    size_t at;
    char *copy;
    struct buf out; /* records, each followed by "|" */
};

static enum err feed(void *context, const char **bytes, size_t *length)
{
    struct input *input = context;
    size_t left = input->bytes.length - input->at;
    *length = left < input->step ? left : input->step;
    free(input->copy);
    input->copy = memory_alloc(*length);
    if (*length)
        memcpy(input->copy, input->bytes.data + input->at, *length);
    input->at += *length;
    *bytes = input->copy;
    return ERR_NONE;
}

static enum err take(void *context, struct text record)
{
    struct input *input = context;
    buf_add(&input->out, record.data, record.length);
    buf_add_byte(&input->out, '|');
    return ERR_NONE;
}

static enum err take_oversize(void *context, struct text kept, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES])
{
    (void)sha256;
    CHECK(length > EVIDENCE_LINE_MAX_BYTES);
    return take(context, (struct text){kept.data, 5});
}

static void read_all(struct input *input, struct reader_report *report)
{
    const struct byte_source source = {input, feed};
    const struct record_sink sink = {input, take, take_oversize};
    REQUIRE_OK(read_records(&source, &sink, report));
    free(input->copy);
}

/* Reads BYTES in several steps and checks that they make no difference;
 * returns the records. */
static struct buf read_in_steps(struct text bytes, const char *compression,
                                bool truncated)
{
    static const size_t steps[] = {SIZE_MAX, 1, 2, 3, 1000};
    struct buf first = {0};
    EACH_ROW (step, steps) {
        struct input input = {.bytes = bytes, .step = *step};
        struct reader_report report;
        read_all(&input, &report);
        CHECK_EQ_TEXT(report.compression, compression);
        CHECK_EQ_INT(report.truncated, truncated);
        if (*step == SIZE_MAX) {
            first = input.out;
            continue;
        }
        CHECK_EQ_TEXT(buf_string(&input.out), buf_string(&first));
        buf_free(&input.out);
    }
    return first;
}

static void check_read(struct text bytes, const char *compression,
                       bool truncated, const char *wanted)
{
    struct buf out = read_in_steps(bytes, compression, truncated);
    CHECK_EQ_TEXT(buf_string(&out), wanted);
    buf_free(&out);
}

static void add_gzip(struct buf *out, struct text text)
{
    z_stream stream = {0};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) ==
            Z_OK);
    size_t bound = deflateBound(&stream, (uLong)text.length);
    buf_reserve(out, bound);
    stream.next_in = (Bytef *)(uintptr_t)text.data;
    stream.avail_in = (uInt)text.length;
    stream.next_out = (Bytef *)out->data + out->length;
    stream.avail_out = (uInt)bound;
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out->length += stream.total_out;
    deflateEnd(&stream);
}

static void add_zstd(struct buf *out, struct text text)
{
    size_t bound = ZSTD_compressBound(text.length);
    buf_reserve(out, bound);
    size_t size = ZSTD_compress(out->data + out->length, bound, text.data,
                                text.length, 3);
    REQUIRE(!ZSTD_isError(size));
    out->length += size;
}

typedef void add_compressed(struct buf *out, struct text text);

static const struct compression {
    const char *name;
    add_compressed *add;
} compressions[] = {{"gzip", add_gzip}, {"zstd", add_zstd}};

static struct text text_in(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

TEST(plain_input)
{
    check_read(text_of(""), "none", false, "");
    check_read(text_of("{}"), "none", false, "{}|");
    check_read(text_of("{\"a\":1}\n{\"b\":2}\n"), "none", false,
               "{\"a\":1}|{\"b\":2}|");
    check_read(text_of("\x1f"), "none", false, "\x1f|");
    check_read(text_of("\x28\xb5\x2f"), "none", false, "\x28\xb5\x2f|");
    check_read(text_of("\xef\xbb\xbf{}"), "none", false, "{}|");
}

TEST(compressed_input_in_one_part_and_in_several)
{
    EACH_ROW (compression, compressions) {
        struct buf bytes = {0};
        compression->add(&bytes, text_of("{\"a\":1}\n{\"b\":"));
        compression->add(&bytes, text_of(""));
        compression->add(&bytes, text_of("2}\n{\"c\":3}"));
        check_read(text_in(&bytes), compression->name, false,
                   "{\"a\":1}|{\"b\":2}|{\"c\":3}|");
        /* What follows the compressed data is damage. */
        buf_add_string(&bytes, "trailing");
        check_read(text_in(&bytes), compression->name, true,
                   "{\"a\":1}|{\"b\":2}|{\"c\":3}|");
        buf_free(&bytes);
    }
}

TEST(compressed_input_that_is_cut)
{
    static const char text[] = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n";
    EACH_ROW (compression, compressions) {
        struct buf bytes = {0};
        compression->add(&bytes, text_of(text));
        for (size_t length = 4; length < bytes.length; length++) {
            struct buf out = read_in_steps((struct text){bytes.data, length},
                                           compression->name, true);
            CHECK(!strncmp(buf_string(&out), "{\"a\":1}|{\"b\":2}|{\"c\":3}|",
                           out.length ? out.length - 1 : 0));
            buf_free(&out);
        }
        buf_free(&bytes);
    }
}

TEST(damaged_compressed_input_gives_what_came_before)
{
    EACH_ROW (compression, compressions) {
        struct buf bytes = {0};
        compression->add(&bytes, text_of("{\"a\":1}\n"));
        size_t whole = bytes.length;
        compression->add(&bytes, text_of("{\"b\":2}\n"));
        memset(bytes.data + whole, 0xff, bytes.length - whole);
        check_read(text_in(&bytes), compression->name, true, "{\"a\":1}|");
        buf_free(&bytes);
    }
}

TEST(a_frame_with_less_than_it_says_is_damaged)
{
    /* RFC 8878: magic, one byte of size (5), an empty last block. */
    static const char frame[] = "\x28\xb5\x2f\xfd\x20\x05\x01\x00\x00";
    static const char empty[] = "\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00";
    check_read((struct text){frame, sizeof frame - 1}, "zstd", true, "");
    check_read((struct text){empty, sizeof empty - 1}, "zstd", false, "");
}

/* Much output from little input, cut so that it ends while a buffer is full:
 * what came out so far must not depend on how the input came in. */
TEST(output_that_waits_is_not_lost)
{
    enum { RECORDS = 300000 };
    EACH_ROW (compression, compressions) {
        struct buf text = {0};
        struct buf bytes = {0};
        for (int i = 0; i < RECORDS; i++)
            buf_add_string(&text, "{}\n");
        compression->add(&bytes, text_in(&text));
        for (size_t cut = 0; cut < 12; cut++) {
            struct text part = {bytes.data, bytes.length - cut};
            struct buf out = read_in_steps(part, compression->name, cut > 0);
            if (!cut)
                CHECK_EQ_INT(out.length, 3 * RECORDS);
            buf_free(&out);
        }
        buf_free(&text);
        buf_free(&bytes);
    }
}

TEST(a_bomb_costs_only_time)
{
    struct buf text = {0};
    buf_reserve(&text, 64 << 20);
    memset(text.data, 'x', 64 << 20);
    text.length = 64 << 20;
    EACH_ROW (compression, compressions) {
        struct buf bytes = {0};
        compression->add(&bytes, text_in(&text));
        struct input input = {.bytes = text_in(&bytes), .step = 4096};
        struct reader_report report;
        read_all(&input, &report);
        CHECK_EQ_INT(report.records, 1);
        CHECK_EQ_TEXT(buf_string(&input.out), "xxxxx|");
        buf_free(&input.out);
        buf_free(&bytes);
    }
    buf_free(&text);
}

static enum err fail(void *context, const char **bytes, size_t *length)
{
    int *left = context;
    *bytes = "{}\n";
    *length = 3;
    return --*left ? ERR_NONE : err_set(ERR_INPUT, "cannot be read");
}

TEST(an_error_of_the_source_is_passed_on)
{
    for (int good = 1; good <= 4; good++) {
        int left = good;
        struct input input = {.step = 1};
        struct reader_report report;
        const struct byte_source source = {&left, fail};
        const struct record_sink sink = {&input, take, take_oversize};
        CHECK_ERR(read_records(&source, &sink, &report), ERR_INPUT);
        buf_free(&input.out);
    }
}

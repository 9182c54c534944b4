#include "base/buf.h"

#include "harness.h"

#include <float.h>
#include <math.h>
#include <string.h>

TEST(a_buffer_takes_bytes_texts_and_formats)
{
    struct buf buf = {0};
    CHECK_EQ_TEXT(buf_string(&buf), "");
    buf_add(&buf, NULL, 0);
    buf_add_string(&buf, "one ");
    buf_add_byte(&buf, '2');
    buf_printf(&buf, " %s%d", "three", 4);
    buf_printf(&buf, "%s", "");
    CHECK_EQ_TEXT(buf_string(&buf), "one 2 three4");
    CHECK_EQ_INT(buf.length, 12);
    buf_clear(&buf);
    CHECK_EQ_INT(buf.length, 0);
    buf_printf(&buf, "%5000d", 1);
    CHECK_EQ_INT(buf.length, 5000);
    CHECK_EQ_INT(strlen(buf_string(&buf)), 5000);
    buf_free(&buf);
    CHECK(!buf.data);
}

TEST(variable_width_integers_are_read_back)
{
    static const struct {
        uint64_t value;
        size_t bytes;
    } rows[] = {{0, 1},           {1, 1},          {127, 1},
                {128, 2},         {16383, 2},      {16384, 3},
                {UINT32_MAX, 5},  {1ULL << 56, 9}, {INT64_MAX, 9},
                {1ULL << 63, 10}, {UINT64_MAX, 10}};
    EACH_ROW (row, rows) {
        struct buf buf = {0};
        buf_add_varint(&buf, row->value);
        CHECK_EQ_INT(buf.length, row->bytes);
        struct reader in = reader_over(buf.data, buf.length);
        CHECK(read_varint(&in) == row->value);
        CHECK(!in.failed && in.at == in.end);
        in = reader_over(buf.data, buf.length - 1);
        read_varint(&in);
        CHECK(in.failed);
        buf_free(&buf);
    }
}

TEST(small_signed_integers_stay_short)
{
    static const struct {
        int64_t value;
        size_t bytes;
    } rows[] = {{0, 1},  {-1, 1},         {63, 1},        {-64, 1},
                {64, 2}, {INT64_MAX, 10}, {INT64_MIN, 10}};
    EACH_ROW (row, rows) {
        struct buf buf = {0};
        buf_add_signed(&buf, row->value);
        CHECK_EQ_INT(buf.length, row->bytes);
        struct reader in = reader_over(buf.data, buf.length);
        CHECK_EQ_INT(read_signed(&in), row->value);
        CHECK(!in.failed);
        buf_free(&buf);
    }
}

TEST(doubles_keep_every_bit)
{
    static const double rows[] = {0.0,     -0.0,     1.5,     -DBL_MAX,
                                  DBL_MIN, 4.9e-324, 1.0 / 3, 1e300};
    EACH_ROW (value, rows) {
        struct buf buf = {0};
        buf_add_double(&buf, *value);
        CHECK_EQ_INT(buf.length, 8);
        struct reader in = reader_over(buf.data, buf.length);
        CHECK_EQ_DOUBLE(read_double(&in), *value);
        buf_free(&buf);
    }
}

TEST(fixed_integers_are_little_endian)
{
    struct buf buf = {0};
    buf_add_u64(&buf, 0x0102030405060708u);
    CHECK_EQ_MEMORY(buf.data, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    struct reader in = reader_over(buf.data, buf.length);
    CHECK(read_u64(&in) == 0x0102030405060708u);
    buf_free(&buf);
}

TEST(an_overlong_integer_fails)
{
    static const char bytes[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    struct reader in = reader_over(bytes, 11);
    CHECK_EQ_INT(read_varint(&in), 0);
    CHECK(in.failed);
}

TEST(texts_are_read_in_place_or_not_at_all)
{
    struct buf buf = {0};
    buf_add_text(&buf, (struct text){"a\0b", 3});
    buf_add_text(&buf, text_of(""));
    struct reader in = reader_over(buf.data, buf.length);
    struct text text = read_text(&in);
    CHECK(text.data == buf.data + 1 && text.length == 3);
    CHECK_EQ_INT(read_text(&in).length, 0);
    CHECK(!in.failed && in.at == in.end);
    in = reader_over(buf.data, 3);
    text = read_text(&in);
    CHECK(in.failed && text.length == 0);
    buf_free(&buf);
}

TEST(a_failed_reader_stays_failed_and_gives_zeros)
{
    struct reader in = reader_over("\x05xyz", 4);
    CHECK_EQ_INT(read_text(&in).length, 0);
    CHECK(in.failed);
    CHECK_EQ_INT(read_byte(&in), 0);
    CHECK_EQ_INT(read_varint(&in), 0);
    CHECK_EQ_INT(read_signed(&in), 0);
    CHECK(read_u64(&in) == 0);
    CHECK_EQ_INT(read_bytes(&in, 1).length, 0);
    CHECK(in.failed);
    in = reader_over(NULL, 0);
    CHECK(!in.failed && in.at == in.end);
    CHECK_EQ_INT(read_bytes(&in, 0).length, 0);
    CHECK(!in.failed);
    CHECK_EQ_INT(read_bytes(&in, UINT64_MAX).length, 0);
    CHECK(in.failed);
}

TEST(texts_order_by_bytes_and_then_by_length)
{
    static const struct {
        const char *a;
        const char *b;
        int order;
    } rows[] = {{"", "", 0},    {"", "a", -1},       {"a", "", 1},
                {"a", "b", -1}, {"ab", "a", 1},      {"a", "ab", -1},
                {"B", "a", -1}, {"\xc3\xa4", "z", 1}};
    EACH_ROW (row, rows) {
        int order = text_compare(text_of(row->a), text_of(row->b));
        CHECK_EQ_INT((order > 0) - (order < 0), row->order);
        CHECK_EQ_INT(text_equal(text_of(row->a), text_of(row->b)), !row->order);
        CHECK_EQ_INT(text_is(text_of(row->a), row->b), !row->order);
    }
    CHECK(!text_is((struct text){"a\0", 2}, "a"));
}

TEST(the_front_is_dropped_and_the_rest_moves_up)
{
    struct buf buf = {0};
    buf_drop(&buf, 0);
    buf_add_string(&buf, "abcdef");
    buf_drop(&buf, 2);
    CHECK_EQ_TEXT(buf_string(&buf), "cdef");
    buf_drop(&buf, 0);
    CHECK_EQ_INT(buf.length, 4);
    buf_drop(&buf, 4);
    CHECK_EQ_INT(buf.length, 0);
    buf_add_string(&buf, "g");
    CHECK_EQ_TEXT(buf_string(&buf), "g");
    buf_free(&buf);
}

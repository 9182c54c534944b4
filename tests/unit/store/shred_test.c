#include "store/shred.h"

#include "base/random.h"
#include "harness.h"
#include "store/block.h"
#include "store/shape.h"

#include <string.h>

static struct text bytes_of(const struct buf *buf)
{
    return (struct text){buf->data, buf->length};
}

/* ---- shapes -------------------------------------------------------------- */

static struct value values[SHAPE_VALUES_MAX];

TEST(shape_of_lines)
{
    static const struct {
        const char *line;
        const char *shape;
    } cases[] = {
        {"", ""},
        {"{\"a\":1}", "{\"a\":\1}"},
        {"{\"a\":-12.50}", "{\"a\":\2}"},
        {"{\"a\":\"1767908945298\"}", "{\"a\":\"\1\"}"},
        {"{\"id\":\"0e984725-c51c-4bf4-9960-e1c80e27aba0\"}",
         "{\"id\":\"\3\"}"},
        {"{\"id\":\"0E984725-c51c-4bf4-9960-e1c80e27aba0\"}",
         "{\"id\":\"\4\"}"},
        {"[\"a\\\"b\", \"c\\\\\"]", "[\"\4\", \"\4\"]"},
        {"{\"k\\\"\":true}", "{\"k\\\"\":true}"},
        {"[1e5,01,-0,0,0.5,00.5,1.,-0.0]", "[\4,\4,\4,\1,\2,\4,\4,\4]"},
        {"[999999999999999999,1000000000000000000]", "[\1,\4]"},
        {"no json: 7 of 9", "no json: \1 of \1"},
    };
    struct buf shape = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count;
        buf_clear(&shape);
        CHECK(shape_cut(text_of(cases[i].line), &shape, values, &count));
        CHECK_EQ_TEXT(buf_string(&shape), cases[i].shape);
    }
    buf_free(&shape);
}

TEST(lines_that_are_not_cut)
{
    static const struct text lines[] = {
        {"{\"a\":\"open}", 10},
        {"{\"a\":\"x\1y\"}", 11},
        {"a\tb", 3},
        {"\"a\\\"", 4},
        {"\0", 1},
        {"{\"long enough\":\"\n\"}", 19},
        {"{\"k\1\":5,\"a\":1}", 14},
    };
    struct buf shape = {0};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        size_t count;
        CHECK(!shape_cut(lines[i], &shape, values, &count));
    }
    buf_free(&shape);
}

TEST(numbers_are_spelled_as_they_were)
{
    static const char *const numbers[] = {
        "0",      "7",       "-1",  "0.05",
        "-12.50", "100.000", "0.0", "999999999999999999"};
    struct buf out = {0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        size_t count;
        struct buf shape = {0};
        CHECK(shape_cut(text_of(numbers[i]), &shape, values, &count));
        CHECK_EQ_INT(count, 1);
        CHECK(values[0].kind != VALUE_TEXT);
        buf_clear(&out);
        value_write(&out, values[0].kind, values[0].number, values[0].decimals);
        CHECK_EQ_TEXT(buf_string(&out), numbers[i]);
        buf_free(&shape);
    }
    buf_free(&out);
}

/* ---- lines of a known shape ---------------------------------------------- */

static const char *const lines_alike[] = {
    "",
    "{\"a\":1}",
    "{\"a\":-27}",
    "{\"a\":1.5}",
    "{\"a\":.5}",
    "{\"a\":1}}",
    "{\"a\":\"1\"}",
    "{\"a\":\"\"}",
    "{\"a\":\"0e984725-c51c-4bf4-9960-e1c80e27aba0\"}",
    "{\"a\":\"0e984725-c51c-4bf4-9960-e1c80e27aba0 \"}",
    "{\"a\":\"x\\\"y\"}",
    "{\"a\":\"x\":1}",
    "{\"a\":\"x\1y\"}",
    "{\"a\":\"open}",
    "{\"b\":\"x\"}",
    "5\"7\"",
    "5\"7e\"",
    "5\"7\":1",
    "5\"7\\\"8\"",
};

static void check_match(const char *known, const char *line)
{
    static struct value found[SHAPE_VALUES_MAX];
    struct arena arena = {0};
    struct text_index columns = {0};
    struct buf text = {0};
    struct buf other = {0};
    struct shape shape;
    size_t count;
    if (shape_cut(text_of(known), &text, values, &count)) {
        shape_parse(&arena, &columns, bytes_of(&text), &shape);
        shape_remember(&shape, values);
        bool same = shape_cut(text_of(line), &other, values, &count) &&
                    text_equal(bytes_of(&text), bytes_of(&other));
        CHECK(shape_match(&shape, text_of(line), found) == same);
        for (size_t i = 0; same && i < count; i++) {
            CHECK_EQ_INT(found[i].kind, values[i].kind);
            CHECK(text_equal(found[i].text, values[i].text));
        }
    }
    buf_free(&text);
    buf_free(&other);
    text_index_free(&columns);
    arena_free(&arena);
}

TEST(a_known_shape_matches_the_lines_that_are_cut_to_it)
{
    EACH_ROW (known, lines_alike)
        EACH_ROW (line, lines_alike)
            check_match(*known, *line);
}

/* ---- blocks -------------------------------------------------------------- */

static void add_line(struct block *block, struct text bytes, int64_t event_ms)
{
    struct evidence_line line = {.arrival_ms = event_ms + 40,
                                 .event_ms = event_ms,
                                 .length = bytes.length,
                                 .bytes = bytes};
    block_add(block, &line);
}

static size_t check_round_trip(const struct block *block)
{
    struct buf pack = {0};
    struct buf noise = {0};
    struct buf out = {0};
    CHECK(shred_encode(bytes_of(&block->raw), &pack, &noise));
    CHECK(shred_decode(bytes_of(&pack), bytes_of(&noise), block->raw.length,
                       &out));
    CHECK(text_equal(bytes_of(&out), bytes_of(&block->raw)));
    struct text raw = bytes_of(&block->raw);
    CHECK(shred_gives(bytes_of(&pack), bytes_of(&noise), raw));
    raw.length--;
    CHECK(!shred_gives(bytes_of(&pack), bytes_of(&noise), raw));
    out.data[raw.length] ^= 1;
    CHECK(!shred_gives(bytes_of(&pack), bytes_of(&noise), bytes_of(&out)));
    buf_clear(&out);
    CHECK(!shred_decode(bytes_of(&pack), bytes_of(&noise),
                        block->raw.length - 1, &out));
    size_t size = pack.length + noise.length;
    buf_free(&pack);
    buf_free(&noise);
    buf_free(&out);
    return size;
}

TEST(a_block_of_anything_comes_back)
{
    static const struct text lines[] = {
        {"", 0},
        {"{\"stream_id\":\"a\",\"n\":5}", 23},
        {"{\"stream_id\":\"b\",\"n\":9223372036854775807}", 41},
        {"{\"stream_id\":\"a\",\"n\":-999999999999999999}", 41},
        {"a\0b\nc", 5},
        {"{\"v\":15.999951534393748}", 24},
        {"{\"v\":-0.00000000000000001}", 26},
        {"\xff\xfe{\"x\":\"\xc3\xa9\"}", 13},
    };
    struct block block = {0};
    block_start(&block, 7);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            add_line(&block, lines[i], 1767908945298 + round * 1000);
    struct evidence_line odd[] = {
        {.kind = EVIDENCE_REPEAT,
         .arrival_ms = INT64_MIN,
         .event_ms = INT64_MIN,
         .length = 77,
         .repeats = 7 << BLOCK_LINE_BITS,
         .bytes = {"", 0}},
        {.kind = EVIDENCE_OVERSIZE,
         .arrival_ms = INT64_MAX,
         .event_ms = INT64_MAX,
         .length = 1000000000000,
         .bytes = {"beginning", 9}},
    };
    block_add(&block, &odd[0]);
    block_add(&block, &odd[1]);
    check_round_trip(&block);
    block_free(&block);
}

static void add_status(struct block *block, int number)
{
    struct buf line = {0};
    int64_t ts = 1767908945298 + number * 100;
    buf_printf(&line,
               "{\"id\":\"%08x-c51c-4bf4-9960-e1c80e27aba0\",\"type\":"
               "\"ai_stream_status\",\"timestamp\":\"%lld\",\"data\":{"
               "\"stream_id\":\"stream-%d\",\"restart_count\":%d,\"fps\":%d.5,"
               "\"start_time\":%lld}}",
               (unsigned)number, (long long)ts, number % 7, number % 7,
               10 + number % 3, 1767908900000LL + number % 7);
    add_line(block, bytes_of(&line), ts);
    buf_free(&line);
}

TEST(telemetry_becomes_small)
{
    struct block block = {0};
    block_start(&block, 1);
    for (int i = 0; i < 1000; i++)
        add_status(&block, i);
    /* 16 of each line are its id. */
    CHECK(check_round_trip(&block) < 35 * 1000);
    block_free(&block);
}

TEST(more_columns_than_are_kept_apart)
{
    struct block block = {0};
    struct buf line = {0};
    block_start(&block, 1);
    for (int i = 0; i < SHAPE_COLUMNS_MAX + 50; i++) {
        buf_clear(&line);
        buf_printf(&line, "{\"key%d\":%d,\"text%d\":\"%d.x\"}", i, i, i, i % 9);
        add_line(&block, bytes_of(&line), i);
    }
    check_round_trip(&block);
    buf_free(&line);
    block_free(&block);
}

/* Any one byte changed is refused or gives something else within bounds. */
TEST(damage_does_no_harm)
{
    struct block block = {0};
    struct buf pack = {0};
    struct buf noise = {0};
    struct buf out = {0};
    block_start(&block, 1);
    for (int i = 0; i < 20; i++)
        add_status(&block, i);
    CHECK(shred_encode(bytes_of(&block.raw), &pack, &noise));
    for (size_t i = 0; i < pack.length; i++) {
        char kept = pack.data[i];
        pack.data[i] = (char)(kept ^ (1 << i % 8));
        buf_clear(&out);
        (void)shred_decode(bytes_of(&pack), bytes_of(&noise), 100000, &out);
        CHECK(out.length <= 100000);
        pack.data[i] = kept;
    }
    for (size_t cut = 0; cut < noise.length; cut++) {
        buf_clear(&out);
        CHECK(!shred_decode(bytes_of(&pack), (struct text){noise.data, cut},
                            100000, &out));
    }
    buf_free(&pack);
    buf_free(&noise);
    buf_free(&out);
    block_free(&block);
}

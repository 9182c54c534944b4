/*
 * Every input is also given byte by byte, and cut in two at every place: the
 * records must be the same.
 */
#include "ingest/splitter.h"

#include "base/hash.h"
#include "harness.h"

#include <stdlib.h>
#include <string.h>

/* Records, each followed by "|"; oversize ones as "#length:hash:kept|". */
struct taken {
    struct buf out;
    uint64_t count;
};

static enum err take(void *context, struct text record)
{
    struct taken *taken = context;
    /* White space after a record is ingest's to cut. */
    while (record.length && strchr(" \t\r\n", record.data[record.length - 1]) &&
           record.data[record.length - 1])
        record.length--;
    buf_add(&taken->out, record.data, record.length);
    buf_add_byte(&taken->out, '|');
    taken->count++;
    return ERR_NONE;
}

static enum err take_oversize(void *context, struct text kept, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES])
{
    struct taken *taken = context;
    char hex[2 * SHA256_BYTES + 1];
    hash_hex(sha256, SHA256_BYTES, hex);
    buf_printf(&taken->out, "#%llu:%s:%zu|", (unsigned long long)length, hex,
               kept.length);
    taken->count++;
    return ERR_NONE;
}

/* The records of BYTES, given up to FIRST at once and the rest by STEP. */
static struct taken split(struct text bytes, size_t first, size_t step)
{
    struct taken taken = {0};
    const struct record_sink sink = {&taken, take, take_oversize};
    struct splitter *splitter = splitter_new(&sink);
    for (size_t at = 0; at < bytes.length;) {
        size_t wanted = at < first ? first - at : step;
        size_t left = bytes.length - at;
        size_t length = wanted < left ? wanted : left;
        /* Exactly as many bytes as are given: a read beyond is found. */
        char *copy = memory_alloc(length);
        memcpy(copy, bytes.data + at, length);
        REQUIRE_OK(splitter_take(splitter, copy, length));
        free(copy);
        at += length;
    }
    REQUIRE_OK(splitter_end(splitter));
    CHECK_EQ_INT(splitter_records(splitter), taken.count);
    splitter_free(splitter);
    return taken;
}

static void check_split(struct text bytes, const char *wanted)
{
    struct taken whole = split(bytes, bytes.length, 1);
    CHECK_EQ_TEXT(buf_string(&whole.out), wanted);
    for (size_t first = 0; first < bytes.length; first++) {
        struct taken cut = split(bytes, first, bytes.length);
        REQUIRE(cut.out.length == whole.out.length);
        CHECK_EQ_MEMORY(cut.out.data, whole.out.data, cut.out.length);
        buf_free(&cut.out);
    }
    for (size_t step = 1; step <= 3; step++) {
        struct taken slow = split(bytes, 0, step);
        REQUIRE(slow.out.length == whole.out.length);
        CHECK_EQ_MEMORY(slow.out.data, whole.out.data, slow.out.length);
        buf_free(&slow.out);
    }
    buf_free(&whole.out);
}

#define MARK "\xef\xbb\xbf"

TEST(records_of_every_shape)
{
    static const struct {
        const char *bytes;
        const char *records;
    } rows[] = {
        /* nothing */
        {"", ""},
        {" \t\r\n\n", ""},
        {MARK, ""},
        {MARK "\n", ""},
        /* lines */
        {"{\"a\":1}", "{\"a\":1}|"},
        {"{\"a\":1}\n", "{\"a\":1}|"},
        {"{\"a\":1}\n{\"b\":2}", "{\"a\":1}|{\"b\":2}|"},
        {"{\"a\":1}\n\n  \n{\"b\":2}\n\n", "{\"a\":1}|{\"b\":2}|"},
        {"\n{\"a\":\"x\\\"{[\"}\n5\n", "{\"a\":\"x\\\"{[\"}|5|"},
        {MARK "{\"a\":1}\n{\"b\":2}", "{\"a\":1}|{\"b\":2}|"},
        {MARK MARK "{}\n{}", MARK "{}|{}|"},
        {"{}\n" MARK "{}\n{}", "{}|" MARK "{}|{}|"},
        {"\xef\xbb{}", "\xef\xbb{}|"},
        {"\xef", "\xef|"},
        {"\xef\xbb", "\xef\xbb|"},
        /* broken lines */
        {"{\"a\":1\n{\"b\":2}\n{\"c\":3}\n", "{\"a\":1|{\"b\":2}|{\"c\":3}|"},
        {"{\"a\":\"x\n{\"b\":2}\n", "{\"a\":\"x|{\"b\":2}|"},
        {"{\"a\":1}}\n{\"b\":2}\n", "{\"a\":1}}|{\"b\":2}|"},
        {"{\"a\":1}\n{\"b\":[\n{\"c\":\"\n{\"d\":4}\n",
         "{\"a\":1}|{\"b\":[|{\"c\":\"|{\"d\":4}|"},
        {"garbage\n{\"a\":1}\n]\n{\"b\":2}", "garbage|{\"a\":1}|]|{\"b\":2}|"},
        {"{\"a\":1}{\"b\":2}\n{\"c\":3}", "{\"a\":1}{\"b\":2}|{\"c\":3}|"},
        {"{\"a\":\"\\", "{\"a\":\"\\|"},
        /* an array */
        {"[]", ""},
        {"[{\"a\":1},{\"b\":[1,2]}]", "{\"a\":1}|{\"b\":[1,2]}|"},
        {MARK " [\n {\"a\":1} ,\n 5\n]\n", "{\"a\":1}|5|"},
        {"[{\"a\":\"],[\\\"\"},\"x,y\"]", "{\"a\":\"],[\\\"\"}|\"x,y\"|"},
        {"[{\"a\":1},,{\"b\":2},]", "{\"a\":1}|{\"b\":2}|"},
        {"[{\"a\":1}]\n[{\"b\":2}]", "{\"a\":1}|{\"b\":2}|"},
        {"[{\"a\":1}]\n{\"b\":2}\n{\"c\":3}", "{\"a\":1}|{\"b\":2}|{\"c\":3}|"},
        /* a broken array */
        {"[{\"a\":1},{\"b\":2", "{\"a\":1}|{\"b\":2|"},
        {"[{\"a\":1", "{\"a\":1|"},
        {"[{\"a\":\"x\n},{\"b\":2}]", "{\"a\":\"x\n}|{\"b\":2}|"},
        {"[{\"a\":1}},{\"b\":2}]", "{\"a\":1}}|{\"b\":2}|"},
        {"[oops,{\"b\":2}]", "oops|{\"b\":2}|"},
        {"[{\"a\":1}]]\n{\"b\":2}", "{\"a\":1}|]|{\"b\":2}|"},
        /* elements that lack brackets */
        {"[{\"id\":1},{\"id\":2,\"d\":[1,2},{\"id\":3}]",
         "{\"id\":1}|{\"id\":2,\"d\":[1,2}|{\"id\":3}|"},
        {"[{\"id\":1,\"d\":{\"x\":1},{\"id\":2} ,\n {\"id\":3}]",
         "{\"id\":1,\"d\":{\"x\":1}|{\"id\":2}|{\"id\":3}|"},
        {"[{\"id\":1},{\"id\":2,\"d\":[1,2,{\"id\":3},{\"id\":4}]",
         "{\"id\":1}|{\"id\":2,\"d\":[1,2|{\"id\":3}|{\"id\":4}|"},
        {"[{\"id\":1,\"d\":[[2,{\"id\":3},{\"id\":4,\"d\":[5,{\"id\":6}]\n",
         "{\"id\":1,\"d\":[[2|{\"id\":3}|{\"id\":4,\"d\":[5|{\"id\":6}|"},
        {"[\n  {\n    \"id\": 1,\n    \"d\": [\n      {\n  },\n  {\n    "
         "\"id\": 2\n  }\n]\n",
         "{\n    \"id\": 1,\n    \"d\": [\n      {\n  }|{\n    \"id\": 2\n  "
         "}|"},
        {"[{\"id\":1,\"d\":{\"x\":1},{\"id\":2}]\n[{\"a\":1},{\"a\":2}]",
         "{\"id\":1,\"d\":{\"x\":1}|{\"id\":2}|{\"a\":1}|{\"a\":2}|"},
        /* where nothing says so, nothing is guessed */
        {"[{\"id\":1,\"d\":[{\"x\":1},{\"id\":5}]},{\"id\":2}]",
         "{\"id\":1,\"d\":[{\"x\":1},{\"id\":5}]}|{\"id\":2}|"},
        {"[{\"id\":1},{\"id\":2,\"d\":[{\"x\":1},{\"id\":5},",
         "{\"id\":1}|{\"id\":2,\"d\":[{\"x\":1},{\"id\":5},|"},
        {"[{\"id\":1},{\"id\":2,\"d\":[{\"id\":5},{\"id\":6}]",
         "{\"id\":1}|{\"id\":2,\"d\":[{\"id\":5}|{\"id\":6}|"},
        {"[{\"id\":1,\"d\":[2,{\"no\":3},{\"no\":4}]",
         "{\"id\":1,\"d\":[2,{\"no\":3},{\"no\":4}]|"},
        {"[{\"id\":1,\"data\":{\"list\":[{\"id\":\"a\"},{\"id\":\"b\"}]}},"
         "{\"id\":2,\"data\":{\"x\":1]",
         "{\"id\":1,\"data\":{\"list\":[{\"id\":\"a\"},{\"id\":\"b\"}]}}|"
         "{\"id\":2,\"data\":{\"x\":1]|"},
        {"[{},{\"id\":2,\"d\":{\"x\":1},{\"id\":3}]",
         "{}|{\"id\":2,\"d\":{\"x\":1}|{\"id\":3}|"},
        /* pretty-printed objects */
        {"{\n  \"a\": 1\n}\n", "{\n  \"a\": 1\n}|"},
        {"{\n  \"a\": [\n    {\n    }\n  ]\n}\n{\n  \"b\": 2\n}",
         "{\n  \"a\": [\n    {\n    }\n  ]\n}|{\n  \"b\": 2\n}|"},
        {"{ \"a\":\n1}\n{\"b\":2}\n{\"c\":3}\n",
         "{ \"a\":\n1}|{\"b\":2}|{\"c\":3}|"},
        {"{\r\n\"a\":1}\r\n{\r\n}", "{\r\n\"a\":1}|{\r\n}|"},
        /* broken ones */
        {"{\n  \"a\": 1\n{\n  \"b\": 2\n}\n",
         "{\n  \"a\": 1|{\n  \"b\": 2\n}|"},
        {"{\n  \"a\": \"x\n}\n{\n  \"b\": 2\n}\n",
         "{\n  \"a\": \"x\n}|{\n  \"b\": 2\n}|"},
        {"{\n  \"a\": 1\n}}\n{\n  \"b\": 2\n}\n",
         "{\n  \"a\": 1\n}|}|{\n  \"b\": 2\n}|"},
        {"{\n\"a\":1\n}\nnoise\n{\n\"b\":2\n}\n{\"c\":3}\n{\n\"d\":4\n}",
         "{\n\"a\":1\n}|noise|{\n\"b\":2\n}|{\"c\":3}|{\n\"d\":4\n}|"},
        {"{\n  \"a\": 1\n", "{\n  \"a\": 1|"},
    };
    EACH_ROW (row, rows) {
        check_split(text_of(row->bytes), row->records);
    }
}

/* ---- one bracket less ---------------------------------------------------- */

enum { ELEMENTS = 5 };

static void add_element(struct buf *out, int number, const char *gap)
{
    buf_printf(out,
               "{%s\"id\":\"e%d\",%s\"data\":{\"list\":[1,[2],{\"x\":[]},%s{}],"
               "\"text\":\"]}[{\",%s\"more\":{\"a\":{\"b\":[{\"c\":null}]}}},"
               "\"last\":[true]%s}",
               gap, number, gap, gap, gap, gap);
}

/* Whether RECORD is among those taken. */
static bool has_record(const struct buf *out, const struct buf *record)
{
    struct buf wanted = {0};
    buf_add(&wanted, record->data, record->length);
    buf_add_byte(&wanted, '|');
    const char *found =
        memmem(out->data, out->length, wanted.data, wanted.length);
    bool has = found && (found == out->data || found[-1] == '|');
    buf_free(&wanted);
    return has;
}

/* All elements but the one that lacks its byte AT are given as they are. */
static void check_without(const char *gap, int damaged, size_t at)
{
    struct buf bytes = {0};
    struct buf elements[ELEMENTS] = {{0}};
    buf_add_byte(&bytes, '[');
    for (int i = 0; i < ELEMENTS; i++) {
        add_element(&elements[i], i, gap);
        buf_printf(&bytes, "%s%s", i ? "," : "", gap);
        buf_add(&bytes, elements[i].data, i == damaged ? at : 0);
        size_t from = i == damaged ? at + 1 : 0;
        buf_add(&bytes, elements[i].data + from, elements[i].length - from);
    }
    buf_printf(&bytes, "%s]\n", gap);
    struct taken taken = split((struct text){bytes.data, bytes.length}, 0, 7);
    for (int i = 0; i < ELEMENTS; i++) {
        if (i != damaged && !has_record(&taken.out, &elements[i]))
            CHECK_EQ_TEXT(buf_string(&taken.out), buf_string(&bytes));
        buf_free(&elements[i]);
    }
    buf_free(&taken.out);
    buf_free(&bytes);
}

TEST(a_bracket_less_costs_one_element)
{
    static const char *const gaps[] = {"", " ", "\n    "};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        struct buf element = {0};
        add_element(&element, 0, gaps[g]);
        bool in_string = false;
        for (size_t at = 0; at < element.length; at++) {
            char c = element.data[at];
            in_string ^= c == '"';
            if (in_string || !strchr("{}[]", c))
                continue;
            for (int damaged = 0; damaged < ELEMENTS; damaged++)
                check_without(gaps[g], damaged, at);
        }
        buf_free(&element);
    }
}

TEST(nul_bytes_are_bytes_like_others)
{
    struct text bytes = {"{\"a\":\"\0\"}\n\0\n{}", 14};
    struct taken taken = split(bytes, bytes.length, 1);
    CHECK_EQ_INT(taken.count, 3);
    CHECK_EQ_MEMORY(taken.out.data, "{\"a\":\"\0\"}|\0|{}|", 15);
    buf_free(&taken.out);
}

/* LENGTH bytes of one record between BEFORE and AFTER. */
static struct buf around(const char *before, size_t length, const char *after)
{
    struct buf bytes = {0};
    buf_add_string(&bytes, before);
    buf_reserve(&bytes, length + 100);
    memset(bytes.data + bytes.length, 'x', length);
    bytes.length += length;
    buf_add_string(&bytes, after);
    return bytes;
}

TEST(records_over_the_limit_are_hashed_and_told)
{
    static const struct {
        const char *before;
        const char *after;
        const char *around; /* of the record itself */
    } rows[] = {
        {"{\"a\":1}\n{\"", "\n{\"b\":2}\n", "{\""},
        {"[{\"a\":1},{\"", "\"},{\"b\":2}]", "{\"\"}"},
    };
    EACH_ROW (row, rows) {
        size_t added = strlen(row->around);
        for (size_t over = 0; over <= 1; over++) {
            size_t length = EVIDENCE_LINE_MAX_BYTES - added + over;
            struct buf bytes = around(row->before, length, row->after);
            size_t begin = strlen(row->before) - 2;
            uint8_t digest[SHA256_BYTES];
            char hex[2 * SHA256_BYTES + 1];
            hash_sha256(bytes.data + begin, length + added, digest);
            hash_hex(digest, SHA256_BYTES, hex);
            static const size_t steps[] = {7, 65536, 100000000};
            for (size_t i = 0; i < 3; i++) {
                struct taken taken =
                    split((struct text){bytes.data, bytes.length}, 0, steps[i]);
                char *out = buf_string(&taken.out);
                CHECK_EQ_INT(taken.count, 3);
                CHECK_EQ_INT(strstr(out, hex) != NULL, over);
                CHECK_EQ_INT(taken.out.length < 1000, over);
                CHECK(!strncmp(out, "{\"a\":1}|", 8));
                CHECK(!strcmp(out + taken.out.length - 8, "{\"b\":2}|"));
                CHECK_EQ_INT(strstr(out, ":65536|") != NULL, over);
                buf_free(&taken.out);
            }
            buf_free(&bytes);
        }
    }
}

TEST(a_first_line_over_the_limit_does_not_swallow_the_rest)
{
    struct buf bytes =
        around("{\"a\":[", EVIDENCE_LINE_MAX_BYTES, "\n{\"b\":2}\n{\"c\":3}\n");
    struct taken taken = split((struct text){bytes.data, bytes.length}, 0, 999);
    CHECK_EQ_INT(taken.count, 3);
    CHECK(strstr(buf_string(&taken.out), "|{\"b\":2}|{\"c\":3}|") != NULL);
    buf_free(&taken.out);
    buf_free(&bytes);
}

static enum err refuse(void *context, struct text record)
{
    (void)record;
    return --*(int *)context ? ERR_NONE : ERR_FULL;
}

TEST(an_error_of_the_taker_ends_the_splitting)
{
    int left = 2;
    const struct record_sink sink = {&left, refuse, take_oversize};
    struct splitter *splitter = splitter_new(&sink);
    CHECK_ERR(splitter_take(splitter, "{}\n{}\n{}\n{}\n", 12), ERR_FULL);
    CHECK_EQ_INT(left, 0);
    splitter_free(splitter);
}

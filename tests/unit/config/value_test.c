/*
 * value_test.c: every type of option, read and shown.
 */
#include "config/keys.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

struct fields {
    const char *text;
    int64_t number;
    double decimal;
    bool flag;
    int choice;
    struct config_address address;
    struct config_secret secret;
};

#define ROW(kind, field)                                                       \
    .type = (kind), .offset = offsetof(struct fields, field)

static const struct config_key text_key = {ROW(CONFIG_TEXT, text)};
static const struct config_key path_key = {ROW(CONFIG_PATH, text)};
static const struct config_key labels_key = {ROW(CONFIG_LABELS, text)};
static const struct config_key int_key = {ROW(CONFIG_INT, number), .least = 1,
                                          .most = 256};
static const struct config_key size_key = {ROW(CONFIG_SIZE, number),
                                           .most = (int64_t)1 << 50};
static const struct config_key duration_key = {ROW(CONFIG_DURATION, number),
                                               .least = 10, .most = 86400000};
static const struct config_key number_key = {ROW(CONFIG_NUMBER, decimal),
                                             .least = 1, .most = 240};
static const struct config_key bool_key = {ROW(CONFIG_BOOL, flag)};
static const struct config_key choice_key = {
    ROW(CONFIG_CHOICE, choice), .choices = "debug|info|warning|error"};
static const struct config_key address_key = {ROW(CONFIG_ADDRESS, address)};
static const struct config_key secret_key = {ROW(CONFIG_SECRET, secret)};

TEST(what_is_taken_is_shown_in_its_usual_form)
{
    static const struct {
        const struct config_key *key;
        const char *text;
        const char *shown;
    } rows[] = {
        {&text_key, "", ""},
        {&text_key, "a b \xc3\xa4", "a b \xc3\xa4"},
        {&path_key, "./assay-data", "./assay-data"},
        {&labels_key, "", ""},
        {&labels_key, "a=b", "a=b"},
        {&labels_key, " a = eu west ,b=x", " a = eu west ,b=x"},
        {&int_key, "1", "1"},
        {&int_key, "0256", "256"},
        {&size_key, "0", "0"},
        {&size_key, "800", "800B"},
        {&size_key, "800B", "800B"},
        {&size_key, "1000", "1kB"},
        {&size_key, "1KB", "1kB"},
        {&size_key, "1024", "1KiB"},
        {&size_key, "500 MB", "500MB"},
        {&size_key, "20GiB", "20GiB"},
        {&size_key, "1500MB", "1500MB"},
        {&size_key, "3TB", "3TB"},
        {&duration_key, "250ms", "250ms"},
        {&duration_key, "1000ms", "1s"},
        {&duration_key, "90s", "90s"},
        {&duration_key, "60m", "1h"},
        {&duration_key, "1d", "1d"},
        {&number_key, "24", "24"},
        {&number_key, "023.50", "23.5"},
        {&number_key, "23.976", "23.976"},
        {&bool_key, "true", "true"},
        {&bool_key, "false", "false"},
        {&choice_key, "debug", "debug"},
        {&choice_key, "error", "error"},
        {&address_key, "127.0.0.1:8080", "127.0.0.1:8080"},
        {&address_key, "localhost:0", "127.0.0.1:0"},
        {&address_key, "[::1]:65535", "[::1]:65535"},
        {&secret_key, "", ""},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct fields fields = {0};
        char reason[CONFIG_REASON_BYTES];
        CHECK(value_read(&arena, row->key, &fields, row->text, reason));
        const char *shown = value_show(&arena, row->key, &fields);
        CHECK_EQ_TEXT(shown, row->shown);
        /* What is shown can be written into a file again. */
        struct fields again = {0};
        CHECK(value_read(&arena, row->key, &again, shown, reason));
        CHECK_EQ_TEXT(value_show(&arena, row->key, &again), row->shown);
        arena_free(&arena);
    }
}

TEST(what_is_refused_changes_nothing_and_says_what_is_taken)
{
    static const struct {
        const struct config_key *key;
        const char *text;
        const char *reason; /* its beginning */
    } rows[] = {
        {&text_key, "a\nb", "takes text without control characters"},
        {&path_key, "", "takes a path, not \"\""},
        {&labels_key, "a",
         "takes labels such as \"name=label, name=label\"; "
         "\"a\" has a name without"},
        {&labels_key, "a=b,c", "takes labels such as"},
        {&labels_key, "a=",
         "takes labels such as \"name=label, name=label\"; "
         "\"a=\" has a pair with nothing on one side"},
        {&labels_key, "=b", "takes labels such as"},
        {&labels_key, "a=b, a = c",
         "takes labels such as \"name=label, "
         "name=label\"; \"a=b, a = c\" has a name "
         "twice"},
        {&labels_key, "a=b,", "takes labels such as"},
        {&labels_key, "a=b\n", "takes text without control characters"},
        {&int_key, "", "takes a whole number, not \"\""},
        {&int_key, "0", "takes a whole number from 1 to 256, not \"0\""},
        {&int_key, "257", "takes a whole number from 1 to 256"},
        {&int_key, "-1", "takes a whole number, not \"-1\""},
        {&int_key, "+1", "takes a whole number, not \"+1\""},
        {&int_key, " 1", "takes a whole number, not \" 1\""},
        {&int_key, "1 ", "takes a whole number"},
        {&int_key, "0x10", "takes a whole number"},
        {&int_key, "8.0", "takes a whole number"},
        {&int_key, "9223372036854775808", "takes a whole number, not"},
        {&size_key, "MB", "takes a size such as 500MB"},
        {&size_key, "1mb", "takes a size such as 500MB"},
        {&size_key, "1.5GB", "takes a size such as 500MB"},
        {&size_key, "9999999999TB", "takes a size such as 500MB"},
        {&size_key, "9000TB", "takes a size such as 500MB or 20GiB from 0 to "},
        {&duration_key, "30", "takes a duration such as 250ms"},
        {&duration_key, "1 week", "takes a duration such as 250ms"},
        {&duration_key, "9ms",
         "takes a duration such as 250ms, 30s, 5m, 2h or "
         "7d from 10ms to 1d, not \"9ms\""},
        {&number_key, "", "takes a number from 1 to 240, not \"\""},
        {&number_key, "0.99", "takes a number from 1 to 240"},
        {&number_key, "241", "takes a number from 1 to 240"},
        {&number_key, "-2", "takes a number from 1 to 240"},
        {&number_key, ".5", "takes a number from 1 to 240"},
        {&number_key, "5.", "takes a number from 1 to 240"},
        {&number_key, "2e1", "takes a number from 1 to 240"},
        {&number_key, "nan", "takes a number from 1 to 240"},
        {&bool_key, "yes", "takes true or false, not \"yes\""},
        {&bool_key, "True", "takes true or false"},
        {&choice_key, "warn", "takes one of debug|info|warning|error"},
        {&choice_key, "", "takes one of debug"},
        {&choice_key, "debug|info", "takes one of debug"},
        {&address_key, "", "takes a numeric address and a port"},
        {&address_key, "8080", "takes a numeric address and a port"},
        {&address_key, ":8080", "takes a numeric address and a port"},
        {&address_key, "127.0.0.1", "takes a numeric address and a port"},
        {&address_key, "127.0.0.1:", "takes a numeric address and a port"},
        {&address_key, "127.0.0.1:65536", "takes a numeric address"},
        {&address_key, "::1:80", "takes a numeric address and a port"},
        {&address_key, "[127.0.0.1]:80", "takes a numeric address"},
        {&address_key, "example.org:80", "takes a numeric address"},
        {&secret_key, "/nowhere/at/all",
         "names the file /nowhere/at/all, "
         "which gives no secret: No such"},
        {&secret_key, "/", "names the file /, which gives no secret: Is a"},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct fields fields;
        struct fields before;
        char reason[CONFIG_REASON_BYTES] = "";
        memset(&fields, 0x5a, sizeof fields);
        before = fields;
        CHECK(!value_read(&arena, row->key, &fields, row->text, reason));
        reason[strlen(row->reason)] = 0;
        CHECK_EQ_TEXT(reason, row->reason);
        CHECK_EQ_MEMORY(&fields, &before, sizeof fields);
        arena_free(&arena);
    }
}

TEST(a_long_refused_value_is_cut_in_the_message)
{
    char text[5000];
    char reason[CONFIG_REASON_BYTES];
    struct arena arena = {0};
    struct fields fields = {0};
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    CHECK(!value_read(&arena, &int_key, &fields, text, reason));
    CHECK(strlen(reason) < 200);
    CHECK(strstr(reason, "...") != NULL);
    arena_free(&arena);
}

TEST(addresses_are_taken_apart)
{
    static const struct {
        const char *text;
        const char *host;
        int port;
        bool loopback;
    } rows[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080, true},
        {"127.9.9.9:1", "127.9.9.9", 1, true},
        {"localhost:1", "127.0.0.1", 1, true},
        {"[::1]:443", "::1", 443, true},
        {"[::ffff:127.0.0.1]:443", "::ffff:127.0.0.1", 443, true},
        {"[::ffff:10.0.0.1]:443", "::ffff:10.0.0.1", 443, false},
        {"0.0.0.0:80", "0.0.0.0", 80, false},
        {"[::]:80", "::", 80, false},
        {"128.0.0.1:80", "128.0.0.1", 80, false},
        {"10.0.0.1:0", "10.0.0.1", 0, false},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct fields fields = {0};
        char reason[CONFIG_REASON_BYTES];
        CHECK(value_read(&arena, &address_key, &fields, row->text, reason));
        CHECK_EQ_TEXT(fields.address.host, row->host);
        CHECK_EQ_INT(fields.address.port, row->port);
        CHECK_EQ_INT(fields.address.loopback, row->loopback);
        arena_free(&arena);
    }
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    REQUIRE(file != NULL);
    CHECK_EQ_INT(fwrite(bytes, 1, length, file), length);
    CHECK_EQ_INT(fclose(file), 0);
}

TEST(a_secret_is_read_from_its_file_and_never_shown)
{
    static const struct {
        const char *content;
        const char *secret;
    } rows[] = {
        {"hush", "hush"},       {"hush\n", "hush"},   {"hush\r\n", "hush"},
        {"hush\n\n", "hush\n"}, {" hush ", " hush "},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct fields fields = {0};
        char reason[CONFIG_REASON_BYTES];
        char wanted[600];
        const char *path = test_path("token");
        write_file(path, row->content, strlen(row->content));
        CHECK(value_read(&arena, &secret_key, &fields, path, reason));
        CHECK_EQ_TEXT(fields.secret.secret, row->secret);
        snprintf(wanted, sizeof wanted, "(set from %s)", path);
        CHECK_EQ_TEXT(value_show(&arena, &secret_key, &fields), wanted);
        arena_free(&arena);
    }
}

TEST(a_file_without_a_secret_is_refused_without_quoting_it)
{
    static char large[(64 << 10) + 1];
    memset(large, 'k', sizeof large);
    const struct {
        const char *content;
        size_t length;
        const char *says;
    } rows[] = {
        {"", 0, "it is empty"},
        {"\n", 1, "it is empty"},
        {"a\0b", 3, "it holds a NUL byte"},
        {large, sizeof large, "it is longer than 64 KiB"},
    };
    EACH_ROW (row, rows) {
        struct arena arena = {0};
        struct fields fields = {0};
        char reason[CONFIG_REASON_BYTES] = "";
        const char *path = test_path("token");
        write_file(path, row->content, row->length);
        CHECK(!value_read(&arena, &secret_key, &fields, path, reason));
        CHECK(strstr(reason, row->says) != NULL);
        CHECK(strstr(reason, "kkkk") == NULL);
        CHECK_EQ_TEXT(fields.secret.path, NULL);
        arena_free(&arena);
    }
}

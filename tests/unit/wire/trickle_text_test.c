/*
 * Headers and URLs of trickle, as anybody may send them.
 */
#include "harness.h"
#include "wire/wire.h"

#include <string.h>

TEST(headers_are_read)
{
    static const struct {
        const char *name;
        const char *value;
        int64_t seq;
        int64_t latest;
        bool closed;
    } rows[] = {
        {"Lp-Trickle-Seq", "7", 7, -1, false},
        {"lp-trickle-seq", "0", 0, -1, false},
        {"LP-TRICKLE-LATEST", "123456789012345", -1, 123456789012345, false},
        {"Lp-Trickle-Latest", "1234567890123456", -1, -1, false},
        {"Lp-Trickle-Closed", "terminated", -1, -1, true},
        {"Lp-Trickle-Closed", "", -1, -1, true},
        {"Lp-Trickle-Seq", "", -1, -1, false},
        {"Lp-Trickle-Seq", "-1", -1, -1, false},
        {"Lp-Trickle-Seq", "1.0", -1, -1, false},
        {"Lp-Trickle-Seq", "0x1", -1, -1, false},
        {"Lp-Trickle-Seq", "1 2", -1, -1, false},
        {"Lp-Trickle", "7", -1, -1, false},
        {"Lp-Trickle-Sequence", "7", -1, -1, false},
        {"", "7", -1, -1, false},
    };
    EACH_ROW (row, rows) {
        struct trickle_headers headers;
        trickle_headers_begin(&headers);
        trickle_headers_add(&headers, text_of(row->name), text_of(row->value));
        CHECK_EQ_INT(headers.seq, row->seq);
        CHECK_EQ_INT(headers.latest, row->latest);
        CHECK_EQ_INT(headers.closed, row->closed);
    }
}

TEST(segments_have_urls)
{
    static const struct {
        const char *channel;
        int64_t seq;
        const char *url;
    } rows[] = {
        {"https://o/ai/trickle/abc", 0, "https://o/ai/trickle/abc/0"},
        {"https://o/ai/trickle/abc/", 12, "https://o/ai/trickle/abc/12"},
        {"https://o/abc", TRICKLE_NEWEST, "https://o/abc/-2"},
        {"https://o/abc?token=1/2", 3, "https://o/abc/3?token=1/2"},
        {"https://o/abc/?x", 3, "https://o/abc/3?x"},
        {"https://o/abc#part", 3, "https://o/abc/3"},
        {"", 1, "/1"},
        {"///", 1, "/1"},
        {"?", 1, "/1?"},
    };
    EACH_ROW (row, rows) {
        char url[TRICKLE_URL_BYTES];
        CHECK(trickle_segment_url(row->channel, row->seq, url));
        CHECK_EQ_TEXT(url, row->url);
    }
    static char longest[TRICKLE_URL_BYTES + 1];
    char url[TRICKLE_URL_BYTES];
    memset(longest, 'a', sizeof longest - 1);
    CHECK(!trickle_segment_url(longest, 1, url));
    longest[TRICKLE_URL_BYTES - 3] = '\0';
    CHECK(trickle_segment_url(longest, 1, url));
    CHECK(!trickle_segment_url(longest, 10, url));
}

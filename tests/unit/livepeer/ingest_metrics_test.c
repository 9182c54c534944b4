#include "livepeer/livepeer.h"

#include "harness.h"

#include <math.h>
#include <string.h>

static struct arena arena;

#define TRACKS(list) "{\"stats\":{\"track_stats\":" list "}}"

TEST(jitter_is_read_of_each_kind_of_track)
{
    const double none = (double)NAN;
    const struct {
        const char *data;
        double video, audio;
    } rows[] = {
        {TRACKS("[{\"type\":\"video\",\"jitter\":10.126770701625134},"
                "{\"type\":\"audio\",\"jitter\":20.25}]"),
         10.126770701625134, 20.25},
        /* Zero is a jitter; what is missing, or no number, is none. */
        {TRACKS("[{\"type\":\"audio\",\"jitter\":0}]"), none, 0},
        {TRACKS("[{\"type\":\"video\"},{\"type\":\"audio\",\"jitter\":null}]"),
         none, none},
        {TRACKS("[{\"type\":\"video\",\"jitter\":\"7\"}]"), none, none},
        {TRACKS("[{\"type\":\"video\",\"jitter\":-1}]"), none, none},
        /* Of two of one kind the first that has one. */
        {TRACKS("[{\"type\":\"video\"},{\"type\":\"video\",\"jitter\":2},"
                "{\"type\":\"video\",\"jitter\":3}]"),
         2, none},
        {TRACKS("[{\"type\":\"screen\",\"jitter\":2},5,null]"), none, none},
        {TRACKS("{\"type\":\"video\",\"jitter\":2}"), none, none},
        {"{}", none, none},
        {"[]", none, none},
    };
    EACH_ROW (row, rows) {
        double got[INGEST_TRACKS];
        ingest_metrics_read(
            &arena, json_parse(&arena, row->data, strlen(row->data)), got);
        CHECK_EQ_DOUBLE(got[INGEST_VIDEO], row->video);
        CHECK_EQ_DOUBLE(got[INGEST_AUDIO], row->audio);
    }
    arena_free(&arena);
}

TEST(sums_come_back_from_their_stored_form)
{
    const struct ingest_hour hours[] = {
        {1, {{2, text_of("12345678")}, {0, text_of("")}}},
        {UINT64_MAX, {{-1, text_of("87654321")}, {3, text_of("x")}}},
    };
    struct buf bytes = {0};
    struct ingest_hour *got;
    size_t count;
    ingest_hours_encode(&bytes, hours, 2);
    struct text stored = {bytes.data, bytes.length};
    REQUIRE(ingest_hours_decode(&arena, stored, &got, &count));
    REQUIRE(count == 2);
    for (size_t i = 0; i < 2; i++) {
        CHECK(got[i].session == hours[i].session);
        for (size_t k = 0; k < INGEST_TRACKS; k++) {
            CHECK_EQ_INT(got[i].tracks[k].samples, hours[i].tracks[k].samples);
            CHECK(text_equal(got[i].tracks[k].jitter_sum,
                             hours[i].tracks[k].jitter_sum));
        }
    }
    /* Cut anywhere but between two it is refused. */
    for (size_t length = 1; length < stored.length; length++)
        CHECK(ingest_hours_decode(&arena, (struct text){stored.data, length},
                                  &got, &count) == (length == 20));
    buf_free(&bytes);
    arena_free(&arena);
}

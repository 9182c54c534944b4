/*
 * trickle_channel_test.c: the rules of a trickle channel, one by one.
 */
#include "harness.h"
#include "wire/trickle_channel.h"

#include <string.h>

static void count_wake(void *context)
{
    ++*(int *)context;
}

static struct trickle_channel *channel_at(int64_t next)
{
    struct trickle_channel *channel = trickle_channel_new("video/MP2T", 5);
    channel->next = next;
    return channel;
}

/* Writes TEXT as segment SEQ, whole. */
static enum trickle_written write_whole(struct trickle_channel *channel,
                                        int64_t seq, const char *text)
{
    struct trickle_writer writer;
    trickle_write_begin(&writer, channel, seq, false, 0, NULL, NULL);
    CHECK(trickle_write(&writer, text, strlen(text)));
    return trickle_write_end(&writer);
}

static void check_text(struct text got, const char *wanted)
{
    CHECK_EQ_INT(got.length, strlen(wanted));
    CHECK_EQ_MEMORY(got.data, wanted, got.length);
}

TEST(a_number_is_found_or_not_as_next_and_the_ring_say)
{
    static const struct {
        int64_t next; /* segments 0 to next - 1 were written */
        int64_t seq;
        enum trickle_found found;
        int64_t found_seq;
    } rows[] = {
        {0, 0, TRICKLE_FOUND, 0},
        {0, 1, TRICKLE_FOUND, 1},
        {0, 2, TRICKLE_NOT_RETAINED, 2},
        {0, 5, TRICKLE_NOT_RETAINED, 5},
        {0, TRICKLE_NEXT, TRICKLE_FOUND, 0},
        {0, TRICKLE_NEWEST, TRICKLE_FOUND, 0},
        {0, -3, TRICKLE_NO_SEQ, -3},
        {1, 0, TRICKLE_FOUND, 0},
        {1, 1, TRICKLE_FOUND, 1},
        {1, 2, TRICKLE_NOT_RETAINED, 2},
        {1, TRICKLE_NEWEST, TRICKLE_FOUND, 0},
        {7, 1, TRICKLE_NOT_RETAINED, 1},
        {7, 2, TRICKLE_FOUND, 2},
        {7, 6, TRICKLE_FOUND, 6},
        {7, 7, TRICKLE_FOUND, 7},
        {7, 8, TRICKLE_NOT_RETAINED, 8},
        {7, TRICKLE_NEXT, TRICKLE_FOUND, 7},
        {7, TRICKLE_NEWEST, TRICKLE_FOUND, 6},
        {7, TRICKLE_SEQ_MAX, TRICKLE_NOT_RETAINED, TRICKLE_SEQ_MAX},
    };
    EACH_ROW (row, rows) {
        struct trickle_channel *channel = channel_at(0);
        struct trickle_reader reader;
        for (int64_t seq = 0; seq < row->next; seq++)
            CHECK_EQ_INT(write_whole(channel, seq, "x"), TRICKLE_WRITTEN);
        CHECK_EQ_INT(trickle_read_begin(&reader, channel, row->seq, NULL, NULL),
                     row->found);
        CHECK_EQ_INT(reader.seq, row->found_seq);
        CHECK_EQ_INT(reader.latest, row->next);
        if (row->found == TRICKLE_FOUND)
            trickle_read_release(&reader);
        trickle_channel_release(channel);
    }
}

TEST(readers_follow_a_segment_while_it_grows)
{
    struct trickle_channel *channel = channel_at(0);
    struct trickle_writer writer;
    struct trickle_reader early;
    struct trickle_reader late;
    int woken = 0;
    CHECK_EQ_INT(trickle_read_begin(&early, channel, 0, count_wake, &woken),
                 TRICKLE_FOUND);
    trickle_write_begin(&writer, channel, 0, false, 0, NULL, NULL);
    CHECK_EQ_INT(channel->next, 0);
    CHECK(trickle_write(&writer, "hel", 3));
    CHECK_EQ_INT(channel->next, 1);
    CHECK_EQ_INT(woken, 1);
    check_text(trickle_read_peek(&early), "hel");
    trickle_read_take(&early, 3);
    CHECK(trickle_write(&writer, "lo", 2));
    check_text(trickle_read_peek(&early), "lo");
    trickle_read_take(&early, 2);
    CHECK(!trickle_read_ended(&early));
    CHECK_EQ_INT(trickle_read_begin(&late, channel, 0, NULL, NULL),
                 TRICKLE_FOUND);
    CHECK_EQ_INT(late.latest, 1);
    CHECK_EQ_INT(trickle_write_end(&writer), TRICKLE_WRITTEN);
    CHECK_EQ_INT(woken, 3);
    CHECK(trickle_read_ended(&early));
    CHECK(!trickle_read_ended(&late));
    check_text(trickle_read_peek(&late), "hello");
    trickle_read_take(&late, 5);
    CHECK(trickle_read_ended(&late));
    trickle_read_release(&early);
    trickle_read_release(&late);
    trickle_channel_release(channel);
}

TEST(an_empty_or_closed_segment_moves_next_even_backwards)
{
    struct trickle_channel *channel = channel_at(0);
    for (int64_t seq = 0; seq < 8; seq++)
        CHECK_EQ_INT(write_whole(channel, seq, "x"), TRICKLE_WRITTEN);
    CHECK_EQ_INT(write_whole(channel, 4, ""), TRICKLE_DISCARDED);
    CHECK_EQ_INT(channel->next, 5);
    CHECK_EQ_INT(write_whole(channel, 6, "again"), TRICKLE_DISCARDED);
    CHECK_EQ_INT(channel->next, 7);
    struct trickle_reader reader;
    CHECK_EQ_INT(trickle_read_begin(&reader, channel, 6, NULL, NULL),
                 TRICKLE_FOUND);
    check_text(trickle_read_peek(&reader), "x");
    trickle_read_release(&reader);
    trickle_channel_release(channel);
}

TEST(a_broken_segment_hangs_until_a_reset)
{
    struct trickle_channel *channel = channel_at(0);
    struct trickle_writer writer;
    struct trickle_reader reader;
    trickle_write_begin(&writer, channel, 0, false, 0, NULL, NULL);
    CHECK(trickle_write(&writer, "hello", 5));
    trickle_write_break(&writer);
    CHECK_EQ_INT(trickle_read_begin(&reader, channel, 0, NULL, NULL),
                 TRICKLE_FOUND);
    trickle_read_take(&reader, 5);
    CHECK(!trickle_read_ended(&reader));
    trickle_write_begin(&writer, channel, 1, false, 0, NULL, NULL);
    CHECK(!trickle_read_ended(&reader));
    trickle_write_break(&writer);
    trickle_write_begin(&writer, channel, 1, true, 0, NULL, NULL);
    CHECK(trickle_read_ended(&reader));
    CHECK(!writer.discarding);
    trickle_write_break(&writer);
    trickle_read_release(&reader);
    trickle_channel_release(channel);
}

TEST(five_newer_segments_end_an_older_one)
{
    struct trickle_channel *channel = channel_at(0);
    struct trickle_writer writer;
    struct trickle_reader reader;
    trickle_write_begin(&writer, channel, 0, false, 0, NULL, NULL);
    CHECK(trickle_write(&writer, "a", 1));
    CHECK_EQ_INT(trickle_read_begin(&reader, channel, 0, NULL, NULL),
                 TRICKLE_FOUND);
    for (int64_t seq = 1; seq < 5; seq++)
        CHECK_EQ_INT(write_whole(channel, seq, "x"), TRICKLE_WRITTEN);
    CHECK(trickle_write(&writer, "b", 1));
    check_text(trickle_read_peek(&reader), "ab");
    CHECK_EQ_INT(write_whole(channel, 5, "x"), TRICKLE_WRITTEN);
    CHECK(trickle_write(&writer, "c", 1));
    check_text(trickle_read_peek(&reader), "ab");
    trickle_read_take(&reader, 2);
    CHECK(trickle_read_ended(&reader));
    CHECK_EQ_INT(trickle_write_end(&writer), TRICKLE_WRITTEN);
    trickle_read_release(&reader);
    trickle_channel_release(channel);
}

TEST(closing_a_channel_wakes_readers_and_writers_for_good)
{
    struct trickle_channel *channel = channel_at(0);
    struct trickle_writer writer;
    struct trickle_reader reader;
    int woken = 0;
    trickle_write_begin(&writer, channel, 0, false, 0, count_wake, &woken);
    CHECK_EQ_INT(trickle_read_begin(&reader, channel, 1, count_wake, &woken),
                 TRICKLE_FOUND);
    trickle_channel_close(channel);
    trickle_channel_close(channel);
    CHECK_EQ_INT(woken, 2);
    CHECK(trickle_read_ended(&reader));
    CHECK_EQ_INT(trickle_write_end(&writer), TRICKLE_TERMINATED);
    trickle_read_release(&reader);
    CHECK_EQ_INT(trickle_read_begin(&reader, channel, 0, NULL, NULL),
                 TRICKLE_FOUND);
    CHECK(trickle_read_ended(&reader));
    trickle_read_release(&reader);
    trickle_channel_release(channel);
}

TEST(one_segment_can_be_closed_alone)
{
    struct trickle_channel *channel = channel_at(0);
    struct trickle_writer writer;
    trickle_write_begin(&writer, channel, 0, false, 0, NULL, NULL);
    CHECK(trickle_write(&writer, "a", 1));
    CHECK(!trickle_channel_close_segment(channel, 1));
    CHECK(!trickle_channel_close_segment(channel, -1));
    CHECK(trickle_channel_close_segment(channel, 0));
    CHECK(trickle_write(&writer, "b", 1));
    CHECK_EQ_INT(trickle_write_end(&writer), TRICKLE_WRITTEN);
    trickle_channel_release(channel);
}

TEST(a_segment_has_a_largest_size)
{
    enum { PIECE_BYTES = 1 << 20 };
    struct trickle_channel *channel = channel_at(0);
    struct trickle_writer writer;
    static char piece[PIECE_BYTES];
    trickle_write_begin(&writer, channel, 0, false, 0, NULL, NULL);
    for (int i = 0; i < TRICKLE_SEGMENT_MAX_BYTES / PIECE_BYTES; i++)
        CHECK(trickle_write(&writer, piece, PIECE_BYTES));
    CHECK(!trickle_write(&writer, piece, 1));
    trickle_write_break(&writer);
    trickle_channel_release(channel);
}

TEST(paths_name_channels_and_segments)
{
    static const struct {
        const char *path;
        enum trickle_target target;
        const char *name;
        int64_t seq;
    } rows[] = {
        {"", TRICKLE_NO_TARGET, "", 0},
        {"/", TRICKLE_NO_TARGET, "", 0},
        {"/0", TRICKLE_NO_TARGET, "", 0},
        {"abc", TRICKLE_CHANNEL, "abc", 0},
        {"abc/next", TRICKLE_CHANNEL_NEXT, "abc", 0},
        {"abc/0", TRICKLE_SEGMENT, "abc", 0},
        {"abc-out/17", TRICKLE_SEGMENT, "abc-out", 17},
        {"abc/-1", TRICKLE_SEGMENT, "abc", -1},
        {"abc/-2", TRICKLE_SEGMENT, "abc", -2},
        {"abc/007", TRICKLE_SEGMENT, "abc", 7},
        {"abc/", TRICKLE_SEGMENT_INVALID, "abc", 0},
        {"abc/-", TRICKLE_SEGMENT_INVALID, "abc", 0},
        {"abc/+1", TRICKLE_SEGMENT_INVALID, "abc", 0},
        {"abc/1x", TRICKLE_SEGMENT_INVALID, "abc", 0},
        {"abc/1/2", TRICKLE_SEGMENT_INVALID, "abc", 0},
        {"abc/1.5", TRICKLE_SEGMENT_INVALID, "abc", 0},
        {"abc/1152921504606846976", TRICKLE_SEGMENT, "abc", TRICKLE_SEQ_MAX},
        {"abc/1152921504606846977", TRICKLE_SEGMENT_INVALID, "abc", 0},
        {"abc/99999999999999999999", TRICKLE_SEGMENT_INVALID, "abc", 0},
    };
    EACH_ROW (row, rows) {
        struct trickle_path path = trickle_path_parse(text_of(row->path));
        CHECK_EQ_INT(path.target, row->target);
        if (row->target == TRICKLE_NO_TARGET)
            continue;
        check_text(path.name, row->name);
        if (row->target == TRICKLE_SEGMENT)
            CHECK_EQ_INT(path.seq, row->seq);
    }
}

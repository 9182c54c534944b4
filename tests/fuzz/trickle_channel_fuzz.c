/*
 * trickle_channel_fuzz.c: any order of requests on a channel, and any path.
 *
 * The first line is a path. After it every two bytes are one deed: which, and
 * upon what number. Readers must see exactly what writers wrote, in order, and
 * nothing must stay behind.
 */
#include "wire/trickle_channel.h"

#include <stdlib.h>
#include <string.h>

enum { HANDS = 4, SEQ_SPAN = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct play {
    struct trickle_channel *channel;
    struct trickle_writer writers[HANDS];
    struct trickle_reader readers[HANDS];
    size_t wakes;
};

static void wake(void *context)
{
    struct play *play = context;
    play->wakes++;
}

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void read_all(struct trickle_reader *reader)
{
    struct text more = trickle_read_peek(reader);
    for (size_t i = 0; i < more.length; i++)
        check(more.data[i] == (char)reader->seq);
    trickle_read_take(reader, more.length);
    check(trickle_read_peek(reader).length == 0);
}

static void begin_write(struct play *play, size_t hand, int64_t seq, bool reset)
{
    struct trickle_writer *writer = &play->writers[hand];
    if (writer->channel)
        trickle_write_break(writer);
    trickle_write_begin(writer, play->channel, seq < 0 ? TRICKLE_NEXT : seq,
                        reset, 0, wake, play);
    check(writer->seq >= 0);
}

static void begin_read(struct play *play, size_t hand, int64_t seq)
{
    struct trickle_reader *reader = &play->readers[hand];
    if (reader->channel)
        trickle_read_release(reader);
    if (trickle_read_begin(reader, play->channel, seq, wake, play) !=
        TRICKLE_FOUND)
        *reader = (struct trickle_reader){0};
}

static void write_some(struct trickle_writer *writer)
{
    char piece[3];
    memset(piece, (char)writer->seq, sizeof piece);
    check(trickle_write(writer, piece, sizeof piece));
}

static void act(struct play *play, uint8_t deed, uint8_t what)
{
    size_t hand = what % HANDS;
    int64_t seq = what / HANDS % SEQ_SPAN - 3;
    struct trickle_writer *writer = &play->writers[hand];
    struct trickle_reader *reader = &play->readers[hand];
    switch (deed % 8) {
    case 0:
    case 1:
        begin_write(play, hand, seq, deed % 8 == 1);
        break;
    case 2:
        begin_read(play, hand, seq);
        break;
    case 3:
        if (writer->channel)
            write_some(writer);
        break;
    case 4:
        if (writer->channel)
            (void)trickle_write_end(writer);
        break;
    case 5:
        if (reader->channel)
            read_all(reader);
        break;
    case 6:
        (void)trickle_channel_close_segment(play->channel, seq);
        break;
    default:
        if (what == 255)
            trickle_channel_close(play->channel);
    }
}

static void finish(struct play *play)
{
    trickle_channel_close(play->channel);
    for (size_t i = 0; i < HANDS; i++) {
        if (play->writers[i].channel)
            check(trickle_write_end(&play->writers[i]) == TRICKLE_TERMINATED);
        if (!play->readers[i].channel)
            continue;
        read_all(&play->readers[i]);
        check(trickle_read_ended(&play->readers[i]));
        trickle_read_release(&play->readers[i]);
    }
    trickle_channel_release(play->channel);
}

static void check_path(struct text path)
{
    struct trickle_path parsed = trickle_path_parse(path);
    if (parsed.target == TRICKLE_NO_TARGET)
        return;
    check(parsed.name.length > 0 && parsed.name.length <= path.length);
    check(!memchr(parsed.name.data, '/', parsed.name.length));
    check(parsed.seq <= TRICKLE_SEQ_MAX && parsed.seq >= -TRICKLE_SEQ_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *line = length ? memchr(bytes, '\n', length) : NULL;
    size_t at = line ? (size_t)(line - bytes) + 1 : length;
    if (length)
        check_path((struct text){(const char *)bytes, line ? at - 1 : at});
    struct play play = {.channel = trickle_channel_new("video/MP2T", 0)};
    for (; at + 1 < length; at += 2)
        act(&play, bytes[at], bytes[at + 1]);
    finish(&play);
    return 0;
}

/*
 * media.c: what reading and writing a transport stream costs, in processor
 * time, beside copying the same bytes.
 *
 *     media SECONDS
 *
 * Prints one object: megabytes a second, microseconds for each second of a
 * live stream of the clip, and the bytes that a run holds for it.
 */
#include "media/media.h"
#include "probe/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STREAM_SECONDS = 60, CHUNK_BYTES = 16384 };

static struct clip clip;
static struct mpegts_reader reader;
static struct frame_stamps stamps;
static struct buf stream;

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_frame(void *context, const struct mpegts_frame *frame)
{
    (void)context;
    frame_stamps_add(&stamps, frame->arrived_us, frame->pts);
}

static void write_stream(void)
{
    struct publisher publisher = {.clip = &clip};
    buf_clear(&stream);
    for (int i = 0; i < STREAM_SECONDS * CLIP_FPS; i++)
        publisher_next(&publisher, &stream);
}

static void read_stream(void)
{
    struct mpegts_sink sink = {NULL, on_frame, NULL};
    frame_stamps_free(&stamps);
    mpegts_reader_init(&reader, sink);
    for (size_t at = 0; at < stream.length; at += CHUNK_BYTES) {
        size_t rest = stream.length - at;
        mpegts_read(&reader, (const uint8_t *)stream.data + at,
                    rest < CHUNK_BYTES ? rest : CHUNK_BYTES, (int64_t)at);
    }
    mpegts_segment_end(&reader, false);
}

/* The yardstick: nobody handles bytes for less. */
static void copy_stream(void)
{
    static char into[CHUNK_BYTES];
    for (size_t at = 0; at < stream.length; at += CHUNK_BYTES) {
        size_t rest = stream.length - at;
        memcpy(into, stream.data + at, rest < CHUNK_BYTES ? rest : CHUNK_BYTES);
        __asm__ volatile("" : : "r"(into) : "memory");
    }
}

/* Processor seconds that WORK takes, over SECONDS of repeating it. */
static double cost_of(void (*work)(void), double seconds)
{
    double started = cpu_seconds();
    double now = started;
    unsigned rounds = 0;
    for (; now - started < seconds; now = cpu_seconds(), rounds++)
        work();
    return (now - started) / rounds;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "media SECONDS\n");
        return 2;
    }
    double seconds = strtod(argv[1], NULL);
    clip_open(&clip);
    double writing = cost_of(write_stream, seconds);
    double reading = cost_of(read_stream, seconds);
    double copying = cost_of(copy_stream, seconds);
    double megabytes = (double)stream.length / 1e6;
    printf("{\"read_mb_s\":%.0f,\"write_mb_s\":%.0f,\"copy_mb_s\":%.0f,"
           "\"read_us\":%.2f,\"write_us\":%.2f,\"frames\":%zu,"
           "\"reader_bytes\":%zu,\"stamp_bytes\":%zu}\n",
           megabytes / reading, megabytes / writing, megabytes / copying,
           reading * 1e6 / STREAM_SECONDS, writing * 1e6 / STREAM_SECONDS,
           stamps.count, sizeof reader, stamps.capacity * 2 * sizeof(int32_t));
    frame_stamps_free(&stamps);
    buf_free(&stream);
    return 0;
}

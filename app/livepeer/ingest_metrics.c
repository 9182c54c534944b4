/*
 * ingest_metrics.c: what a gateway measures of the streams that come in at its
 * WHIP server (stream_ingest_metrics, §1.4), and the stored form of what it
 * adds up to.
 *
 * The publisher stages these events and makes no figure of them. They are the
 * most frequent of all: one every five seconds of every stream. So facts of
 * them are not events, as of others, but their sum in each hour of a session:
 * exact, so that an event that another one beats can be taken out of it again.
 * Turned down: to keep each as a session event, which doubles what a session
 * takes to read and fold, for one mean.
 *
 * Stored form: of each session the hash of its key, and for each kind of track
 * the number of samples and their sum. A key of forty bytes would be half of
 * all that is stored; if two of one hour ever share a hash, their packets are
 * taken for those of both.
 */
#include "livepeer/livepeer.h"

#include <math.h>

static const char *const track_names[INGEST_TRACKS] = {
    [INGEST_VIDEO] = "video",
    [INGEST_AUDIO] = "audio",
};

static void read_track(struct arena *arena, struct yyjson_val *track,
                       double jitter_ms[INGEST_TRACKS])
{
    struct yyjson_val *value = json_get(track, "jitter");
    if (!json_is_number(value))
        return;
    double jitter = json_to_double(value);
    if (!isfinite(jitter) || jitter < 0)
        return;
    struct text type = json_to_text(arena, json_get(track, "type"));
    for (size_t i = 0; i < INGEST_TRACKS; i++)
        if (isnan(jitter_ms[i]) && text_is(type, track_names[i]))
            jitter_ms[i] = jitter;
}

void ingest_metrics_read(struct arena *arena, struct yyjson_val *data,
                         double jitter_ms[INGEST_TRACKS])
{
    struct yyjson_val *tracks =
        json_get(json_get(data, "stats"), "track_stats");
    struct yyjson_val *track;
    for (size_t i = 0; i < INGEST_TRACKS; i++)
        jitter_ms[i] = (double)NAN;
    if (!json_is_array(tracks))
        return;
    struct json_iterator each = json_iterate(tracks);
    while ((track = json_next(&each, NULL)))
        read_track(arena, track, jitter_ms);
}

/* ---- stored form --------------------------------------------------------- */

void ingest_hours_encode(struct buf *out, const struct ingest_hour *hours,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_u64(out, hours[i].session);
        for (size_t k = 0; k < INGEST_TRACKS; k++) {
            buf_add_signed(out, hours[i].tracks[k].samples);
            buf_add_text(out, hours[i].tracks[k].jitter_sum);
        }
    }
}

static struct ingest_hour decode_hour(struct reader *in)
{
    struct ingest_hour hour = {.session = read_u64(in)};
    for (size_t i = 0; i < INGEST_TRACKS; i++) {
        hour.tracks[i].samples = read_signed(in);
        hour.tracks[i].jitter_sum = read_text(in);
    }
    return hour;
}

bool ingest_hours_decode(struct arena *arena, struct text bytes,
                         struct ingest_hour **hours, size_t *count)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    *hours = NULL;
    *count = 0;
    while (in.at < in.end) {
        struct ingest_hour hour = decode_hour(&in);
        if (in.failed)
            return false;
        *hours = arena_grow(arena, *hours, *count, sizeof **hours);
        (*hours)[(*count)++] = hour;
    }
    return true;
}

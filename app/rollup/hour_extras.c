/*
 * hour_extras.c: see hour_extras.h.
 */
#include "rollup/hour_extras.h"

#include <math.h>

const struct card card_unknown = {.gpu_memory_bytes_total = ABSENT_INT};

bool session_is_cold(const struct session_row *facts)
{
    return facts->first_loading_at != ABSENT_INT &&
           (facts->first_output_at == ABSENT_INT ||
            facts->first_loading_at < facts->first_output_at);
}

double hour_fps_jitter(struct arena *arena, const struct hour_row *hour)
{
    struct exact_sum sum = {.arena = arena};
    struct exact_sum squares = {.arena = arena};
    if (hour->fps_square_samples != hour->fps_positive_samples)
        return (double)NAN;
    /* Both were encoded a moment ago. */
    if (!exact_decode(&sum, hour->fps_sum) ||
        !exact_decode(&squares, hour->fps_squares))
        return (double)NAN;
    return exact_variation(arena, &sum, &squares, hour->fps_positive_samples);
}

struct hour_extras_sum hour_extras_of(struct arena *arena)
{
    struct hour_extras_sum sum = {.fps_jitter.arena = arena,
                                  .card = card_unknown};
    for (size_t i = 0; i < INGEST_TRACKS; i++)
        sum.packet_jitter[i].arena = arena;
    return sum;
}

/* Sessions of one card may know it by other names; the first by its bytes
 * stands, so that no order shows. */
static void first_by_name(struct arena *arena, struct text *kept,
                          struct text text)
{
    if (!text.length || (kept->data && text_compare(text, *kept) >= 0))
        return;
    *kept =
        (struct text){arena_text(arena, text.data, text.length), text.length};
}

static void add_card(struct arena *arena, struct card *kept,
                     const struct card *card)
{
    first_by_name(arena, &kept->gpu_model_name, card->gpu_model_name);
    first_by_name(arena, &kept->runner_version, card->runner_version);
    if (card->gpu_memory_bytes_total > kept->gpu_memory_bytes_total)
        kept->gpu_memory_bytes_total = card->gpu_memory_bytes_total;
}

static void add_startup(struct hour_extras *extras,
                        const struct session_row *session)
{
    int64_t latency_ms = session->startup_latency_ms;
    extras->cold_sessions += session->requested_seen && session->cold;
    if (latency_ms <= 0)
        return;
    if (session->cold) {
        extras->cold_startup_latency_sum_ms += latency_ms;
        extras->cold_startup_latency_sample_count++;
    } else {
        extras->warm_startup_latency_sum_ms += latency_ms;
        extras->warm_startup_latency_sample_count++;
    }
}

static void add_packets(struct hour_extras_sum *sum, struct arena *scratch,
                        const struct ingest_hour *ingest)
{
    for (size_t i = 0; i < INGEST_TRACKS; i++) {
        struct exact_sum jitter = {.arena = scratch};
        /* Joining added it up and would have seen damage. */
        (void)exact_decode(&jitter, ingest->tracks[i].jitter_sum);
        exact_add_sum(&sum->packet_jitter[i], &jitter);
        sum->packet_jitter_samples[i] += ingest->tracks[i].samples;
    }
}

void hour_extras_add(struct hour_extras_sum *sum, struct arena *scratch,
                     const struct session_hour *hour, bool counted)
{
    struct arena *arena = sum->fps_jitter.arena;
    if (hour->hour->part == HOUR_LEFT) {
        add_card(arena, &sum->card, &hour->hour->card);
        return;
    }
    add_card(arena, &sum->card, &hour->session->card);
    if (!isnan(hour->hour->fps_jitter)) {
        exact_add(&sum->fps_jitter, hour->hour->fps_jitter);
        sum->extras.fps_jitter_hour_count++;
    }
    if (hour->ingest)
        add_packets(sum, scratch, hour->ingest);
    if (counted)
        add_startup(&sum->extras, hour->session);
}

static double mean(double sum, int64_t count)
{
    return count > 0 ? sum / (double)count : (double)NAN;
}

static void finish_packets(const struct hour_extras_sum *sum,
                           struct hour_extras *extras)
{
    int64_t video = sum->packet_jitter_samples[INGEST_VIDEO];
    int64_t audio = sum->packet_jitter_samples[INGEST_AUDIO];
    extras->ingest_video_packet_jitter_sample_count = video;
    extras->ingest_audio_packet_jitter_sample_count = audio;
    extras->ingest_video_packet_jitter_sum_ms =
        exact_round(&sum->packet_jitter[INGEST_VIDEO]);
    extras->ingest_audio_packet_jitter_sum_ms =
        exact_round(&sum->packet_jitter[INGEST_AUDIO]);
}

void hour_extras_derive(struct hour_extras *extras)
{
    extras->fps_jitter_coefficient =
        mean(extras->fps_jitter_sum, extras->fps_jitter_hour_count);
    extras->avg_cold_startup_latency_ms =
        mean((double)extras->cold_startup_latency_sum_ms,
             extras->cold_startup_latency_sample_count);
    extras->avg_warm_startup_latency_ms =
        mean((double)extras->warm_startup_latency_sum_ms,
             extras->warm_startup_latency_sample_count);
    extras->avg_ingest_video_packet_jitter_ms =
        mean(extras->ingest_video_packet_jitter_sum_ms,
             extras->ingest_video_packet_jitter_sample_count);
    extras->avg_ingest_audio_packet_jitter_ms =
        mean(extras->ingest_audio_packet_jitter_sum_ms,
             extras->ingest_audio_packet_jitter_sample_count);
}

void hour_extras_finish(const struct hour_extras_sum *sum, struct sla_row *row)
{
    struct hour_extras *extras = &row->extras;
    *extras = sum->extras;
    extras->fps_jitter_sum = exact_round(&sum->fps_jitter);
    finish_packets(sum, extras);
    hour_extras_derive(extras);
    row->gpu_model_name = sum->card.gpu_model_name;
    row->gpu_memory_bytes_total = sum->card.gpu_memory_bytes_total;
    row->runner_version = sum->card.runner_version;
}

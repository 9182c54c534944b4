/*
 * job_fuzz.c: any bytes as a message around a job (the first byte says which).
 * What is read of bodies that we also write, is written and reads as the same.
 */
#include "livepeer/livepeer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_start(struct text bytes)
{
    struct job_start start;
    struct job_start again;
    struct buf out = {0};
    if (job_start_decode(&arena, bytes, &start))
        return;
    must(start.model_id.length > 0);
    job_start_encode(&out, &start);
    must(
        !job_start_decode(&arena, (struct text){out.data, out.length}, &again));
    must(text_equal(start.model_id, again.model_id));
    must(text_equal(start.params, again.params));
    must(text_equal(start.stream_id, again.stream_id));
    buf_free(&out);
}

static void check_channels(struct text bytes)
{
    struct job_channels channels;
    struct job_channels again;
    struct buf out = {0};
    if (job_channels_decode(&arena, bytes, &channels))
        return;
    job_channels_encode(&out, &channels);
    must(!job_channels_decode(&arena, (struct text){out.data, out.length},
                              &again));
    must(text_equal(channels.publish_url, again.publish_url));
    must(text_equal(channels.events_url, again.events_url));
    buf_free(&out);
}

static void check_segment(struct text bytes)
{
    struct segment_data segment;
    if (!segment_header_read(&arena, bytes, &segment))
        must(!segment_header_read(&arena, segment_header(&arena, &segment),
                                  &segment));
}

static void check_payment(struct text bytes)
{
    struct payment payment;
    uint8_t hash[KECCAK_BYTES];
    if (payment_header_read(&arena, bytes, &payment))
        return;
    must(payment_value_wei(&payment) >= 0);
    if (payment.ticket_params)
        ticket_hash(payment.ticket_params, payment.expiration, payment.sender,
                    1, hash);
    if (payment.expected_price)
        must(price_of_pixels_wei(payment.expected_price,
                                 LIVE_PIXELS_PER_SECOND) != -1);
}

static void check_event(struct text bytes)
{
    struct live_event event;
    if (live_event_read(&arena, bytes, &event))
        return;
    must(event.type.data && event.state.data && event.message.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct text) = {
        check_start, check_channels, check_segment, check_payment, check_event};
    if (!size)
        return 0;
    checks[data[0] % (sizeof checks / sizeof *checks)](
        (struct text){(const char *)data + 1, size - 1});
    arena_clear(&arena);
    return 0;
}

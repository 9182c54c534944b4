#include "livepeer/livepeer.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;

static const char first[] =
    "[{\"address\":\"A\",\"orch_uri\":\"U\",\"local_address\":"
    "\"0x00000000000000000000000000000000000000AB\",\"hardware\":"
    "[{\"pipeline\":\"P\",\"model_id\":\"M\",\"gpu_info\":"
    "[{\"id\":\"G0\",\"name\":\"RTX\",\"memory_total\":24},{\"id\":\"G1\"}]}],"
    "\"capabilities_prices\":[{\"capability\":35,\"constraint\":\"M\","
    "\"pricePerUnit\":2287,\"pixelsPerUnit\":1}]},{\"address\":\"B\","
    "\"capabilities\":{\"constraints\":{\"PerCapability\":{\"27\":"
    "{\"models\":{\"m\":{\"warm\":true,\"capacity\":3}}}}}}}]";
static const char second[] =
    "[{\"address\":\"B\"},{\"address\":\"C\",\"hardware\":5}]";

static struct capability_snapshot snapshot(const char *json, const char *id,
                                           int64_t ts)
{
    struct capability_snapshot made = {.ts = ts, .line = ts / 2};
    struct yyjson_val *data = json_parse(&arena, json, strlen(json));
    REQUIRE(data != NULL);
    made.id = text_of(id);
    made.elements = capability_read(&arena, data, &made.element_count);
    return made;
}

static void check_same_interval(const struct capability_interval *got,
                                const struct capability_interval *wanted)
{
    CHECK(text_equal(got->pipeline, wanted->pipeline));
    CHECK(text_equal(got->model, wanted->model));
    CHECK(text_equal(got->gpu_id, wanted->gpu_id));
    CHECK(text_equal(got->gpu_name, wanted->gpu_name));
    CHECK_EQ_INT(got->gpu_memory_bytes, wanted->gpu_memory_bytes);
    CHECK_EQ_INT(got->source, wanted->source);
    CHECK_EQ_INT(got->has_hardware, wanted->has_hardware);
    CHECK_EQ_INT(got->warm, wanted->warm);
    CHECK_EQ_INT(got->capacity, wanted->capacity);
    CHECK_EQ_TEXT(got->suffix, wanted->suffix);
}

static void check_same_price(const struct capability_price *got,
                             const struct capability_price *wanted)
{
    CHECK_EQ_INT(got->capability, wanted->capability);
    CHECK(text_equal(got->constraint, wanted->constraint));
    CHECK_EQ_INT(got->price_per_unit, wanted->price_per_unit);
    CHECK_EQ_INT(got->pixels_per_unit, wanted->pixels_per_unit);
}

static void check_same_element(const struct capability_element *got,
                               const struct capability_element *wanted)
{
    CHECK(text_equal(got->address, wanted->address));
    CHECK(text_equal(got->uri, wanted->uri));
    CHECK(text_equal(got->alias, wanted->alias));
    CHECK_EQ_TEXT(got->payload, wanted->payload);
    REQUIRE(got->interval_count == wanted->interval_count);
    for (size_t i = 0; i < wanted->interval_count; i++)
        check_same_interval(&got->intervals[i], &wanted->intervals[i]);
    REQUIRE(got->price_count == wanted->price_count);
    for (size_t i = 0; i < wanted->price_count; i++)
        check_same_price(&got->prices[i], &wanted->prices[i]);
}

static void check_same(const struct capability_snapshot *got,
                       const struct capability_snapshot *wanted)
{
    CHECK_EQ_INT(got->ts, wanted->ts);
    CHECK_EQ_INT(got->line, wanted->line);
    CHECK_EQ_INT(got->removed, wanted->removed);
    CHECK(text_equal(got->id, wanted->id));
    REQUIRE(got->element_count == wanted->element_count);
    for (size_t i = 0; i < wanted->element_count; i++)
        check_same_element(&got->elements[i], &wanted->elements[i]);
}

enum { SAMPLES = 4 };

static void make_samples(struct capability_snapshot samples[SAMPLES])
{
    samples[0] = snapshot(first, "id-1", 1767908945298);
    samples[1] = snapshot("[]", "9c838785-dc30-4725-9769-34cc47792393", 0);
    samples[2] = snapshot(second, "id-2", 9999999999999);
    samples[2].removed = true;
    samples[3] = snapshot(first, "id-3", 1767908945298);
}

TEST(stored_snapshots_are_read_back)
{
    struct capability_snapshot samples[SAMPLES];
    make_samples(samples);
    for (size_t count = 0; count <= SAMPLES; count++) {
        struct buf bytes = {0};
        struct capability_snapshot *snapshots;
        size_t read;
        snapshots_encode(&bytes, samples, count);
        REQUIRE(snapshots_decode(&arena,
                                 (struct text){bytes.data, bytes.length},
                                 &snapshots, &read));
        CHECK_EQ_INT(read, count);
        for (size_t i = 0; i < read; i++)
            check_same(&snapshots[i], &samples[i]);
        buf_free(&bytes);
    }
    arena_free(&arena);
}

TEST(equal_elements_are_stored_once)
{
    struct capability_snapshot samples[200];
    struct buf one = {0};
    struct buf many = {0};
    for (size_t i = 0; i < 200; i++)
        samples[i] = snapshot(first, "id", 1767908945298);
    snapshots_encode(&one, samples, 1);
    snapshots_encode(&many, samples, 200);
    CHECK(many.length < one.length + 200 * 20);
    buf_free(&one);
    buf_free(&many);
    arena_free(&arena);
}

static bool decodes(const char *bytes, size_t length)
{
    struct capability_snapshot *snapshots;
    size_t count;
    bool sound = snapshots_decode(&arena, (struct text){bytes, length},
                                  &snapshots, &count);
    for (size_t i = 0; sound && i < count; i++)
        CHECK(snapshots[i].ts >= 0 && snapshots[i].ts <= EVENT_TIME_MS_MAX);
    return sound;
}

TEST(a_stored_hour_that_is_cut_or_longer_is_refused)
{
    struct capability_snapshot samples[SAMPLES];
    struct buf bytes = {0};
    make_samples(samples);
    snapshots_encode(&bytes, samples, SAMPLES);
    for (size_t length = 0; length < bytes.length; length++) {
        char *cut = memory_alloc(length); /* exactly: a read beyond is found */
        memcpy(cut, bytes.data, length);
        CHECK(!decodes(cut, length));
        free(cut);
    }
    buf_add_byte(&bytes, 0);
    CHECK(!decodes(bytes.data, bytes.length));
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(damaged_snapshots_are_refused_or_stay_within_bounds)
{
    struct capability_snapshot samples[SAMPLES];
    struct buf bytes = {0};
    size_t refused = 0;
    make_samples(samples);
    snapshots_encode(&bytes, samples, SAMPLES);
    for (size_t at = 0; at < bytes.length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
            refused += !decodes(bytes.data, bytes.length);
            bytes.data[at] = (char)(bytes.data[at] ^ (1 << bit));
        }
    }
    CHECK(refused > SAMPLES);
    buf_free(&bytes);
    arena_free(&arena);
}

TEST(a_count_that_lies_costs_no_memory)
{
    static const struct text rows[] = {
        {"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9},
        {"\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10},
        {"\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11},
    };
    EACH_ROW (bytes, rows) {
        CHECK(!decodes(bytes->data, bytes->length));
        CHECK(arena.used_bytes < 100000);
    }
    arena_free(&arena);
}

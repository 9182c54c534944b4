/*
 * What the network offers and at which price (§1.5, §4.4), and how payments
 * are linked (§3.9).
 */
#include "rollup/rollup.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

static const char *string(struct text text)
{
    return text.data ? arena_text(&arena, text.data, text.length) : NULL;
}

static struct capability_snapshot snapshot(int64_t ts, const char *id,
                                           const char *json)
{
    struct capability_snapshot made = {.ts = ts, .id = text_of(id)};
    struct yyjson_val *data = json_parse(&arena, json, strlen(json));
    REQUIRE(data != NULL);
    made.elements = capability_read(&arena, data, &made.element_count);
    return made;
}

static struct network network_of(const struct capability_snapshot *snapshots,
                                 size_t count)
{
    struct network_builder *builder = network_builder_new();
    for (size_t i = 0; i < count; i++)
        network_builder_add(builder, text_of("acme"), &snapshots[i], 1);
    return network_builder_end(builder, &arena);
}

static const char early[] =
    "[{\"address\":\"A\",\"orch_uri\":\"https://old\",\"hardware\":["
    "{\"pipeline\":\"Live-Video-to-Video\",\"model_id\":\"m\",\"gpu_info\":["
    "{\"id\":\"G\",\"name\":\"RTX\",\"memory_total\":24},{\"id\":\"H\"}]},"
    "{\"pipeline\":\"openai-chat\",\"model_id\":\"Q\"}],"
    "\"capabilities_prices\":[{\"capability\":35,\"constraint\":\"m\","
    "\"pricePerUnit\":10,\"pixelsPerUnit\":1},{\"capability\":37,"
    "\"constraint\":\"openai-chat\",\"pricePerUnit\":2500,\"pixelsPerUnit\":2},"
    "{\"capability\":99,\"constraint\":\"x\",\"pricePerUnit\":1,"
    "\"pixelsPerUnit\":1},{\"capability\":33,\"constraint\":\"x\","
    "\"pricePerUnit\":1,\"pixelsPerUnit\":0}]}]";
static const char late[] =
    "[{\"address\":\"a\",\"orch_uri\":\"https://NEW\",\"hardware\":["
    "{\"pipeline\":\"live-video-to-video\",\"model_id\":\"m\",\"gpu_info\":["
    "{\"id\":\"G\",\"name\":\"L40\"}]}],\"capabilities_prices\":["
    "{\"capability\":35,\"constraint\":\"m\",\"pricePerUnit\":20,"
    "\"pixelsPerUnit\":3}]},"
    "{\"address\":\"b\",\"capabilities\":{\"constraints\":{\"PerCapability\":{"
    "\"33\":{\"models\":{\"n\":{\"warm\":true,\"capacity\":4}}}}}}},"
    "{\"address\":\"c\"}]";

TEST(an_offer_is_kept_once_as_it_was_seen_last)
{
    struct capability_snapshot snapshots[] = {snapshot(2000, "2", late),
                                              snapshot(1000, "1", early)};
    struct network network = network_of(snapshots, 2);
    REQUIRE(network.offer_count == 4);
    const struct offer_row *row = network.offers;
    CHECK_EQ_TEXT(string(row[0].gpu_id), "G");
    CHECK_EQ_TEXT(string(row[0].gpu_model_name), "L40");
    CHECK_EQ_TEXT(string(row[0].orchestrator_uri), "https://new");
    CHECK_EQ_INT(row[0].last_seen, 2000);
    CHECK_EQ_TEXT(string(row[0].pipeline_id), "live-video-to-video");
    CHECK_EQ_INT(row[0].capability_id, 35);
    CHECK_EQ_TEXT(string(row[0].price_per_unit), "20");
    CHECK_EQ_INT(row[0].pixels_per_unit, 3);
    CHECK_EQ_INT(row[0].warm, ABSENT_INT);
    CHECK_EQ_TEXT(string(row[1].gpu_id), "H");
    CHECK_EQ_INT(row[1].last_seen, 1000);
    CHECK_EQ_TEXT(string(row[2].capability_family), "byoc");
    CHECK_EQ_TEXT(string(row[2].pipeline_id), "openai-chat");
    CHECK_EQ_INT(row[2].hardware_present, 1);
    CHECK_EQ_TEXT(string(row[2].gpu_id), NULL);
    CHECK_EQ_TEXT(string(row[2].price_per_unit), "2500");
    CHECK_EQ_TEXT(string(row[3].orch_address), "b");
    CHECK_EQ_INT(row[3].hardware_present, 0);
    CHECK_EQ_INT(row[3].warm, 1);
    CHECK_EQ_INT(row[3].advertised_capacity, 4);
    CHECK_EQ_INT(row[3].supports_stream, 0);
    CHECK_EQ_TEXT(string(row[3].price_per_unit), NULL);
    arena_free(&arena);
}

TEST(prices_and_sightings_are_kept_likewise)
{
    struct capability_snapshot snapshots[] = {snapshot(1000, "1", early),
                                              snapshot(2000, "2", late)};
    struct network network = network_of(snapshots, 2);
    REQUIRE(network.price_count == 2);
    CHECK_EQ_INT(network.prices[0].price_per_unit, 20);
    CHECK_EQ_TEXT(string(network.prices[1].pipeline_id), "openai-chat");
    CHECK_EQ_TEXT(string(network.prices[1].model_id), NULL);
    REQUIRE(network.sighting_count == 3);
    CHECK_EQ_TEXT(string(network.sightings[0].orch_address), "a");
    CHECK_EQ_INT(network.sightings[0].last_seen, 2000);
    CHECK_EQ_TEXT(string(network.sightings[2].orch_address), "c");
    arena_free(&arena);
}

/* Two snapshots of one time: the greater id decides, whatever came first. */
TEST(the_order_of_snapshots_changes_nothing)
{
    struct capability_snapshot snapshots[] = {snapshot(1000, "1", early),
                                              snapshot(1000, "2", late)};
    for (int turn = 0; turn < 2; turn++) {
        struct network network = network_of(snapshots, 2);
        CHECK_EQ_TEXT(string(network.offers[0].gpu_model_name), "L40");
        CHECK_EQ_INT(network.prices[0].price_per_unit, 20);
        struct capability_snapshot first = snapshots[0];
        snapshots[0] = snapshots[1];
        snapshots[1] = first;
    }
    snapshots[0].removed = snapshots[1].removed = true;
    CHECK_EQ_INT(network_of(snapshots, 2).sighting_count, 0);
    arena_free(&arena);
}

TEST(a_payment_names_its_pipeline_after_the_number)
{
    static const struct {
        const char *manifest;
        const char *hint;
    } rows[] = {
        {"35_streamdiffusion", "streamdiffusion"},
        {"d05da5dd", "d05da5dd"},
        {"35", "35"},
        {"35_", ""},
        {"_x", "_x"},
        {"3a_x", "3a_x"},
        {"", ""},
    };
    EACH_ROW (row, rows) {
        struct request_event event = {
            .kind = REQUEST_PAYMENT,
            .manifest_id = text_of(row->manifest),
            .win_prob = text_of("0.0009990010"),
            .face_value_wei = UINT64_MAX,
        };
        struct payment_row payment = payment_row_of(
            &arena, text_of("acme"), &event, (struct text){NULL, 0});
        CHECK_EQ_TEXT(string(payment.pipeline_hint), row->hint);
        CHECK_EQ_TEXT(string(payment.face_value_wei), "18446744073709551615");
        CHECK_EQ_DOUBLE(payment.win_prob, 0.000999001);
        CHECK_EQ_TEXT(string(payment.link_method), "unlinked");
        CHECK_EQ_TEXT(string(payment.session_key), NULL);
    }
    arena_free(&arena);
}

/*
 * Offers out of snapshots: each once, as it was seen last.
 */
#include "rollup/rollup.h"

#include "harness.h"

TEST(an_offer_is_kept_as_it_was_seen_last)
{
    static struct capability_interval intervals[] = {
        {.pipeline = {"Live-Video-To-Video", 19},
         .model = {"m", 1},
         .gpu_id = {"g1", 2}},
        {.pipeline = {"live-video-to-video", 19},
         .model = {"m", 1},
         .gpu_id = {"g2", 2}},
        {.pipeline = {"live-video-to-video", 19},
         .model = {"", 0},
         .gpu_id = {"g3", 2}},
        {.pipeline = {"text-to-image", 13},
         .model = {"x", 1},
         .gpu_id = {"g4", 2}},
    };
    struct capability_element early = {.address = text_of("0xa"),
                                       .uri = text_of("https://old"),
                                       .intervals = intervals,
                                       .interval_count = 4};
    struct capability_element late = {.address = text_of("0xa"),
                                      .uri = text_of("https://new"),
                                      .intervals = intervals,
                                      .interval_count = 1};
    struct capability_snapshot snapshots[] = {
        {.ts = 20, .elements = &late, .element_count = 1},
        {.ts = 10, .elements = &early, .element_count = 1},
        {.ts = 30, .elements = &early, .element_count = 1, .removed = true},
    };
    struct arena arena = {0};
    size_t count;
    struct offer *offers = offers_build(&arena, text_of("acme"), snapshots, 3,
                                        "live-video-to-video", &count);
    REQUIRE(count == 2);
    CHECK(text_is(offers[0].gpu_id, "g1"));
    CHECK(text_is(offers[0].uri, "https://new"));
    CHECK_EQ_INT(offers[0].last_seen, 20);
    CHECK(text_is(offers[1].gpu_id, "g2"));
    CHECK(text_is(offers[1].uri, "https://old"));
    CHECK_EQ_INT(offers[1].last_seen, 10);
    arena_free(&arena);
}

/*
 * network_test.c: networks inside a process that does other things, too.
 */
#include "base/clock.h"
#include "harness.h"
#include "sim/gpu.h"
#include "sim/ingest_meter.h"
#include "sim/sim.h"
#include "wire/wire.h"

#include <dirent.h>
#include <string.h>

enum { HERE = 4, SHORT_HOUR_S = 20 };

/* libuv keeps two for the process, from its first loop on. */
static int open_descriptors(void)
{
    struct loop *loop;
    REQUIRE_OK(loop_start(&loop));
    loop_stop(loop);
    DIR *all = opendir("/proc/self/fd");
    int count = 0;
    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}

static struct sim *start(const struct scenario *scenario, uint64_t seed)
{
    struct sim *sim;
    struct sim_settings settings = {.scenario = scenario,
                                    .seed = seed,
                                    .host = "127.0.0.1",
                                    .truth_path = test_path("truth"),
                                    .sessions = 1,
                                    .hour_s = SHORT_HOUR_S,
                                    .clock_start_ms = 1000000,
                                    .clock_origin_us =
                                        clock_monotonic_us() - 10 * 1000000,
                                    .flattered = sim_flattered(scenario, seed),
                                    .events_path = test_path("events")};
    REQUIRE_OK(sim_start(&sim, &settings));
    return sim;
}

TEST(two_networks_live_in_one_process)
{
    struct scenario scenario;
    scenario_steady(&scenario, HERE);
    int before = open_descriptors();
    struct sim *one = start(&scenario, 1);
    struct sim *other = start(&scenario, 2);
    REQUIRE(sim_count(one) == HERE && sim_count(other) == HERE);
    for (size_t i = 0; i < HERE; i++) {
        struct sim_orchestrator here = sim_orchestrator(one, i);
        struct sim_orchestrator there = sim_orchestrator(other, i);
        CHECK_EQ_TEXT(here.name, there.name);
        CHECK(strcmp(here.url, there.url) != 0);
        CHECK(strcmp(here.address, there.address) != 0);
        CHECK(strcmp(here.address, here.signing_address) != 0);
    }
    CHECK(strcmp(sim_gateway_url(one), sim_gateway_url(other)) != 0);
    CHECK(strcmp(sim_signer_url(one), sim_signer_url(other)) != 0);
    /* Ten seconds are half an hour. */
    int64_t told_ms = sim_time_ms(one) - 1000000;
    CHECK(told_ms >= MS_PER_HOUR / 2 && told_ms < MS_PER_HOUR * 10);
    CHECK_OK(sim_stop(one));
    CHECK_OK(sim_stop(other));
    CHECK_EQ_INT(open_descriptors(), before);
    scenario_free(&scenario);
}

TEST(what_cannot_start_leaves_nothing_behind)
{
    struct scenario scenario;
    struct sim *sim;
    scenario_steady(&scenario, 2);
    int before = open_descriptors();
    struct sim_settings settings = {.scenario = &scenario,
                                    .host = "192.0.2.1",
                                    .hour_s = SIM_HOUR_S,
                                    .flattered = ""};
    CHECK_ERR(sim_start(&sim, &settings), ERR_NETWORK);
    settings.host = "127.0.0.1";
    settings.sessions = 1;
    settings.events_path = "/no/such/place";
    CHECK_ERR(sim_start(&sim, &settings), ERR_USAGE);
    CHECK_EQ_INT(open_descriptors(), before);
    scenario_free(&scenario);
}

TEST(another_seed_flatters_another_one)
{
    static const char idle[] = "orchestrators:\n"
                               "  - {name: idle, works: false}\n"
                               "  - {name: full, slots: 0}\n";
    struct scenario scenario;
    size_t chosen[HERE] = {0};
    scenario_steady(&scenario, HERE);
    for (uint64_t seed = 0; seed < 100; seed++) {
        const char *name = sim_flattered(&scenario, seed);
        chosen[name[strlen(name) - 1] - '1']++;
    }
    for (size_t i = 0; i < HERE; i++)
        CHECK(chosen[i] > 10);
    scenario_free(&scenario);

    REQUIRE_OK(scenario_load_bytes(&scenario, "idle", idle, sizeof idle - 1));
    CHECK_EQ_TEXT(sim_flattered(&scenario, 1), "");
    scenario_free(&scenario);
}

TEST(hardware_is_as_the_real_network_has_it)
{
    struct network network = {.seed = 1};
    struct behaviour behaviour = {.gpu = ""};
    size_t newest = 0;
    for (size_t place = 0; place < 200; place++) {
        struct orchestrator orchestrator = {
            .network = &network, .place = place, .behaviour = &behaviour};
        struct gpu_model model = gpu_model_of(&orchestrator);
        CHECK(model.memory_bytes > 0 && model.major >= 6);
        newest += model.major == 12;
    }
    /* 32 of 61 in the dumps. */
    CHECK(newest > 80 && newest < 130);

    struct orchestrator named = {.network = &network, .behaviour = &behaviour};
    behaviour.gpu = "NVIDIA GeForce RTX 3090";
    CHECK_EQ_INT(gpu_model_of(&named).minor, 6);
    behaviour.gpu_memory_bytes = 1000;
    CHECK_EQ_INT(gpu_model_of(&named).memory_bytes, 1000);
    behaviour.gpu = "Another";
    CHECK_EQ_TEXT(gpu_model_of(&named).name, "Another");
}

TEST(jitter_of_a_stream_that_comes_in_is_that_of_rtp)
{
    struct ingest_meter meter = {0};
    for (int64_t i = 0; i < 100; i++)
        ingest_meter_frame(&meter, i * 40000, i * 40000 + 7, 2500);
    CHECK_EQ_DOUBLE(meter.jitter_us, 0);
    CHECK_EQ_INT(meter.packets, 300);
    /* Alternately 3 ms late and not: each is 3 ms off the one before. */
    for (int64_t i = 100; i < 400; i++)
        ingest_meter_frame(&meter, i * 40000, i * 40000 + i % 2 * 3000, 2500);
    CHECK(meter.jitter_us > 2999 && meter.jitter_us < 3001);
}

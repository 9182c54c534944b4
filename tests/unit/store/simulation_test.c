/*
 * The mark of a simulated store: said before the first line, for good.
 */
#include "store/store.h"

#include "harness.h"

static const struct simulation simulation = {
    .seed = 7, .honest = true, .began_at = 1767908945298, .hour_ms = 20000};

static struct store *opened(void)
{
    struct store *store = NULL;
    REQUIRE_OK(store_open(&store, test_folder(), STORE_WRITE));
    return store;
}

static void add_line(struct store *store)
{
    struct evidence_line line = {.source = text_of("http"),
                                 .org = text_of("org"),
                                 .bytes = text_of("{}"),
                                 .length = 2,
                                 .event_ms = simulation.began_at};
    REQUIRE_OK(store_begin(store));
    REQUIRE_OK(evidence_append(store, &line));
    REQUIRE_OK(store_commit(store));
}

TEST(a_store_is_real_unless_it_says_otherwise)
{
    struct store *store = opened();
    struct simulation read;
    bool is_one = true;
    CHECK_OK(store_simulation(store, &read, &is_one));
    CHECK(!is_one);
    CHECK_OK(store_refuse_simulation(store, "an import"));
    store_close(store);
}

TEST(the_mark_is_read_as_it_was_set)
{
    struct store *store = opened();
    struct simulation read;
    bool is_one = false;
    CHECK_OK(store_simulate(store, &simulation));
    store_close(store);
    store = opened();
    CHECK_OK(store_simulation(store, &read, &is_one));
    CHECK(is_one);
    CHECK_EQ_INT(read.seed, 7);
    CHECK(read.honest);
    CHECK_EQ_INT(read.began_at, simulation.began_at);
    CHECK_EQ_INT(read.hour_ms, 20000);
    CHECK_ERR(store_refuse_simulation(store, "an import"), ERR_USAGE);
    store_close(store);
}

TEST(no_evidence_becomes_simulated)
{
    struct store *store = opened();
    add_line(store);
    CHECK_ERR(store_simulate(store, &simulation), ERR_USAGE);
    store_close(store);
}

TEST(no_demonstration_begins_in_the_store_of_another)
{
    struct store *store = opened();
    CHECK_OK(store_simulate(store, &simulation));
    CHECK_ERR(store_simulate(store, &simulation), ERR_USAGE);
    store_close(store);
}

TEST(its_clock_stands_until_there_is_a_line)
{
    struct store *store = opened();
    int64_t ms;
    CHECK_OK(store_simulation_clock(store, 42, &ms));
    CHECK_EQ_INT(ms, 42);
    store_close(store);
}

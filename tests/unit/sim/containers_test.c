/*
 * containers_test.c: how many jobs fit, and which of them begin cold.
 */
#include "harness.h"
#include "sim/containers.h"

enum { COOLS_US = 1000 };

TEST(as_many_jobs_fit_as_there_are_containers)
{
    struct containers containers;
    struct container *taken[2];
    bool cold;
    containers_init(&containers, 2, true, COOLS_US, 0);
    CHECK_EQ_INT(containers_idle(&containers), 2);
    for (int i = 0; i < 2; i++) {
        taken[i] = container_take(&containers, 1, &cold);
        CHECK(taken[i] && !cold);
    }
    CHECK(!container_take(&containers, 1, &cold));
    CHECK_EQ_INT(containers_idle(&containers), 0);
    container_release(taken[0], true, 2);
    CHECK_EQ_INT(containers_idle(&containers), 1);
    CHECK(container_take(&containers, 3, &cold) == taken[0]);
    containers_free(&containers);
}

TEST(a_container_is_warm_after_output_and_for_a_while)
{
    static const struct {
        bool starts_warm;
        bool put_out; /* by its first job, from 100 to 200 */
        int64_t next_us;
        bool cold;
    } rows[] = {
        {true, true, 300, false},  {true, false, 300, false},
        {true, true, 1199, false}, {true, true, 1200, true},
        {false, true, 300, false}, {false, false, 300, true},
        {false, true, 1200, true},
    };
    EACH_ROW (row, rows) {
        struct containers containers;
        bool cold;
        containers_init(&containers, 1, row->starts_warm, COOLS_US, 0);
        CHECK_EQ_INT(containers_warm(&containers, 50), row->starts_warm);
        struct container *container = container_take(&containers, 100, &cold);
        CHECK_EQ_INT(cold, !row->starts_warm);
        container_release(container, row->put_out, 200);
        CHECK_EQ_INT(containers_warm(&containers, row->next_us), !row->cold);
        CHECK(container_take(&containers, row->next_us, &cold) == container);
        CHECK_EQ_INT(cold, row->cold);
        containers_free(&containers);
    }
}

TEST(the_container_used_last_is_taken_first)
{
    struct containers containers;
    bool cold;
    containers_init(&containers, 3, false, COOLS_US, 0);
    struct container *first = container_take(&containers, 10, &cold);
    struct container *second = container_take(&containers, 10, &cold);
    container_release(second, true, 20);
    container_release(first, true, 30);
    CHECK(container_take(&containers, 40, &cold) == first);
    CHECK(!cold);
    CHECK(container_take(&containers, 40, &cold) == second);
    CHECK(container_take(&containers, 40, &cold) != NULL);
    CHECK(cold);
    containers_free(&containers);
}

TEST(without_containers_there_is_no_room)
{
    struct containers containers;
    bool cold;
    containers_init(&containers, 0, true, COOLS_US, 0);
    CHECK(!container_take(&containers, 1, &cold));
    CHECK(!containers_warm(&containers, 1));
    containers_free(&containers);
}

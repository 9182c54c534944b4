/*
 * A loop's thread: work from other threads in order, timers in theirs.
 */
#include "base/clock.h"
#include "wire/wire.h"

#include "harness.h"

#include <pthread.h>
#include <time.h>

enum { POSTERS = 4, POSTS = 500, TIMERS = 300, MS = 1000 };

struct tally {
    struct loop *loop;
    int count;
    bool strayed; /* ran on another thread */
};

static void count(void *context)
{
    struct tally *tally = context;
    tally->count++;
    if (!loop_is_here(tally->loop))
        tally->strayed = true;
}

static void *post_many(void *context)
{
    struct tally *tally = context;
    for (int i = 0; i < POSTS; i++)
        loop_post(tally->loop, count, tally);
    return NULL;
}

TEST(what_threads_post_runs_on_the_loop)
{
    struct tally tally = {0};
    pthread_t threads[POSTERS];
    REQUIRE_OK(loop_start(&tally.loop));
    CHECK(!loop_is_here(tally.loop));
    for (int i = 0; i < POSTERS; i++)
        REQUIRE(!pthread_create(&threads[i], NULL, post_many, &tally));
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    loop_call(tally.loop, count, &tally);
    CHECK_EQ_INT(tally.count, POSTERS * POSTS + 1);
    CHECK(!tally.strayed);
    loop_stop(tally.loop);
}

static void post_again(void *context)
{
    struct tally *tally = context;
    loop_post(tally->loop, count, tally);
    loop_call(tally->loop, count, tally); /* at once: it is its own thread */
    CHECK_EQ_INT(tally->count, 1);
}

TEST(stopping_runs_what_was_posted_before)
{
    struct tally tally = {0};
    REQUIRE_OK(loop_start(&tally.loop));
    loop_post(tally.loop, post_again, &tally);
    loop_stop(tally.loop);
    CHECK_EQ_INT(tally.count, 2);
    loop_stop(NULL);
}

/* ---- timers -------------------------------------------------------------- */

struct bell {
    struct loop_timer timer;
    struct bells *all;
    int64_t wanted_us;
    int64_t rang_us;
    int order;
};

struct bells {
    struct loop *loop;
    struct bell list[TIMERS];
    int rung;
};

static void ring(void *context)
{
    struct bell *bell = context;
    bell->rang_us = clock_monotonic_us();
    bell->order = ++bell->all->rung;
}

static int64_t scattered(int i)
{
    return (int64_t)(i * 7919 % TIMERS) * 100;
}

static void set_bells(void *context)
{
    struct bells *bells = context;
    int64_t now = clock_monotonic_us() + 5 * MS;
    for (int i = 0; i < TIMERS; i++) {
        struct bell *bell = &bells->list[i];
        bell->all = bells;
        bell->wanted_us = now + scattered(i);
        loop_timer_init(&bell->timer, bells->loop, ring, bell);
        loop_timer_at(&bell->timer, now - scattered(i)); /* set anew below */
        loop_timer_at(&bell->timer, bell->wanted_us);
        CHECK(loop_timer_is_set(&bell->timer));
    }
    for (int i = 0; i < TIMERS; i += 3) {
        loop_timer_stop(&bells->list[i].timer);
        loop_timer_stop(&bells->list[i].timer);
    }
}

static void wait_ms(int ms)
{
    struct timespec pause = {.tv_sec = ms / 1000,
                             .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

TEST(timers_run_when_due_and_in_order)
{
    static struct bells bells;
    int wrong = 0;
    REQUIRE_OK(loop_start(&bells.loop));
    loop_call(bells.loop, set_bells, &bells);
    wait_ms(100);
    loop_stop(bells.loop);
    CHECK_EQ_INT(bells.rung, TIMERS - TIMERS / 3);
    for (int i = 0; i < TIMERS; i++) {
        const struct bell *bell = &bells.list[i];
        bool stopped = i % 3 == 0;
        wrong += stopped != (bell->order == 0);
        wrong += !stopped && bell->rang_us < bell->wanted_us;
        for (int j = 0; j < TIMERS; j++) {
            const struct bell *other = &bells.list[j];
            wrong += bell->order && other->order &&
                     bell->wanted_us < other->wanted_us &&
                     bell->order > other->order;
        }
    }
    CHECK_EQ_INT(wrong, 0);
}

struct repeater {
    struct loop *loop;
    int seen;
    struct loop_timer timer;
    struct loop_timer other;
    int count;
    bool starved;
};

static void repeat(void *context)
{
    struct repeater *repeater = context;
    if (++repeater->count < 1000)
        loop_timer_at(&repeater->timer, 0);
}

static void look_at_repeater(void *context)
{
    struct repeater *repeater = context;
    repeater->starved = repeater->count == 1000;
}

static void count_repeats(void *context)
{
    struct repeater *repeater = context;
    repeater->seen = repeater->count;
}

static void start_repeater(void *context)
{
    struct repeater *repeater = context;
    loop_timer_init(&repeater->timer, repeater->loop, repeat, repeater);
    loop_timer_init(&repeater->other, repeater->loop, look_at_repeater,
                    repeater);
    loop_timer_at(&repeater->timer, 0);
    loop_timer_at(&repeater->other, 1);
}

TEST(a_timer_always_due_does_not_starve_the_loop)
{
    struct repeater repeater = {0};
    REQUIRE_OK(loop_start(&repeater.loop));
    loop_call(repeater.loop, start_repeater, &repeater);
    for (int i = 0; i < 1000 && repeater.seen < 1000; i++) {
        wait_ms(10);
        loop_call(repeater.loop, count_repeats, &repeater);
    }
    loop_stop(repeater.loop);
    CHECK_EQ_INT(repeater.count, 1000);
    CHECK(!repeater.starved);
}

/*
 * loop.c: see loop.h.
 *
 * How: the thread runs uv_run. Posted work lies in a list under a mutex and an
 * async handle wakes the thread. Timers share one timerfd, and setting it costs
 * more than most of what else a turn does (on a virtual machine the hypervisor
 * is asked). So timers that are due are run before the loop waits, without it,
 * and it is set only where it would fire too late: where it fires too early, as
 * after a timer was stopped, nothing is due and it is set again.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "wire/loop_int.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    US_PER_SECOND = 1000000,
    NS_PER_US = 1000,
    SOON_US = 20 /* setting the timerfd takes as long */
};

struct post {
    struct post *next;
    loop_work *work;
    void *context;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t before_wait;
    uv_idle_t hurry; /* while it runs, the loop only looks and does not wait */
    uv_poll_t timer_watch;
    int timer;
    int64_t timer_set_us; /* what the timerfd stands at */
    struct timer_heap timers;
    pthread_t thread;

    pthread_mutex_t mutex; /* of what follows */
    struct post *first;
    struct post **last;
    bool stopping;
};

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

struct timer_heap *loop_timers(struct loop *loop)
{
    return &loop->timers;
}

bool loop_is_here(const struct loop *loop)
{
    return pthread_equal(loop->thread, pthread_self()) != 0;
}

/* ---- timers -------------------------------------------------------------- */

static void go_on(uv_idle_t *handle)
{
    (void)handle;
}

static void set_timer(struct loop *loop, int64_t at_us)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = at_us / US_PER_SECOND,
                     .tv_nsec = at_us % US_PER_SECOND * NS_PER_US}};
    timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL);
    loop->timer_set_us = at_us;
}

/* What was set by a timer that ran here waits until the loop has looked around
 * once, so that nobody starves. */
static void before_waiting(uv_prepare_t *handle)
{
    struct loop *loop = handle->data;
    timer_heap_run(&loop->timers, clock_monotonic_us());
    int64_t next_us = timer_heap_next(&loop->timers);
    if (next_us <= clock_monotonic_us() + SOON_US) {
        uv_idle_start(&loop->hurry, go_on);
        return;
    }
    uv_idle_stop(&loop->hurry);
    if (next_us < loop->timer_set_us)
        set_timer(loop, next_us);
}

static void run_timers(uv_poll_t *handle, int status, int events)
{
    struct loop *loop = handle->data;
    uint64_t expired;
    (void)status;
    (void)events;
    if (read(loop->timer, &expired, sizeof expired) < 0)
        return; /* set anew since it woke us */
    loop->timer_set_us = INT64_MAX;
    timer_heap_run(&loop->timers, clock_monotonic_us());
}

/* ---- work from other threads --------------------------------------------- */

static void close_own_handles(struct loop *loop)
{
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->before_wait, NULL);
    uv_close((uv_handle_t *)&loop->hurry, NULL);
    uv_close((uv_handle_t *)&loop->timer_watch, NULL);
}

/* All that waits; *STOPPING where nothing may come after it. */
static struct post *take_posts(struct loop *loop, bool *stopping)
{
    pthread_mutex_lock(&loop->mutex);
    struct post *post = loop->first;
    *stopping = loop->stopping && !post;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->mutex);
    return post;
}

static void run_posts(uv_async_t *handle)
{
    struct loop *loop = handle->data;
    struct post *post;
    bool stopping;
    while ((post = take_posts(loop, &stopping))) {
        while (post) {
            struct post *next = post->next;
            post->work(post->context);
            free(post);
            post = next;
        }
    }
    if (stopping)
        close_own_handles(loop);
}

void loop_post(struct loop *loop, loop_work *work, void *context)
{
    struct post *post = memory_alloc(sizeof *post);
    *post = (struct post){.work = work, .context = context};
    pthread_mutex_lock(&loop->mutex);
    *loop->last = post;
    loop->last = &post->next;
    pthread_mutex_unlock(&loop->mutex);
    uv_async_send(&loop->wake);
}

struct call {
    loop_work *work;
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool is_done;
};

static void run_call(void *context)
{
    struct call *call = context;
    call->work(call->context);
    pthread_mutex_lock(&call->mutex);
    call->is_done = true;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&call->mutex);
}

void loop_call(struct loop *loop, loop_work *work, void *context)
{
    if (loop_is_here(loop)) {
        work(context);
        return;
    }
    struct call call = {.work = work, .context = context};
    pthread_mutex_init(&call.mutex, NULL);
    pthread_cond_init(&call.done, NULL);
    loop_post(loop, run_call, &call);
    pthread_mutex_lock(&call.mutex);
    while (!call.is_done)
        pthread_cond_wait(&call.done, &call.mutex);
    pthread_mutex_unlock(&call.mutex);
    pthread_cond_destroy(&call.done);
    pthread_mutex_destroy(&call.mutex);
}

/* ---- the thread ---------------------------------------------------------- */

static void *run_loop(void *argument)
{
    struct loop *loop = argument;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

static int start_thread(struct loop *loop)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = pthread_create(&loop->thread, NULL, run_loop, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -code;
}

/* The handles are made before the thread is, and belong to it from then on. */
static int open_uv(struct loop *loop)
{
    int code = uv_loop_init(&loop->uv);
    if (code != 0)
        return code;
    loop->wake.data = loop->before_wait.data = loop->timer_watch.data = loop;
    code = uv_async_init(&loop->uv, &loop->wake, run_posts);
    if (code != 0) {
        uv_loop_close(&loop->uv);
        return code;
    }
    uv_prepare_init(&loop->uv, &loop->before_wait);
    uv_prepare_start(&loop->before_wait, before_waiting);
    uv_idle_init(&loop->uv, &loop->hurry);
    uv_poll_init(&loop->uv, &loop->timer_watch, loop->timer);
    uv_poll_start(&loop->timer_watch, UV_READABLE, run_timers);
    code = start_thread(loop);
    if (code != 0) {
        close_own_handles(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        uv_loop_close(&loop->uv);
    }
    return code;
}

static void free_loop(struct loop *loop)
{
    timer_heap_free(&loop->timers);
    pthread_mutex_destroy(&loop->mutex);
    if (loop->timer >= 0)
        close(loop->timer);
    free(loop);
}

enum err loop_start(struct loop **result)
{
    struct loop *loop = memory_zeroed(1, sizeof *loop);
    loop->last = &loop->first;
    loop->timer_set_us = INT64_MAX;
    loop->timers.after_us = INT64_MIN;
    pthread_mutex_init(&loop->mutex, NULL);
    loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int code = loop->timer < 0 ? -errno : open_uv(loop);
    if (code != 0) {
        free_loop(loop);
        return err_set(ERR_NETWORK, "the network loop cannot be started: %s",
                       uv_strerror(code));
    }
    *result = loop;
    return ERR_NONE;
}

void loop_stop(struct loop *loop)
{
    if (!loop)
        return;
    pthread_mutex_lock(&loop->mutex);
    loop->stopping = true;
    pthread_mutex_unlock(&loop->mutex);
    uv_async_send(&loop->wake);
    pthread_join(loop->thread, NULL);
    if (uv_loop_close(&loop->uv) != 0)
        abort(); /* something of this loop was not closed */
    free_loop(loop);
}

/*
 * truth.c: see truth.h.
 */
#include "sim/truth.h"
#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WRITE_EVERY_MS = 100 };

struct truth {
    FILE *file; /* null where nothing is kept */
    const char *path;
    struct buf line; /* being put together */
    struct json_writer writer;
    pthread_t thread;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t wake;
    struct buf waiting;
    bool stopping;
    int failure; /* errno of the first write that failed */
};

static void wait_a_little(struct truth *truth)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)WRITE_EVERY_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&truth->wake, &truth->mutex, &until);
}

static void *write_lines(void *context)
{
    struct truth *truth = context;
    struct buf taken = {0};
    pthread_mutex_lock(&truth->mutex);
    while (!truth->stopping || truth->waiting.length) {
        if (!truth->waiting.length) {
            wait_a_little(truth);
            continue;
        }
        struct buf empty = taken;
        taken = truth->waiting;
        truth->waiting = empty;
        pthread_mutex_unlock(&truth->mutex);
        bool written =
            fwrite(taken.data, 1, taken.length, truth->file) == taken.length &&
            fflush(truth->file) == 0;
        int failure = written ? 0 : errno;
        buf_clear(&taken);
        pthread_mutex_lock(&truth->mutex);
        truth->failure = truth->failure ? truth->failure : failure;
    }
    pthread_mutex_unlock(&truth->mutex);
    buf_free(&taken);
    return NULL;
}

static int start_thread(struct truth *truth)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = pthread_create(&truth->thread, NULL, write_lines, truth);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static enum err refuse(struct truth *truth, int code)
{
    enum err err = err_set(ERR_USAGE, "the truth cannot be written to %s: %s",
                           truth->path, strerror(code));
    if (truth->file)
        fclose(truth->file);
    free(truth);
    return err;
}

enum err truth_open(struct truth **result, const char *path)
{
    struct truth *truth = memory_zeroed(1, sizeof *truth);
    truth->path = path;
    truth->writer.out = &truth->line;
    if (path) {
        truth->file = fopen(path, "we");
        if (!truth->file)
            return refuse(truth, errno);
        pthread_mutex_init(&truth->mutex, NULL);
        pthread_cond_init(&truth->wake, NULL);
        int code = start_thread(truth);
        if (code)
            return refuse(truth, code);
    }
    *result = truth;
    return ERR_NONE;
}

static int stop_writing(struct truth *truth)
{
    pthread_mutex_lock(&truth->mutex);
    truth->stopping = true;
    pthread_cond_signal(&truth->wake);
    pthread_mutex_unlock(&truth->mutex);
    pthread_join(truth->thread, NULL);
    pthread_cond_destroy(&truth->wake);
    pthread_mutex_destroy(&truth->mutex);
    int failure = truth->failure;
    if (fclose(truth->file) != 0 && !failure)
        failure = errno;
    return failure;
}

enum err truth_close(struct truth *truth)
{
    int failure = truth->file ? stop_writing(truth) : 0;
    const char *path = truth->path;
    buf_free(&truth->waiting);
    buf_free(&truth->line);
    free(truth);
    return failure ? err_set(ERR_INPUT,
                             "the truth could not be written to "
                             "%s: %s",
                             path, strerror(failure))
                   : ERR_NONE;
}

bool truth_is_kept(const struct truth *truth)
{
    return truth->file != NULL;
}

struct json_writer *truth_begin(struct truth *truth, const char *kind,
                                int64_t at_us)
{
    struct json_writer *writer = &truth->writer;
    buf_clear(&truth->line);
    writer->need_comma = false;
    json_begin(writer, '{');
    json_member_string(writer, "kind", kind);
    json_member_int(writer, "at_us", at_us);
    json_member_int(writer, "wall_ms",
                    clock_wall_ms() - (clock_monotonic_us() - at_us) / 1000);
    return writer;
}

void truth_end(struct truth *truth)
{
    json_end(&truth->writer, '}');
    buf_add_byte(&truth->line, '\n');
    if (!truth->file)
        return;
    pthread_mutex_lock(&truth->mutex);
    buf_add(&truth->waiting, truth->line.data, truth->line.length);
    pthread_mutex_unlock(&truth->mutex);
}

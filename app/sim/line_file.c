/*
 * line_file.c: see line_file.h.
 */
#include "sim/line_file.h"
#include "base/arena.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WRITE_EVERY_MS = 100 };

struct line_file {
    FILE *file;
    const char *path;
    pthread_t thread;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t wake;
    struct buf waiting;
    bool stopping;
    int failure; /* errno of the first write that failed */
};

static void wait_a_little(struct line_file *file)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)WRITE_EVERY_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&file->wake, &file->mutex, &until);
}

static int write_out(struct line_file *file, const struct buf *lines)
{
    if (fwrite(lines->data, 1, lines->length, file->file) == lines->length &&
        fflush(file->file) == 0)
        return 0;
    return errno;
}

static void *write_lines(void *context)
{
    struct line_file *file = context;
    struct buf taken = {0};
    pthread_mutex_lock(&file->mutex);
    while (!file->stopping || file->waiting.length) {
        if (!file->waiting.length) {
            wait_a_little(file);
            continue;
        }
        struct buf empty = taken;
        taken = file->waiting;
        file->waiting = empty;
        pthread_mutex_unlock(&file->mutex);
        int failure = write_out(file, &taken);
        buf_clear(&taken);
        pthread_mutex_lock(&file->mutex);
        file->failure = file->failure ? file->failure : failure;
    }
    pthread_mutex_unlock(&file->mutex);
    buf_free(&taken);
    return NULL;
}

static int start_thread(struct line_file *file)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = pthread_create(&file->thread, NULL, write_lines, file);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

enum err line_file_open(struct line_file **result, const char *path)
{
    struct line_file *file = memory_zeroed(1, sizeof *file);
    pthread_condattr_t monotonic;
    file->path = path;
    file->file = fopen(path, "we");
    int code = file->file ? 0 : errno;
    pthread_mutex_init(&file->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&file->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    code = code ? code : start_thread(file);
    if (code) {
        if (file->file)
            fclose(file->file);
        free(file);
        return err_set(ERR_USAGE, "%s cannot be written: %s", path,
                       strerror(code));
    }
    *result = file;
    return ERR_NONE;
}

void line_file_add(struct line_file *file, struct text lines)
{
    pthread_mutex_lock(&file->mutex);
    buf_add(&file->waiting, lines.data, lines.length);
    pthread_mutex_unlock(&file->mutex);
}

enum err line_file_close(struct line_file *file)
{
    pthread_mutex_lock(&file->mutex);
    file->stopping = true;
    pthread_cond_signal(&file->wake);
    pthread_mutex_unlock(&file->mutex);
    pthread_join(file->thread, NULL);
    pthread_cond_destroy(&file->wake);
    pthread_mutex_destroy(&file->mutex);
    int failure = file->failure;
    if (fclose(file->file) != 0 && !failure)
        failure = errno;
    const char *path = file->path;
    buf_free(&file->waiting);
    free(file);
    return failure ? err_set(ERR_INPUT, "%s could not be written: %s", path,
                             strerror(failure))
                   : ERR_NONE;
}

/*
 * readiness.c: /healthz and /readyz, the two questions that supervisors ask.
 *
 * Alive is a process that answers; no store is needed for that. Ready is one
 * that can take events: the schema is the one that this program knows (a
 * worker's store is opened only if it is), the disk has room, the clock is
 * right, and a write just made it to the disk. Only a write shows that: a
 * medium that turned read-only, a quota, or a disk that fails is not seen in
 * any figure.
 *
 * The write is the least commit there is, goes through the writer's thread as
 * all others, and is made at most once in HELD_US, whoever asks how often: the
 * route is open to all, and must not become a way of wearing down the disk. In
 * between its outcome is the answer. One request at a time waits for it, so
 * that a writer who is held up holds up no more than one worker; the others
 * hear how long it has taken.
 */
#include "api/api_int.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum {
    US_PER_SECOND = 1000000,
    HELD_US = 5 * US_PER_SECOND,
    FAILED_HELD_US = US_PER_SECOND,
    PATIENCE_US = 10 * US_PER_SECOND,
    SPACE_BYTES_MIN = 16 << 20,
    SENTENCE_BYTES = 400
};

struct readiness {
    pthread_mutex_t lock;
    bool asking;      /* somebody waits for the writer, */
    int64_t asked_us; /* since then */
    int64_t told_us;  /* when the outcome came; 0: there is none yet */
    enum err err;
    char sentence[SENTENCE_BYTES];
};

struct readiness *readiness_new(void)
{
    struct readiness *readiness = memory_zeroed(1, sizeof *readiness);
    pthread_mutex_init(&readiness->lock, NULL);
    return readiness;
}

void readiness_free(struct readiness *readiness)
{
    if (!readiness)
        return;
    pthread_mutex_destroy(&readiness->lock);
    free(readiness);
}

/* ---- a write ------------------------------------------------------------- */

static enum err write_least(void *context, struct store *store)
{
    (void)context;
    return store_commit_least(store);
}

/* A good outcome holds for a short time only where a commit failed since. */
static bool holds(const struct readiness *readiness, struct writer *writer,
                  int64_t now_us)
{
    bool failing = readiness->err || writer_is_failing(writer);
    int64_t held_us = failing ? FAILED_HELD_US : HELD_US;
    return readiness->told_us && now_us - readiness->told_us < held_us;
}

/* With the lock held, which is given back while the writer works. */
static void ask_writer(struct readiness *readiness, struct writer *writer)
{
    readiness->asking = true;
    readiness->asked_us = clock_monotonic_us();
    pthread_mutex_unlock(&readiness->lock);
    enum err err = writer_call(writer, write_least, NULL);
    pthread_mutex_lock(&readiness->lock);
    readiness->asking = false;
    readiness->told_us = clock_monotonic_us();
    readiness->err = err;
    if (err) {
        size_t length = strnlen(err_message(), SENTENCE_BYTES - 1);
        memcpy(readiness->sentence, err_message(), length);
        readiness->sentence[length] = '\0';
    }
}

/* With the lock held. */
static enum err last_outcome(const struct readiness *readiness, int64_t now_us)
{
    int64_t waited_us = now_us - readiness->asked_us;
    if (readiness->asking && (waited_us > PATIENCE_US || !readiness->told_us))
        return err_set(ERR_STORE,
                       "a write to the store has taken %lld s so far",
                       (long long)(waited_us / US_PER_SECOND));
    return readiness->err ? err_set(readiness->err, "%s", readiness->sentence)
                          : ERR_NONE;
}

static enum err check_write(const struct request *request)
{
    struct readiness *readiness = request->readiness;
    pthread_mutex_lock(&readiness->lock);
    struct writer *writer = request->writer;
    if (!readiness->asking && !holds(readiness, writer, clock_monotonic_us()))
        ask_writer(readiness, writer);
    enum err err = last_outcome(readiness, clock_monotonic_us());
    pthread_mutex_unlock(&readiness->lock);
    return err;
}

/* ---- what is looked at --------------------------------------------------- */

static enum err check_disk(const struct request *request)
{
    struct statvfs system;
    const char *directory = request->facts->directory;
    if (statvfs(directory, &system) != 0)
        return err_set(ERR_STORE, "the directory of the store is gone");
    if (system.f_flag & ST_RDONLY)
        return err_set(ERR_STORE, "the disk of the store is read-only");
    if ((uint64_t)system.f_bavail * system.f_frsize < SPACE_BYTES_MIN)
        return err_set(ERR_FULL, "less than 16 MB are left on the disk");
    return ERR_NONE;
}

/* INT64_MIN for none, and of a simulated store: its clock runs ahead of ours,
 * and its lines say nothing about ours. */
static enum err newest_line_ms(const struct request *request, int64_t *last_ms)
{
    *last_ms = INT64_MIN;
    if (request->facts->is_simulated)
        return ERR_NONE;
    bool found;
    return query_first_int(query_start(request->store, QUERY_API_READY),
                           last_ms, &found);
}

static enum err check_clock(const struct request *request)
{
    int64_t last_ms;
    enum err err = newest_line_ms(request, &last_ms);
    if (err)
        return err;
    switch (clock_fault(clock_wall_ms(), last_ms)) {
    case CLOCK_NEVER_SET:
        return err_set(ERR_STORE, "the clock is not set");
    case CLOCK_WENT_BACK:
        return err_set(ERR_STORE,
                       "the clock is behind the newest line of evidence");
    default:
        return ERR_NONE;
    }
}

/* ---- answers ------------------------------------------------------------- */

static void add_ok(struct reply *reply)
{
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    json_key(&writer, "status");
    json_string(&writer, "ok");
    json_end(&writer, '}');
    reply->cache_control = "no-store";
}

enum err answer_alive(struct request *request, struct reply *reply)
{
    (void)request;
    add_ok(reply);
    return ERR_NONE;
}

enum err answer_ready(struct request *request, struct reply *reply)
{
    enum err err = check_disk(request);
    if (!err)
        err = check_clock(request);
    if (!err)
        err = check_write(request);
    if (!err)
        add_ok(reply);
    return err;
}

/*
 * writer.c: the thread that writes (see ingest.h).
 *
 * One loop: take what waits, else settle one unit, else do what is due by the
 * clock, else sleep. All batches that wait when the thread looks become one
 * transaction, so that many senders share one fsync, and none waits for a
 * timer. A failed commit is everybody's failure and nobody's loss: nothing of
 * it was acknowledged.
 *
 * Settling begins when work is left, at most every 0.4 s, and goes by units
 * between which batches are taken. Where they keep it from coming to an end it
 * gets a quarter of a second at a time: pages stay two seconds behind, unless
 * there is more to settle than fits, and nobody waits longer for an answer.
 * Where settling itself takes long, as a session of a hundred thousand swaps
 * makes it, it rests twice as long as it worked, so that senders are held up
 * for a third of the time at most.
 *
 * Turned down: a queue of copies with an answer that comes later. A sender
 * needs the answer anyway, and while it waits its own memory holds the batch.
 */
#include "ingest/ingest_int.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    US_PER_SECOND = 1000000,
    WAITING_MAX = 512,
    GROUP_BYTES_MAX = 32 << 20,
    SETTLE_EVERY_US = 2 * US_PER_SECOND / 5,
    SETTLE_REST = 2, /* times as long as it worked */
    SETTLE_PATIENCE_US = US_PER_SECOND,
    SETTLE_SLICE_US = US_PER_SECOND / 4,
    SETTLE_RETRY_US = 10 * US_PER_SECOND,
    SETTLE_AT_STOP_US = 3 * US_PER_SECOND,
    /* Of a group, and without work, after which memory is given back. */
    LARGE_BYTES = 1 << 20,
    IDLE_US = 5 * US_PER_SECOND,
    SHRINK_REST_US = US_PER_SECOND / 20, /* between two steps of it */
    KEY_KEPT_MS = MS_PER_DAY,
    STACK_BYTES = 2 << 20
};

static const int64_t JOIN_EVERY_US = (int64_t)600 * US_PER_SECOND;
static const int64_t EXPIRE_EVERY_US = (int64_t)3600 * US_PER_SECOND;

/* What somebody waits for, on his stack; or, with TELL, what is told later. */
struct job {
    struct job *next;
    struct record_batch *batch; /* null for a call */
    writer_work *work;
    void *context;
    writer_done *tell; /* null where somebody waits; else the job is freed */
    enum err err;
    char sentence[1000]; /* of the writer's thread, for the waiting one */
    bool done;
    pthread_cond_t answered;
};

struct writer {
    struct store *store;
    struct ingest *ingest;
    struct writer_settings settings;
    pthread_t thread;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t wake;
    struct job *first;
    struct job **last;
    size_t waiting;
    size_t reserved_bytes;
    bool stopping;

    int64_t spare_log_until_us; /* atomic */

    /* The thread's own. */
    bool dirty;    /* something may wait for settling */
    bool settling; /* a round has begun */
    bool unjoined; /* batches came since the last join */
    bool warm;     /* memory is kept for the next batch */
    bool failing;  /* the last commit failed, and it was said */
    int64_t round_began_us;
    int64_t round_worked_us;
    int64_t next_round_us;
    int64_t next_join_us;
    int64_t next_expire_us;
    int64_t next_shrink_us; /* INT64_MAX until something has expired */
    int64_t next_rest_us;   /* if warm */
};

/* ---- answers that are kept ----------------------------------------------- */

static void tallies_encode(struct buf *out, const struct record_batch *batch)
{
    for (size_t i = 0; i < batch->tally_count; i++) {
        const struct batch_tally *tally = &batch->tallies[i];
        buf_add_byte(out, (uint8_t)tally->class);
        buf_add_text(out, text_of(tally->reason));
        buf_add_varint(out, tally->received);
        buf_add_varint(out, tally->duplicates);
        buf_add_varint(out, tally->conflicts);
    }
}

static void set_reason(struct batch_tally *tally, struct text reason)
{
    size_t length = reason.length < sizeof tally->reason
                        ? reason.length
                        : sizeof tally->reason - 1;
    memcpy(tally->reason, reason.data, length);
    tally->reason[length] = '\0';
}

static void tallies_decode(struct text bytes, struct record_batch *batch)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    batch->tally_count = 0;
    while (in.at < in.end && batch->tally_count < BATCH_TALLIES_MAX) {
        struct batch_tally *tally = &batch->tallies[batch->tally_count++];
        tally->class = (enum evidence_class)read_byte(&in);
        set_reason(tally, read_text(&in));
        tally->received = read_varint(&in);
        tally->duplicates = read_varint(&in);
        tally->conflicts = read_varint(&in);
    }
}

static enum err find_answer(struct writer *writer, struct record_batch *batch,
                            int64_t now_ms)
{
    bool row;
    struct query *query = query_start(writer->store, QUERY_INGEST_KEY_FIND);
    query_bind_blob(query, 1, batch->key.key, SHA256_BYTES);
    query_bind_int(query, 2, now_ms - KEY_KEPT_MS);
    enum err err = query_step(query, &row);
    if (err || !row)
        return err;
    struct text body = query_text(query, 0);
    if (body.length == SHA256_BYTES &&
        memcmp(body.data, batch->key.body, SHA256_BYTES) == 0) {
        batch->repeated = true;
        tallies_decode(query_text(query, 1), batch);
        return query_run(query);
    }
    err = query_run(query);
    return err ? err
               : err_set(ERR_INPUT,
                         "this Idempotency-Key was used for another body; a "
                         "new body needs a new key");
}

static enum err keep_answer(struct writer *writer,
                            const struct record_batch *batch, int64_t now_ms)
{
    struct buf answer = {0};
    tallies_encode(&answer, batch);
    struct query *query = query_start(writer->store, QUERY_INGEST_KEY_ADD);
    query_bind_blob(query, 1, batch->key.key, SHA256_BYTES);
    query_bind_blob(query, 2, batch->key.body, SHA256_BYTES);
    query_bind_int(query, 3, now_ms);
    query_bind_blob(query, 4, answer.data, answer.length);
    enum err err = query_run(query);
    buf_free(&answer);
    return err;
}

/* ---- one batch ----------------------------------------------------------- */

static void tally(struct record_batch *batch, struct ingest_outcome outcome)
{
    struct batch_tally *one = batch->tallies;
    struct batch_tally *end = one + batch->tally_count;
    while (one < end && (one->class != outcome.class ||
                         strcmp(one->reason, outcome.reason) != 0))
        one++;
    if (one == end) {
        if (batch->tally_count == BATCH_TALLIES_MAX)
            abort(); /* more reasons than the program knows */
        batch->tally_count++;
        *one = (struct batch_tally){.class = outcome.class};
        set_reason(one, text_of(outcome.reason));
    }
    one->received++;
    one->duplicates += outcome.duplicate;
    one->conflicts += outcome.conflict;
}

struct taking {
    struct writer *writer;
    struct record_batch *batch;
};

/* White space alone is no record, and leaves nothing to be counted. */
static enum err count_taken(struct taking *taking, uint64_t before,
                            enum err err)
{
    struct ingest *ingest = taking->writer->ingest;
    if (!err && ingest_pending(ingest) > before)
        tally(taking->batch, ingest_last(ingest));
    return err;
}

static enum err take_record(void *context, struct text record)
{
    struct taking *taking = context;
    struct ingest *ingest = taking->writer->ingest;
    uint64_t before = ingest_pending(ingest);
    return count_taken(taking, before,
                       ingest_record(ingest, &taking->batch->origin, record));
}

static enum err take_oversize(void *context, struct text kept, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES])
{
    struct taking *taking = context;
    struct ingest *ingest = taking->writer->ingest;
    uint64_t before = ingest_pending(ingest);
    return count_taken(
        taking, before,
        ingest_oversize(ingest, &taking->batch->origin, kept, length, sha256));
}

static enum err take_records(struct writer *writer, struct record_batch *batch)
{
    struct taking taking = {writer, batch};
    const struct record_sink sink = {&taking, take_record, take_oversize};
    struct text left = batch->body;
    struct byte_source source = source_of_text(&left);
    struct reader_report report;
    return read_records_within(&source, &sink, batch->decoded_bytes, &report);
}

/* A key that does not fit is that batch's failure alone, and is told in
 * *REFUSED. */
static enum err take_batch(struct writer *writer, struct record_batch *batch,
                           int64_t now_ms, bool *refused)
{
    batch->origin.arrival_ms = now_ms;
    batch->origin.snapshot_ms = now_ms;
    batch->tally_count = 0;
    batch->repeated = false;
    enum err err = ingest_begin(writer->ingest);
    if (!err && batch->key.given)
        err = find_answer(writer, batch, now_ms);
    *refused = err == ERR_INPUT;
    if (err || batch->repeated)
        return err;
    err = take_records(writer, batch);
    if (!err && batch->key.given)
        err = keep_answer(writer, batch, now_ms);
    return err;
}

/* ---- a group of batches -------------------------------------------------- */

static void set_outcome(struct job *job, enum err err)
{
    job->err = err;
    if (err) {
        size_t length = strnlen(err_message(), sizeof job->sentence - 1);
        memcpy(job->sentence, err_message(), length);
        job->sentence[length] = '\0';
    }
}

/* Says once that writing fails, and once that it works again. */
static void note_commit(struct writer *writer, enum err err)
{
    if (err && !writer->failing)
        log_message(LOG_ERROR, "nothing can be taken at present: %s",
                    err_message());
    if (!err && writer->failing)
        log_message(LOG_INFO, "what comes in can be written again");
    __atomic_store_n(&writer->failing, err != ERR_NONE, __ATOMIC_RELAXED);
}

static void rest(struct writer *writer)
{
    ingest_give_back(writer->ingest);
    if (writer->settings.give_back)
        writer->settings.give_back(writer->settings.settle_context);
    writer->warm = false;
}

/* A large group gets all the memory there is, and its own is not kept; a small
 * one's is, for as long as others follow. */
static bool is_large(const struct job *jobs)
{
    uint64_t bytes = 0;
    for (; jobs; jobs = jobs->next)
        bytes += jobs->batch ? jobs->batch->decoded_bytes : 0;
    return bytes > LARGE_BYTES;
}

static void note_memory(struct writer *writer, bool large)
{
    writer->warm = true;
    writer->next_rest_us = clock_monotonic_us() + IDLE_US;
    if (large)
        rest(writer);
}

static void take_group(struct writer *writer, struct job *jobs)
{
    int64_t now_ms = clock_wall_ms();
    bool large = is_large(jobs);
    enum err err = ERR_NONE;
    if (large)
        rest(writer);
    for (struct job *job = jobs; !err && job; job = job->next) {
        bool refused = false;
        job->err = ERR_NONE;
        if (!job->batch)
            continue;
        err = take_batch(writer, job->batch, now_ms, &refused);
        if (refused) {
            set_outcome(job, err);
            err = ERR_NONE;
        }
    }
    err = err ? ingest_abandon(writer->ingest, err)
              : ingest_commit(writer->ingest);
    note_commit(writer, err);
    writer->dirty = writer->unjoined = true;
    note_memory(writer, large);
    for (struct job *job = jobs; err && job; job = job->next)
        if (job->batch && !job->err)
            set_outcome(job, err);
}

static void run_jobs(struct writer *writer, struct job *jobs)
{
    bool batches = false;
    for (struct job *job = jobs; job; job = job->next)
        batches |= job->batch != NULL;
    if (batches)
        take_group(writer, jobs);
    for (struct job *job = jobs; job; job = job->next)
        if (!job->batch)
            set_outcome(job, job->work(job->context, writer->store));
}

/* Takes what waits off the queue, as far as one transaction should reach. */
static struct job *jobs_waiting(struct writer *writer)
{
    struct job *jobs = writer->first;
    struct job **end = &writer->first;
    uint64_t bytes = 0;
    while (*end && bytes < GROUP_BYTES_MAX) {
        bytes += (*end)->batch ? (*end)->batch->decoded_bytes : 0;
        writer->waiting--;
        end = &(*end)->next;
    }
    writer->first = *end;
    *end = NULL;
    if (!writer->first)
        writer->last = &writer->first;
    return jobs;
}

/* ---- settling ------------------------------------------------------------ */

static void end_round(struct writer *writer, enum err err, int64_t now_us)
{
    writer->settling = false;
    writer->dirty = err != ERR_NONE;
    writer->warm = true;
    writer->next_rest_us = now_us + IDLE_US;
    int64_t rest_us = SETTLE_REST * writer->round_worked_us;
    if (rest_us < SETTLE_EVERY_US)
        rest_us = SETTLE_EVERY_US;
    writer->next_round_us = now_us + (err ? SETTLE_RETRY_US : rest_us);
    if (err)
        log_message(LOG_ERROR, "settling failed and is tried again: %s",
                    err_message());
}

/* One unit; in a round that is late, as many as a slice of time has room for.
 */
static void settle_some(struct writer *writer)
{
    bool more = true;
    bool late;
    enum err err = ERR_NONE;
    int64_t began_us = clock_monotonic_us();
    int64_t now_us = began_us;
    if (!writer->settling) {
        writer->round_began_us = began_us;
        writer->round_worked_us = 0;
    }
    writer->settling = true;
    do {
        err = writer->settings.settle(writer->settings.settle_context,
                                      writer->store, &more);
        now_us = clock_monotonic_us();
        late = now_us - writer->round_began_us > SETTLE_PATIENCE_US;
    } while (!err && more && late && now_us - began_us < SETTLE_SLICE_US);
    writer->round_worked_us += now_us - began_us;
    if (err || !more)
        end_round(writer, err, now_us);
}

static bool settling_is_due(const struct writer *writer)
{
    return writer->settings.settle && writer->dirty &&
           (writer->settling || clock_monotonic_us() >= writer->next_round_us);
}

/* ---- by the clock -------------------------------------------------------- */

static void join(struct writer *writer)
{
    if (writer->unjoined && ingest_finish(writer->ingest))
        log_message(LOG_ERROR, "joining failed and is tried later: %s",
                    err_message());
    else
        writer->unjoined = false;
    writer->next_join_us = clock_monotonic_us() + JOIN_EVERY_US;
}

static void expire(struct writer *writer)
{
    uint64_t dropped = 0;
    int64_t now_ms = clock_wall_ms();
    enum err err = evidence_expire(writer->store, now_ms,
                                   &writer->settings.limits, &dropped);
    if (!err) {
        struct query *query =
            query_start(writer->store, QUERY_INGEST_KEY_EXPIRE);
        query_bind_int(query, 1, now_ms - KEY_KEPT_MS);
        err = query_run(query);
    }
    if (err)
        log_message(LOG_ERROR, "retention failed and is tried later: %s",
                    err_message());
    if (dropped)
        log_message(LOG_INFO, "%llu blocks of evidence have expired",
                    (unsigned long long)dropped);
    writer->next_shrink_us = clock_monotonic_us();
    writer->next_expire_us = writer->next_shrink_us + EXPIRE_EVERY_US;
}

/* One step; those that wait for an answer come between. */
static void shrink(struct writer *writer)
{
    bool more = false;
    if (store_shrink(writer->store, &more))
        log_message(LOG_ERROR,
                    "no space was given back, which is tried later: %s",
                    err_message());
    writer->next_shrink_us =
        more ? clock_monotonic_us() + SHRINK_REST_US : INT64_MAX;
}

/* ---- the loop ------------------------------------------------------------ */

/* With the mutex held. Jobs that somebody waits for are gone once they are
 * answered; returns those that are to be told. */
static struct job *answer(struct job *jobs)
{
    struct job *untold = NULL;
    struct job **last = &untold;
    while (jobs) {
        struct job *job = jobs;
        jobs = jobs->next;
        if (job->tell) {
            job->next = NULL;
            *last = job;
            last = &job->next;
        } else {
            job->done = true;
            pthread_cond_signal(&job->answered);
        }
    }
    return untold;
}

/* Without the mutex. */
static void tell(struct job *jobs)
{
    while (jobs) {
        struct job *next = jobs->next;
        jobs->tell(jobs->context, jobs->err, jobs->sentence);
        free(jobs);
        jobs = next;
    }
}

static int64_t earlier_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* With the mutex held; until work comes or something is due. */
static void sleep_until_due(struct writer *writer)
{
    int64_t due = earlier_of(writer->next_join_us, writer->next_expire_us);
    due = earlier_of(due, writer->next_shrink_us);
    if (writer->dirty && writer->settings.settle)
        due = earlier_of(due, writer->next_round_us);
    if (writer->warm)
        due = earlier_of(due, writer->next_rest_us);
    int64_t wait_us = due - clock_monotonic_us();
    if (wait_us <= 0)
        return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + wait_us % US_PER_SECOND * 1000;
    until.tv_sec +=
        (time_t)(wait_us / US_PER_SECOND + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_timedwait(&writer->wake, &writer->mutex, &until);
}

/* Without the mutex; false where nothing was due. */
static bool do_what_is_due(struct writer *writer)
{
    int64_t now_us = clock_monotonic_us();
    if (settling_is_due(writer))
        settle_some(writer);
    else if (now_us >= writer->next_join_us)
        join(writer);
    else if (now_us >= writer->next_expire_us)
        expire(writer);
    else if (now_us >= writer->next_shrink_us)
        shrink(writer);
    else if (writer->warm && now_us >= writer->next_rest_us)
        rest(writer);
    else
        return false;
    return true;
}

static void settle_at_stop(struct writer *writer)
{
    int64_t until_us = clock_monotonic_us() + SETTLE_AT_STOP_US;
    while (writer->settings.settle && writer->dirty &&
           clock_monotonic_us() < until_us) {
        settle_some(writer);
        if (!writer->settling)
            break;
    }
    join(writer);
}

static void *run(void *argument)
{
    struct writer *writer = argument;
    pthread_mutex_lock(&writer->mutex);
    while (!writer->stopping || writer->first) {
        struct job *jobs = jobs_waiting(writer);
        pthread_mutex_unlock(&writer->mutex);
        store_spare_log(
            writer->store,
            __atomic_load_n(&writer->spare_log_until_us, __ATOMIC_RELAXED));
        if (jobs)
            run_jobs(writer, jobs);
        pthread_mutex_lock(&writer->mutex);
        struct job *untold = answer(jobs);
        bool stopping = writer->stopping;
        pthread_mutex_unlock(&writer->mutex);
        tell(untold);
        pthread_mutex_lock(&writer->mutex);
        if (stopping)
            continue;
        pthread_mutex_unlock(&writer->mutex);
        bool busy = do_what_is_due(writer);
        pthread_mutex_lock(&writer->mutex);
        if (!busy && !writer->first && !writer->stopping)
            sleep_until_due(writer);
    }
    pthread_mutex_unlock(&writer->mutex);
    settle_at_stop(writer);
    return NULL;
}

/* ---- from other threads -------------------------------------------------- */

/* With the mutex held. */
static void put(struct writer *writer, struct job *job)
{
    *writer->last = job;
    writer->last = &job->next;
    writer->waiting++;
    pthread_cond_signal(&writer->wake);
}

static enum err hand_over(struct writer *writer, struct job *job)
{
    pthread_mutex_lock(&writer->mutex);
    if (writer->stopping || writer->waiting >= WAITING_MAX) {
        bool stopping = writer->stopping;
        pthread_mutex_unlock(&writer->mutex);
        return err_set(ERR_LOCKED, stopping
                                       ? "the server is ending"
                                       : "too much waits to be written; come "
                                         "again in a second");
    }
    pthread_cond_init(&job->answered, NULL);
    put(writer, job);
    while (!job->done)
        pthread_cond_wait(&job->answered, &writer->mutex);
    pthread_mutex_unlock(&writer->mutex);
    pthread_cond_destroy(&job->answered);
    return job->err ? err_set(job->err, "%s", job->sentence) : ERR_NONE;
}

enum err writer_take(struct writer *writer, struct record_batch *batch)
{
    struct job job = {.batch = batch};
    return hand_over(writer, &job);
}

enum err writer_call(struct writer *writer, writer_work *work, void *context)
{
    struct job job = {.work = work, .context = context};
    return hand_over(writer, &job);
}

void writer_post(struct writer *writer, writer_work *work, void *context,
                 writer_done *done)
{
    struct job *job = memory_zeroed(1, sizeof *job);
    *job = (struct job){.work = work, .context = context, .tell = done};
    pthread_mutex_lock(&writer->mutex);
    bool stopping = writer->stopping;
    if (!stopping)
        put(writer, job);
    pthread_mutex_unlock(&writer->mutex);
    if (!stopping)
        return;
    free(job);
    done(context, ERR_LOCKED, "the server is ending");
}

void writer_spare_log(struct writer *writer)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)WRITER_SPARED_MS * 1000;
    __atomic_store_n(&writer->spare_log_until_us, until_us, __ATOMIC_RELAXED);
}

struct appending {
    const struct journal_entry *entries;
    size_t count;
};

static enum err append_entries(void *context, struct store *store)
{
    const struct appending *appending = context;
    return journal_append(store, appending->entries, appending->count);
}

enum err writer_append(struct writer *writer,
                       const struct journal_entry *entries, size_t count)
{
    struct appending appending = {entries, count};
    return writer_call(writer, append_entries, &appending);
}

bool writer_is_failing(struct writer *writer)
{
    return __atomic_load_n(&writer->failing, __ATOMIC_RELAXED);
}

bool writer_reserve(struct writer *writer, size_t bytes)
{
    pthread_mutex_lock(&writer->mutex);
    bool fits = bytes <= WRITER_RESERVED_BYTES_MAX - writer->reserved_bytes;
    if (fits)
        writer->reserved_bytes += bytes;
    pthread_mutex_unlock(&writer->mutex);
    return fits;
}

void writer_release(struct writer *writer, size_t bytes)
{
    pthread_mutex_lock(&writer->mutex);
    writer->reserved_bytes -= bytes;
    pthread_mutex_unlock(&writer->mutex);
}

/* ---- starting and stopping ----------------------------------------------- */

/* Small systems give threads little stack; settling wants more than that. */
static int start_thread(struct writer *writer)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int code = pthread_create(&writer->thread, &attributes, run, writer);
    pthread_attr_destroy(&attributes);
    return code;
}

static void writer_free(struct writer *writer)
{
    ingest_free(writer->ingest);
    pthread_mutex_destroy(&writer->mutex);
    pthread_cond_destroy(&writer->wake);
    free(writer);
}

enum err writer_start(struct writer **out, struct store *store,
                      const struct writer_settings *settings)
{
    struct writer *writer = memory_zeroed(1, sizeof *writer);
    pthread_condattr_t monotonic;
    writer->store = store;
    writer->settings = *settings;
    writer->ingest = ingest_new(store);
    writer->last = &writer->first;
    writer->dirty = true;
    writer->next_join_us = clock_monotonic_us() + JOIN_EVERY_US;
    writer->next_expire_us = clock_monotonic_us() + US_PER_SECOND;
    writer->next_shrink_us = INT64_MAX;
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* On a full disk cursors end with the first commit, no more. */
    (void)!store_commit_least(store);
    int code = start_thread(writer);
    if (code) {
        writer_free(writer);
        return err_set(ERR_STORE, "cannot start the writer's thread: %s",
                       strerror(code));
    }
    *out = writer;
    return ERR_NONE;
}

void writer_stop(struct writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    writer_free(writer);
}

/*
 * computing.c: rows that are not in the tables, for who asks for them: by
 * another lens, as one pass, or as of an earlier time (rollup/rollup.h,
 * compute).
 *
 * Such an answer costs memory and time for every session in reach, so one is
 * computed at a time; who comes meanwhile is told to come again. What was
 * computed last is kept for a minute: the other pages of the list are wanted
 * next, and the other tables. That something was too large is kept as well.
 *
 * Whoever uses what is kept holds it; it is freed when it is out of date and
 * nobody holds it.
 */
#include "api/serving.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const int64_t KEPT_US = INT64_C(60000000);

/* All that an outcome depends on. */
struct computation_key {
    struct store_moment moment;
    uint32_t switches;
    enum pass pass;
    enum knowledge_basis basis;
    int64_t until_ms;
    int64_t from_day;
    int64_t until_day;
};

struct computed_rows {
    struct arena arena;
    struct computed rows;
    int holders;
};

struct computing {
    pthread_mutex_t lock;
    bool busy;
    struct computation_key key; /* of what follows */
    struct computed_rows *last; /* null for none, */
    bool too_large;             /* or because it was */
    int64_t last_us;            /* when it was used; 0: nothing is kept */
};

struct computing *computing_new(void)
{
    struct computing *computing = memory_zeroed(1, sizeof *computing);
    pthread_mutex_init(&computing->lock, NULL);
    return computing;
}

/* With the lock held. */
static void let_go(struct computed_rows *rows)
{
    if (!rows || --rows->holders > 0)
        return;
    arena_free(&rows->arena);
    free(rows);
}

static void forget(struct computing *computing)
{
    let_go(computing->last);
    computing->last = NULL;
    computing->too_large = false;
}

static void note_use(struct computing *computing, int64_t us)
{
    __atomic_store_n(&computing->last_us, us, __ATOMIC_RELAXED);
}

void computing_free(struct computing *computing)
{
    if (!computing)
        return;
    forget(computing);
    pthread_mutex_destroy(&computing->lock);
    free(computing);
}

void computing_tidy(struct computing *computing)
{
    int64_t last_us = __atomic_load_n(&computing->last_us, __ATOMIC_RELAXED);
    if (!last_us || clock_monotonic_us() - last_us <= KEPT_US)
        return;
    pthread_mutex_lock(&computing->lock);
    forget(computing);
    note_use(computing, 0);
    pthread_mutex_unlock(&computing->lock);
}

void computed_release(struct request *request, const struct computed *rows)
{
    if (!rows)
        return;
    struct computed_rows *held =
        (struct computed_rows *)(void *)((char *)(uintptr_t)rows -
                                         offsetof(struct computed_rows, rows));
    pthread_mutex_lock(&request->computing->lock);
    let_go(held);
    pthread_mutex_unlock(&request->computing->lock);
}

/* ---- one at a time ------------------------------------------------------- */

static struct computation_key key_of(const struct request *request,
                                     const struct computation *computation)
{
    struct computation_key key;
    memset(&key, 0, sizeof key); /* it is compared by its bytes */
    key.moment = request->moment;
    key.switches = computation->lens->switches;
    key.pass = computation->pass;
    key.basis = computation->known.basis;
    if (key.basis != KNOWN_ALL)
        key.until_ms = computation->known.until_ms;
    key.from_day = computation->from_day;
    key.until_day = computation->until_day;
    return key;
}

static enum err too_large(const struct request *request)
{
    return err_set(ERR_LARGE,
                   "to compute this would take more than the %lld MB of memory "
                   "that serve.compute_bytes allows; ask for fewer days by "
                   "start and end (of one pass over everything, see `assay "
                   "export --pass whole`, which has no limit)",
                   (long long)(request->config->serve_compute_bytes >> 20));
}

static enum err is_busy(void)
{
    return err_set(ERR_LOCKED,
                   "rows are being computed for somebody else; come again in "
                   "a second");
}

/* With the lock held: what is kept, where it is what is asked for. *DONE is
 * false where it has still to be computed, and then it is this caller's. */
static enum err take(struct request *request, const struct computation_key *key,
                     const struct computed **rows, bool *done)
{
    struct computing *computing = request->computing;
    bool same = memcmp(&computing->key, key, sizeof *key) == 0;
    *done = true;
    if (same && computing->too_large)
        return too_large(request);
    if (same && computing->last) {
        computing->last->holders++;
        note_use(computing, clock_monotonic_us());
        *rows = &computing->last->rows;
        return ERR_NONE;
    }
    if (computing->busy)
        return is_busy();
    *done = false;
    computing->busy = true;
    return ERR_NONE;
}

/* With the lock held. */
static void keep(struct computing *computing, const struct computation_key *key,
                 struct computed_rows *rows, enum err err)
{
    computing->busy = false;
    if (err && err != ERR_LARGE)
        return;
    forget(computing);
    computing->key = *key;
    computing->last = rows;
    computing->too_large = err == ERR_LARGE;
    note_use(computing, clock_monotonic_us());
}

static enum err compute_now(struct request *request,
                            const struct computation *computation,
                            struct computed_rows **rows)
{
    struct computed_rows *made = memory_zeroed(1, sizeof *made);
    enum err err =
        compute(request->store, &made->arena, computation, &made->rows);
    made->holders = 2; /* who asks, and who keeps it */
    *rows = made;
    if (!err)
        return ERR_NONE;
    arena_free(&made->arena);
    free(made);
    *rows = NULL;
    return err;
}

enum err computed_rows(struct request *request,
                       const struct computation *computation,
                       const struct computed **rows)
{
    struct computing *computing = request->computing;
    struct computation_key key = key_of(request, computation);
    struct computed_rows *made;
    bool done;
    *rows = NULL;
    pthread_mutex_lock(&computing->lock);
    enum err err = take(request, &key, rows, &done);
    pthread_mutex_unlock(&computing->lock);
    if (done)
        return err;
    err = compute_now(request, computation, &made);
    pthread_mutex_lock(&computing->lock);
    keep(computing, &key, made, err);
    pthread_mutex_unlock(&computing->lock);
    if (made)
        *rows = &made->rows;
    return err == ERR_LARGE ? too_large(request) : err;
}

/* ---- what is computed elsewhere ------------------------------------------ */

enum err computing_begin(struct request *request)
{
    struct computing *computing = request->computing;
    pthread_mutex_lock(&computing->lock);
    bool busy = computing->busy;
    computing->busy = true;
    pthread_mutex_unlock(&computing->lock);
    return busy ? is_busy() : ERR_NONE;
}

enum err computing_end(struct request *request, enum err err)
{
    struct computing *computing = request->computing;
    pthread_mutex_lock(&computing->lock);
    computing->busy = false;
    pthread_mutex_unlock(&computing->lock);
    return err == ERR_LARGE ? too_large(request) : err;
}

/* ---- what is asked for --------------------------------------------------- */

struct computation computation_published(const struct request *request)
{
    return (struct computation){
        .lens = &lens_published,
        .pass = PASS_SETTLED,
        .known = knowledge_all,
        .from_day = INT64_MIN,
        .until_day = INT64_MAX,
        .bytes_max = (size_t)request->config->serve_compute_bytes,
    };
}

enum err read_computation(struct request *request,
                          struct computation *computation)
{
    *computation = computation_published(request);
    computation->lens = parameter_lens(request);
    computation->pass = parameter_pass(request);
    if (!lens_is_published(computation->lens)) {
        if (parameter_text(request, "pass").data &&
            computation->pass == PASS_SETTLED)
            return err_set(ERR_INPUT,
                           "parameter \"pass\" is \"settled\", but passes by "
                           "day are the publisher's; leave it away with "
                           "another lens");
        computation->pass = PASS_WHOLE;
    }
    if (!parameter_text(request, "as_of").data)
        return ERR_NONE;
    return knowledge_at(request->store, request->arena, as_of_ms(request),
                        &computation->known);
}

bool is_kept_by_assay(const struct request *request,
                      const struct computation *computation)
{
    return lens_is_assay(computation->lens) &&
           computation->known.basis == KNOWN_ALL &&
           !parameter_text(request, "pass").data;
}

bool is_computed(const struct computation *computation)
{
    return computation->pass == PASS_WHOLE ||
           computation->known.basis != KNOWN_ALL;
}

/*
 * turns.c: what takes much memory for a moment is done for one at a time.
 *
 * Every worker may be asked the same at once, by plain requests that anybody
 * makes, and memory would be taken as many times. Who waits does so for a day's
 * reading or a block's, not for a whole answer. Refusing, as computing.c does,
 * was turned down: these questions are common, and each is short.
 */
#include "api/serving.h"

#include <pthread.h>

static pthread_mutex_t turns[TURN_COUNT] = {PTHREAD_MUTEX_INITIALIZER,
                                            PTHREAD_MUTEX_INITIALIZER};

void turn_take(enum turn turn)
{
    pthread_mutex_lock(&turns[turn]);
}

void turn_give(enum turn turn)
{
    pthread_mutex_unlock(&turns[turn]);
}

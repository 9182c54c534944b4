/*
 * limiter.c: requests of one address within bounds.
 *
 * Buckets lie in a table of fixed size, so that a crowd of addresses costs no
 * memory: one that is new takes the place of the one in its row that was used
 * longest ago. IPv6 counts by its first 64 bits, which one customer has.
 */
#include "api/gate.h"
#include "base/hash.h"
#include "base/random.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 512, IN_ROW = 8 };

static const double US_PER_SECOND = 1e6;

struct bucket {
    uint64_t key; /* 0 for none */
    double left;
    int64_t at_us;
};

struct limiter {
    pthread_mutex_t mutex;
    double rate;
    double burst;
    uint64_t salt; /* so that nobody can choose whom to push out */
    struct bucket buckets[ROWS][IN_ROW];
};

struct limiter *limiter_new(double rate, double burst)
{
    struct limiter *limiter = memory_zeroed(1, sizeof *limiter);
    limiter->rate = rate;
    limiter->burst = burst;
    random_bytes(&limiter->salt, sizeof limiter->salt);
    pthread_mutex_init(&limiter->mutex, NULL);
    return limiter;
}

void limiter_free(struct limiter *limiter)
{
    if (!limiter)
        return;
    pthread_mutex_destroy(&limiter->mutex);
    free(limiter);
}

static uint64_t key_of(const struct limiter *limiter, const char *address)
{
    uint8_t bytes[24] = {0};
    struct in6_addr six;
    memcpy(bytes, &limiter->salt, sizeof limiter->salt);
    if (inet_pton(AF_INET6, address, &six) == 1)
        memcpy(bytes + 8, six.s6_addr, IN6_IS_ADDR_V4MAPPED(&six) ? 16 : 8);
    else
        memcpy(bytes + 8, address, strnlen(address, 16));
    uint64_t key = hash_fast(bytes, sizeof bytes);
    return key ? key : 1;
}

static struct bucket *bucket_of(struct limiter *limiter, uint64_t key,
                                int64_t now_us)
{
    struct bucket *row = limiter->buckets[key % ROWS];
    struct bucket *oldest = row;
    for (int i = 0; i < IN_ROW; i++) {
        if (row[i].key == key)
            return &row[i];
        if (row[i].at_us < oldest->at_us)
            oldest = &row[i];
    }
    *oldest = (struct bucket){key, limiter->burst, now_us};
    return oldest;
}

bool limiter_take(struct limiter *limiter, const char *address, double cost,
                  int64_t now_us)
{
    pthread_mutex_lock(&limiter->mutex);
    struct bucket *bucket =
        bucket_of(limiter, key_of(limiter, address), now_us);
    double passed = (double)(now_us - bucket->at_us) / US_PER_SECOND;
    if (passed > 0) {
        bucket->left += passed * limiter->rate;
        bucket->at_us = now_us;
    }
    if (bucket->left > limiter->burst)
        bucket->left = limiter->burst;
    bool may = bucket->left >= (cost > 0 ? cost : 1);
    if (may)
        bucket->left -= cost;
    pthread_mutex_unlock(&limiter->mutex);
    return may;
}

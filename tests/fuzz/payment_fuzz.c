/*
 * payment_fuzz.c: a payer who is told anything: signatures, terms, payments and
 * answers, one after the other. Each message is a status (its first byte) and
 * the bytes up to the next 0x1e. It never spends more than it may.
 */
#include "probe/payment.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEPARATOR = 0x1e, RUN_MAX_WEI = 1000, DAY_LEFT_WEI = 500 };

static void must(bool condition)
{
    if (!condition)
        abort();
}

static int status_of(uint8_t byte)
{
    static const int statuses[] = {200, 200, 200, 200, 0,   400, 402,
                                   403, 480, 481, 482, 500, 503};
    return statuses[byte % (sizeof statuses / sizeof *statuses)];
}

static void tell(struct payer *payer, int status, struct text message,
                 int64_t *now_us)
{
    *now_us += 10000000;
    payer_tick(payer, *now_us, *now_us + 600000000);
    switch (payer_step(payer)) {
    case PAYER_SIGN:
        payer_signed(payer, status, message);
        break;
    case PAYER_ASK:
        payer_terms(payer, message);
        break;
    case PAYER_GENERATE:
        must(payer_body(payer).length > 0);
        payer_generated(payer, status, message);
        break;
    case PAYER_READY:
        (void)payer_take(payer);
        if (*now_us < 100000000)
            payer_started(payer, text_of("m"), *now_us);
        else
            payer_answered(payer, status, message, *now_us);
        break;
    case PAYER_PAID:
    case PAYER_REFUSED:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct payer_settings settings = {.has_signer = size && data[0] & 1,
                                            .run_max_wei = RUN_MAX_WEI,
                                            .day_left_wei = DAY_LEFT_WEI};
    struct payer *payer = payer_new(&settings);
    int64_t now_us = 0;
    for (size_t at = 1; at < size;) {
        const uint8_t *end = memchr(data + at, SEPARATOR, size - at);
        size_t stop = end ? (size_t)(end - data) : size;
        if (stop > at)
            tell(payer, status_of(data[at]),
                 (struct text){(const char *)data + at + 1, stop - at - 1},
                 &now_us);
        must(payer_spent_wei(payer) >= 0 &&
             payer_spent_wei(payer) <= DAY_LEFT_WEI);
        at = stop + 1;
    }
    payer_free(payer);
    return 0;
}

/*
 * protobuf_fuzz.c: any bytes as any of the messages (the first byte says
 * which): what is read is written, and that reads and writes as the same.
 */
#include "livepeer/livepeer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;

#define CHECK_MESSAGE(name)                                                    \
    static void check_##name(struct text bytes)                                \
    {                                                                          \
        struct name read;                                                      \
        struct buf first = {0};                                                \
        struct buf second = {0};                                               \
        if (name##_decode(&arena, bytes, &read))                               \
            return;                                                            \
        name##_encode(&first, &read);                                          \
        if (name##_decode(&arena, (struct text){first.data, first.length},     \
                          &read))                                              \
            abort();                                                           \
        name##_encode(&second, &read);                                         \
        if (first.length != second.length ||                                   \
            (first.length && memcmp(first.data, second.data, first.length)))   \
            abort();                                                           \
        buf_free(&first);                                                      \
        buf_free(&second);                                                     \
    }

CHECK_MESSAGE(orchestrator_request)
CHECK_MESSAGE(orchestrator_info)
CHECK_MESSAGE(payment)
CHECK_MESSAGE(segment_data)
CHECK_MESSAGE(payment_result)
CHECK_MESSAGE(capabilities)
CHECK_MESSAGE(auth_token)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct text) = {check_orchestrator_request,
                                                  check_orchestrator_info,
                                                  check_payment,
                                                  check_segment_data,
                                                  check_payment_result,
                                                  check_capabilities,
                                                  check_auth_token};
    if (!size)
        return 0;
    checks[data[0] % (sizeof checks / sizeof *checks)](
        (struct text){(const char *)data + 1, size - 1});
    arena_clear(&arena);
    return 0;
}

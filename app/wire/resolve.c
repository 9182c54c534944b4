/*
 * resolve.c: from names to addresses, before libcurl sees them.
 *
 * libcurl would start a thread for each name. A thread of libuv's pool asks the
 * same resolver, and the addresses are handed to libcurl as CURLOPT_RESOLVE
 * takes them. Which of them may be connected to is decided when connecting.
 *
 * How long that took is what the network took: musl is built to ask name
 * servers by the two functions in the third chapter (vendor/edits/musl.edit),
 * and the kernel stamps their packets. A clock around the resolver would tell
 * how long a thread waits for a processor on a busy machine. Turned down: a
 * resolver of our own, which would read hosts, search lists and truncated
 * answers a second time.
 *
 * Found addresses are kept for a minute, since a stream opens a connection for
 * every segment. A fresh exchange asks anew.
 */
#include "base/clock.h"
#include "wire/http_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MAX = 10000, ADDRESSES_MAX = 8, NS_PER_US = 1000 };

/* Of an answer (RFC 1035 §4.1.1). */
enum { FLAGS_AT = 2, FLAG_TRUNCATED = 2 };

static const int64_t KEPT_US = 60000000;

struct name_entry {
    char *addresses; /* "1.2.3.4,[2001:db8::1]", or null */
    int64_t until_us;
};

struct lookup {
    uv_work_t work;
    struct http_exchange *exchange; /* null where nobody waits any more */
    char *host;
    /* Set by the thread that asks. */
    int code; /* EAI_..., 0 where it was found */
    struct addrinfo *found;
    int64_t passed_us;
};

/* ---- what was found ------------------------------------------------------ */

void resolve_forget_all(struct name_cache *cache)
{
    for (size_t i = 0; i < cache->names.count; i++)
        free(cache->entries[i].addresses);
    free(cache->entries);
    text_index_free(&cache->names);
    *cache = (struct name_cache){0};
}

static void keep(struct name_cache *cache, const char *host,
                 const char *addresses)
{
    bool added;
    if (cache->names.count == NAMES_MAX)
        resolve_forget_all(cache);
    size_t number = text_index_add(&cache->names, text_of(host), &added);
    if (added) {
        cache->entries = memory_resize(
            cache->entries, cache->names.count * sizeof *cache->entries);
        cache->entries[number] = (struct name_entry){0};
    }
    struct name_entry *entry = &cache->entries[number];
    free(entry->addresses);
    entry->addresses = strdup(addresses);
    entry->until_us = clock_monotonic_us() + KEPT_US;
}

static const char *find(const struct name_cache *cache, const char *host)
{
    ptrdiff_t number = text_index_find(&cache->names, text_of(host));
    if (number < 0 || cache->entries[number].until_us < clock_monotonic_us())
        return NULL;
    return cache->entries[number].addresses;
}

static void use(struct http_exchange *exchange, const char *addresses)
{
    char *line = arena_printf(&exchange->arena, "+%s:%u:%s", exchange->url.host,
                              (unsigned)exchange->url.port, addresses);
    exchange->addresses = curl_slist_append(NULL, line);
    exchange->state = EXCHANGE_RESOLVED;
    http_exchange_wake(exchange);
}

static void add_address(struct buf *list, const struct sockaddr *address)
{
    char text[ADDRESS_TEXT_BYTES];
    address_text(address, text);
    buf_printf(list, address->sa_family == AF_INET6 ? "%s[%s]" : "%s%s",
               list->length ? "," : "", text);
}

static void tell(struct http_exchange *exchange, const struct lookup *lookup)
{
    const struct addrinfo *found = lookup->found;
    struct buf list = {0};
    size_t count = 0;
    for (; found && count < ADDRESSES_MAX; found = found->ai_next) {
        if (found->ai_family == AF_INET || found->ai_family == AF_INET6) {
            add_address(&list, found->ai_addr);
            count++;
        }
    }
    if (count) {
        exchange->answer.times.dns_us = lookup->passed_us;
        keep(&exchange->client->cache, exchange->url.host, buf_string(&list));
        use(exchange, buf_string(&list));
    } else {
        http_exchange_fail(exchange, HTTP_NOT_RESOLVED, "%.80s has no address",
                           exchange->url.host);
    }
    buf_free(&list);
}

/* ---- what it takes ------------------------------------------------------- */

/* Of the lookup that this thread of the pool does. */
static __thread struct questions {
    int64_t first_us; /* the first one left, 0 for none */
    int64_t last_us;  /* the last answer came */
    bool cut;         /* an answer was cut short, and asked for over TCP */
} questions;

ssize_t resolve_ask(int descriptor, const void *bytes, size_t length,
                    const struct sockaddr *server, socklen_t server_length)
{
    int64_t sent_us;
    ssize_t sent = socket_send_to(descriptor, bytes, length, server,
                                  server_length, &sent_us);
    if (sent > 0 && !questions.first_us)
        questions.first_us = sent_us;
    return sent;
}

ssize_t resolve_answer(int descriptor, struct msghdr *message)
{
    const char *bytes = message->msg_iov->iov_base;
    ssize_t got = socket_receive_from(descriptor, message, &questions.last_us);
    questions.cut |= got > FLAGS_AT && bytes[FLAGS_AT] & FLAG_TRUNCATED;
    return got;
}

/* How long this thread has stood in line for a processor so far, 0 where the
 * kernel does not say: the second number of schedstat, nanoseconds. */
static int64_t stood_in_line_us(void)
{
    char text[80] = "";
    int file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    const char *second = length > 0 ? strchr(text, ' ') : NULL;
    return second ? strtoll(second, NULL, 10) / NS_PER_US : 0;
}

/* On a thread of the pool. A name that stands in a file takes no more than the
 * reading of it. */
static void ask_resolver(uv_work_t *work)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct lookup *lookup = work->data;
    questions = (struct questions){0};
    int64_t in_line_us = stood_in_line_us();
    int64_t started_us = clock_monotonic_us();
    lookup->code = getaddrinfo(lookup->host, NULL, &hints, &lookup->found);
    lookup->passed_us = clock_monotonic_us() - started_us;
    in_line_us = stood_in_line_us() - in_line_us;
    if (questions.last_us && !questions.cut)
        lookup->passed_us = questions.last_us - questions.first_us;
    else if (in_line_us < lookup->passed_us)
        lookup->passed_us -= in_line_us;
}

/* ---- asking -------------------------------------------------------------- */

static void take_answer(struct http_exchange *exchange,
                        const struct lookup *lookup)
{
    exchange->lookup = NULL;
    if (lookup->code == 0)
        tell(exchange, lookup);
    else
        http_exchange_fail(exchange, HTTP_NOT_RESOLVED,
                           "%.80s has no address: %s", exchange->url.host,
                           gai_strerror(lookup->code));
}

/* Also where it was taken back before a thread had it. */
static void on_asked(uv_work_t *work, int status)
{
    struct lookup *lookup = work->data;
    if (lookup->exchange && status == 0)
        take_answer(lookup->exchange, lookup);
    if (lookup->found)
        freeaddrinfo(lookup->found);
    free(lookup->host);
    free(lookup);
}

static void ask(struct http_exchange *exchange)
{
    struct lookup *lookup = memory_zeroed(1, sizeof *lookup);
    lookup->exchange = exchange;
    lookup->host = strdup(exchange->url.host);
    lookup->work.data = lookup;
    exchange->lookup = lookup;
    exchange->state = EXCHANGE_RESOLVING;
    /* Fails only where it is given no work. */
    uv_queue_work(loop_uv(exchange->client->loop), &lookup->work, ask_resolver,
                  on_asked);
}

void resolve_start(struct http_exchange *exchange)
{
    const char *known =
        exchange->fresh ? NULL
                        : find(&exchange->client->cache, exchange->url.host);
    if (exchange->url.is_numeric) {
        exchange->state = EXCHANGE_RESOLVED;
        http_exchange_wake(exchange);
    } else if (known) {
        use(exchange, known);
    } else {
        ask(exchange);
    }
}

void resolve_let_go(struct lookup *lookup)
{
    lookup->exchange = NULL;
    uv_cancel((uv_req_t *)&lookup->work);
}

/*
 * resolve.c: from names to addresses, before libcurl sees them.
 *
 * libcurl would start a thread for each name. libuv's pool asks the same
 * resolver, the time it takes is measured here, and the addresses are handed
 * to libcurl as CURLOPT_RESOLVE takes them. Which of them may be connected to
 * is decided when connecting.
 *
 * Found addresses are kept for a minute, since a stream opens a connection for
 * every segment. A fresh exchange asks anew.
 */
#include "base/clock.h"
#include "wire/http_int.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 10000, ADDRESSES_MAX = 8 };

static const int64_t KEPT_US = 60000000;

struct name_entry {
    char *addresses; /* "1.2.3.4,[2001:db8::1]", or null */
    int64_t until_us;
};

struct lookup {
    uv_getaddrinfo_t request;
    struct http_exchange *exchange; /* null where nobody waits any more */
    int64_t started_us;
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

/* ---- asking -------------------------------------------------------------- */

static void add_address(struct buf *list, const struct sockaddr *address)
{
    char text[ADDRESS_TEXT_BYTES];
    address_text(address, text);
    buf_printf(list, address->sa_family == AF_INET6 ? "%s[%s]" : "%s%s",
               list->length ? "," : "", text);
}

static void tell(struct http_exchange *exchange, const struct addrinfo *found)
{
    struct buf list = {0};
    size_t count = 0;
    for (; found && count < ADDRESSES_MAX; found = found->ai_next) {
        if (found->ai_family == AF_INET || found->ai_family == AF_INET6) {
            add_address(&list, found->ai_addr);
            count++;
        }
    }
    if (count) {
        keep(&exchange->client->cache, exchange->url.host, buf_string(&list));
        use(exchange, buf_string(&list));
    } else {
        http_exchange_fail(exchange, HTTP_NOT_RESOLVED, "%.80s has no address",
                           exchange->url.host);
    }
    buf_free(&list);
}

static void answered(uv_getaddrinfo_t *request, int status,
                     struct addrinfo *found)
{
    struct lookup *lookup = request->data;
    struct http_exchange *exchange = lookup->exchange;
    if (exchange) {
        exchange->lookup = NULL;
        exchange->answer.times.dns_us =
            clock_monotonic_us() - lookup->started_us;
        if (status == 0)
            tell(exchange, found);
        else
            http_exchange_fail(exchange, HTTP_NOT_RESOLVED,
                               "%.80s has no address: %s", exchange->url.host,
                               uv_strerror(status));
    }
    uv_freeaddrinfo(found);
    free(lookup);
}

static void ask(struct http_exchange *exchange)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct lookup *lookup = memory_zeroed(1, sizeof *lookup);
    lookup->exchange = exchange;
    lookup->started_us = clock_monotonic_us();
    lookup->request.data = lookup;
    exchange->lookup = lookup;
    exchange->state = EXCHANGE_RESOLVING;
    int code = uv_getaddrinfo(loop_uv(exchange->client->loop), &lookup->request,
                              answered, exchange->url.host, NULL, &hints);
    if (code != 0)
        answered(&lookup->request, code, NULL);
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
    uv_cancel((uv_req_t *)&lookup->request);
}

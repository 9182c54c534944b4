/*
 * Who may ask what, as a table of facts; and the buckets.
 */
#include "api/api_int.h"
#include "api/gate.h"

#include "harness.h"

#include <string.h>

enum mode { LOOPBACK, PRIVATE, PUBLIC };

static struct config config_of(enum mode mode)
{
    return (struct config){.listen = {.loopback = mode == LOOPBACK},
                           .public_read = mode == PUBLIC,
                           .serve_hosts = "a.example,b.example"};
}

TEST(hosts_are_taken_exactly)
{
    static const struct {
        enum mode mode;
        const char *host;
        bool passes;
    } rows[] = {
        {LOOPBACK, NULL, true},
        {LOOPBACK, "", false},
        {LOOPBACK, "localhost", true},
        {LOOPBACK, "LOCALHOST:8080", true},
        {LOOPBACK, "localhost.", false},
        {LOOPBACK, "127.0.0.1:1", true},
        {LOOPBACK, "127.9.9.9", true},
        {LOOPBACK, "127.0.0.1.example", false},
        {LOOPBACK, "127.1", false},
        {LOOPBACK, "0x7f000001", false},
        {LOOPBACK, "[::1]", true},
        {LOOPBACK, "[::1]:80", true},
        {LOOPBACK, "[::1", false},
        {LOOPBACK, "[::2]", false},
        {LOOPBACK, "10.0.0.1", false},
        {LOOPBACK, "a.example", true},
        {LOOPBACK, "B.EXAMPLE:8080", true},
        {LOOPBACK, "a.example:", true},
        {LOOPBACK, "a.example:8080:1", false},
        {LOOPBACK, "a.example,b.example", false},
        {LOOPBACK, "example", false},
        {PRIVATE, "10.0.0.1:8080", true},
        {PRIVATE, "[fd00::1]:8080", true},
        {PRIVATE, "10.0.0.1.example", false},
        {PUBLIC, "a.example", true},
        {PUBLIC, "c.example", false},
    };
    EACH_ROW (row, rows) {
        struct config config = config_of(row->mode);
        struct visit visit = {.method = "GET", .host = row->host};
        CHECK_EQ_INT(gate_host(&config, &visit).status, row->passes ? 0 : 421);
    }
}

TEST(scopes_decide)
{
    static const struct {
        enum mode mode;
        const char *method;
        enum scope needed;
        enum scope has; /* SCOPE_NOBODY: no header; SCOPE_OPEN: a wrong one */
        int status;
    } rows[] = {
        {LOOPBACK, "GET", SCOPE_OPEN, SCOPE_NOBODY, 0},
        {LOOPBACK, "GET", SCOPE_READ, SCOPE_NOBODY, 0},
        {LOOPBACK, "GET", SCOPE_READ, SCOPE_OPEN, 401},
        {LOOPBACK, "GET", SCOPE_READ, SCOPE_INGEST, 0},
        {LOOPBACK, "GET", SCOPE_NOBODY, SCOPE_ADMIN, 403},
        {LOOPBACK, "POST", SCOPE_INGEST, SCOPE_NOBODY, 401},
        {LOOPBACK, "POST", SCOPE_INGEST, SCOPE_READ, 403},
        {LOOPBACK, "POST", SCOPE_INGEST, SCOPE_INGEST, 0},
        {LOOPBACK, "POST", SCOPE_INGEST, SCOPE_ADMIN, 0},
        {LOOPBACK, "GET", SCOPE_ADMIN, SCOPE_NOBODY, 401},
        {LOOPBACK, "GET", SCOPE_ADMIN, SCOPE_INGEST, 403},
        {PRIVATE, "GET", SCOPE_OPEN, SCOPE_NOBODY, 0},
        {PRIVATE, "GET", SCOPE_READ, SCOPE_NOBODY, 401},
        {PRIVATE, "GET", SCOPE_READ, SCOPE_INGEST, 403},
        {PRIVATE, "GET", SCOPE_READ, SCOPE_READ, 0},
        {PUBLIC, "GET", SCOPE_READ, SCOPE_NOBODY, 0},
        {PUBLIC, "POST", SCOPE_INGEST, SCOPE_NOBODY, 401},
        {PUBLIC, "GET", SCOPE_ADMIN, SCOPE_READ, 403},
    };
    EACH_ROW (row, rows) {
        struct config config = config_of(row->mode);
        struct token token = {.scope = row->has};
        struct visit visit = {.method = row->method,
                              .claims = row->has != SCOPE_NOBODY,
                              .token = row->has > SCOPE_OPEN ? &token : NULL};
        struct judgement judgement = gate_judge(&config, &visit, row->needed);
        CHECK_EQ_INT(judgement.status, row->status);
        CHECK(!judgement.status || judgement.detail);
    }
}

TEST(pages_of_others_change_nothing)
{
    static const struct {
        const char *method;
        const char *origin;
        const char *site;
        bool encrypted;
        int status;
    } rows[] = {
        {"GET", "http://evil.example", "cross-site", false, 0},
        {"POST", NULL, NULL, false, 0},
        {"POST", "http://a.example:8080", NULL, false, 0},
        {"POST", "HTTP://A.example:8080", "same-origin", false, 0},
        {"POST", "https://a.example:8080", NULL, false, 403},
        {"POST", "https://a.example:8080", NULL, true, 0},
        {"POST", "http://a.example", NULL, false, 403},
        {"POST", "http://a.example:80800", NULL, false, 403},
        {"POST", "null", NULL, false, 403},
        {"POST", "", NULL, false, 403},
        {"POST", NULL, "cross-site", false, 403},
        {"POST", NULL, "same-site", false, 403},
        {"POST", NULL, "none", false, 0},
        {"DELETE", "http://evil.example", NULL, false, 403},
    };
    struct config config = config_of(LOOPBACK);
    struct token token = {.scope = SCOPE_ADMIN};
    EACH_ROW (row, rows) {
        struct visit visit = {.method = row->method,
                              .host = "a.example:8080",
                              .origin = row->origin,
                              .fetch_site = row->site,
                              .encrypted = row->encrypted,
                              .claims = true,
                              .token = &token};
        CHECK_EQ_INT(gate_judge(&config, &visit, SCOPE_INGEST).status,
                     row->status);
    }
}

TEST(only_public_reading_is_for_everybody)
{
    struct config config = config_of(PUBLIC);
    struct token token = {.scope = SCOPE_ADMIN};
    struct visit visit = {.method = "GET"};
    CHECK(gate_is_public(&config, &visit, SCOPE_READ));
    CHECK(!gate_is_public(&config, &visit, SCOPE_ADMIN));
    visit.claims = true;
    visit.token = &token;
    CHECK(!gate_is_public(&config, &visit, SCOPE_READ));
    CHECK(!gate_is_public(&config, &visit, SCOPE_ADMIN));
    config = config_of(LOOPBACK);
    visit = (struct visit){.method = "GET"};
    CHECK(!gate_is_public(&config, &visit, SCOPE_READ));
}

TEST(every_route_has_a_scope_and_a_method)
{
    for (const struct route *route = routes; route->path; route++) {
        CHECK(route->scope != SCOPE_NOBODY);
        CHECK(route->method != NULL);
        CHECK(strcmp(route->method, "GET") == 0 ||
              route->scope >= SCOPE_INGEST);
    }
}

TEST(own_addresses_are_known)
{
    static const struct {
        const char *address;
        bool loopback;
    } rows[] = {
        {"127.0.0.1", true},
        {"127.3.2.1", true},
        {"::1", true},
        {"::ffff:127.0.0.1", true},
        {"::ffff:10.0.0.1", false},
        {"10.0.0.1", false},
        {"fd00::1", false},
        {"", false},
    };
    EACH_ROW (row, rows)
        CHECK(address_is_loopback(row->address) == row->loopback);
}

TEST(a_bucket_fills_with_time)
{
    struct limiter *limiter = limiter_new(2, 4);
    int64_t now = 1000000;
    for (int i = 0; i < 4; i++)
        CHECK(limiter_take(limiter, "10.0.0.1", 1, now));
    CHECK(!limiter_take(limiter, "10.0.0.1", 1, now));
    CHECK(limiter_take(limiter, "10.0.0.2", 1, now));
    now += 500000;
    CHECK(limiter_take(limiter, "10.0.0.1", 0, now));
    CHECK(limiter_take(limiter, "10.0.0.1", 1, now));
    CHECK(!limiter_take(limiter, "10.0.0.1", 0, now));
    now += 3600000000;
    for (int i = 0; i < 4; i++)
        CHECK(limiter_take(limiter, "10.0.0.1", 1, now));
    CHECK(!limiter_take(limiter, "10.0.0.1", 1, now));
    limiter_free(limiter);
}

TEST(a_network_of_ipv6_is_one_address)
{
    struct limiter *limiter = limiter_new(1, 1);
    CHECK(limiter_take(limiter, "2001:db8::1", 1, 1));
    CHECK(!limiter_take(limiter, "2001:db8::2", 1, 1));
    CHECK(limiter_take(limiter, "2001:db8:0:1::2", 1, 1));
    CHECK(limiter_take(limiter, "::ffff:10.0.0.1", 1, 1));
    CHECK(limiter_take(limiter, "::ffff:10.0.0.2", 1, 1));
    limiter_free(limiter);
}

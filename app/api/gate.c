/*
 * gate.c: who may ask what (see gate.h).
 *
 *   host     whoever has a name server can point a name of his at us; his
 *            page would then be of our origin. Only our names, and numeric
 *            addresses, which no name server answers for, are answered.
 *   origin   what changes something is not done for another origin's page.
 *   scope    reading is free on loopback and where public_read says so; all
 *            that changes something needs a token, on loopback, too: any page
 *            in any browser of this machine reaches loopback, and cannot send
 *            a token that it does not know.
 *
 * A token that is no good is refused even where none is needed: its owner
 * should learn that it was revoked. There are no cookies, so that nothing is
 * sent along that the sender did not mean to send.
 */
#include "api/gate.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const struct judgement passed = {0};

static struct judgement refused(int status, const char *detail)
{
    return (struct judgement){.status = status, .detail = detail};
}

/* ---- host ---------------------------------------------------------------- */

/* "[::1]:8080" and "localhost:8080" without the port; empty where it is no
 * host with a port. */
static struct text host_name(const char *header)
{
    size_t length = strcspn(header, ":");
    if (*header == '[') {
        length = strcspn(header, "]");
        if (!header[length])
            return text_of("");
        length++;
    }
    const char *port = header + length;
    if (*port == ':')
        port += 1 + strspn(port + 1, "0123456789");
    return *port ? text_of("") : (struct text){header, length};
}

static bool is_name(struct text name, const char *wanted, size_t length)
{
    return name.length == length && strncasecmp(name.data, wanted, length) == 0;
}

static bool is_listed(const char *list, struct text name)
{
    while (*list) {
        list += strspn(list, ", ");
        size_t length = strcspn(list, ", ");
        if (length && is_name(name, list, length))
            return true;
        list += length;
    }
    return false;
}

enum address_kind { ADDRESS_NONE, ADDRESS_LOOPBACK, ADDRESS_OTHER };

static enum address_kind kind_of_address(struct text name)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr four;
    struct in6_addr six;
    bool bracket = name.length > 2 && name.data[0] == '[';
    if (bracket) {
        name.data++;
        name.length -= 2;
    }
    if (name.length >= sizeof copy)
        return ADDRESS_NONE;
    memcpy(copy, name.data, name.length);
    copy[name.length] = '\0';
    if (!bracket && inet_pton(AF_INET, copy, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET ? ADDRESS_LOOPBACK
                                                          : ADDRESS_OTHER;
    if (bracket && inet_pton(AF_INET6, copy, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six) ? ADDRESS_LOOPBACK : ADDRESS_OTHER;
    return ADDRESS_NONE;
}

bool address_is_loopback(const char *address)
{
    struct in6_addr six;
    if (inet_pton(AF_INET6, address, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six) ||
               (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
    return kind_of_address(text_of(address)) == ADDRESS_LOOPBACK;
}

struct judgement gate_host(const struct config *config,
                           const struct visit *visit)
{
    /* Browsers always say it; who says none is no browser. */
    if (!visit->host)
        return passed;
    struct text name = host_name(visit->host);
    enum address_kind kind = kind_of_address(name);
    if (is_name(name, "localhost", 9) || kind == ADDRESS_LOOPBACK ||
        is_listed(config->serve_hosts, name))
        return passed;
    if (config->listen.loopback)
        return refused(421, "this server listens on loopback and answers to "
                            "localhost and 127.0.0.1, not to other host names; "
                            "serve.hosts adds names");
    if (kind == ADDRESS_OTHER)
        return passed;
    return refused(421, "this server does not answer to this host name; "
                        "serve.hosts adds names");
}

/* ---- origin -------------------------------------------------------------- */

static bool is_safe(const char *method)
{
    return strcmp(method, "GET") == 0;
}

static bool is_own_origin(const struct visit *visit)
{
    const char *scheme = visit->encrypted ? "https://" : "http://";
    size_t length = strlen(scheme);
    return visit->host && strncasecmp(visit->origin, scheme, length) == 0 &&
           strcasecmp(visit->origin + length, visit->host) == 0;
}

static bool is_from_another_page(const struct visit *visit)
{
    if (visit->origin && !is_own_origin(visit))
        return true;
    return visit->fetch_site && strcmp(visit->fetch_site, "same-origin") != 0 &&
           strcmp(visit->fetch_site, "none") != 0;
}

/* ---- scope --------------------------------------------------------------- */

static bool reading_is_free(const struct config *config)
{
    return config->listen.loopback || config->public_read;
}

static bool has_scope(const struct token *token, enum scope scope)
{
    return token && (token->scope == scope || token->scope == SCOPE_ADMIN) &&
           token->scope != SCOPE_NOBODY;
}

static struct judgement judge_scope(const struct config *config,
                                    const struct visit *visit, enum scope scope)
{
    if (visit->claims && !visit->token)
        return refused(401, "this token is not known here, or was revoked; "
                            "send \"Authorization: Bearer TOKEN\"");
    if (scope == SCOPE_OPEN || (scope == SCOPE_READ && reading_is_free(config)))
        return passed;
    if (scope == SCOPE_NOBODY)
        return refused(403, "nobody may ask this");
    if (!visit->token)
        return refused(401, "this needs a token: send \"Authorization: Bearer "
                            "TOKEN\"; `assay token create` makes one");
    if (!has_scope(visit->token, scope))
        return refused(403, "the scope of this token does not allow this");
    return passed;
}

struct judgement gate_judge(const struct config *config,
                            const struct visit *visit, enum scope scope)
{
    if (!is_safe(visit->method) && is_from_another_page(visit))
        return refused(403, "what changes something is not done for a page of "
                            "another origin");
    return judge_scope(config, visit, scope);
}

bool gate_is_public(const struct config *config, const struct visit *visit,
                    enum scope scope)
{
    return config->public_read && is_safe(visit->method) && !visit->claims &&
           (scope == SCOPE_READ || scope == SCOPE_OPEN);
}

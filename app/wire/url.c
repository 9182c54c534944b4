/*
 * url.c: see url.h.
 */
#include "wire/url.h"
#include "base/buf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* What an orchestrator listens on unless it says otherwise. */
#define ORCHESTRATOR_PORT ":8935"
enum { SHOWN_BYTES = 200, HOST_BYTES_MAX = 253 /* of a name in DNS */ };

static enum err refuse(const char *text, const char *why)
{
    return err_set(ERR_INPUT, "\"%.*s\"%s is no URL to connect to: %s",
                   SHOWN_BYTES, text, strlen(text) > SHOWN_BYTES ? "..." : "",
                   why);
}

/* Null where TEXT is of a length and of bytes that a URL may have. */
static const char *wrong_bytes(const char *text)
{
    if (strlen(text) > URL_BYTES_MAX)
        return "it is longer than 8 KB";
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~')
            return "it holds a byte that is not printable ASCII";
    }
    return NULL;
}

/* ---- parts --------------------------------------------------------------- */

static char *part(struct arena *arena, CURLU *handle, CURLUPart which,
                  unsigned flags)
{
    char *found = NULL;
    if (curl_url_get(handle, which, &found, flags) != CURLUE_OK || !found)
        return NULL;
    char *copy = arena_text(arena, found, strlen(found));
    curl_free(found);
    return copy;
}

/*
 * A name's trailing dot says that it is whole, which all names are here; but
 * "127.0.0.1." would be a name with it. So it goes, and the rest is read again
 * as if it had stood there. False where no name is left, or another dot.
 */
static bool drop_trailing_dot(struct arena *arena, CURLU *handle)
{
    char *host = part(arena, handle, CURLUPART_HOST, 0);
    size_t length = host ? strlen(host) : 0;
    if (length == 0 || host[length - 1] != '.')
        return length > 0;
    host[length - 1] = '\0';
    if (length < 2 || host[length - 2] == '.' ||
        curl_url_set(handle, CURLUPART_HOST, host, 0) != CURLUE_OK)
        return false;
    char *whole = part(arena, handle, CURLUPART_URL, 0);
    return whole && curl_url_set(handle, CURLUPART_URL, whole, 0) == CURLUE_OK;
}

/* Without brackets, in lower case. */
static bool take_host(char *host, struct url *url)
{
    uint8_t bytes[16];
    bool six = host[0] == '[';
    if (six) {
        host[strlen(host) - 1] = '\0';
        host++;
    }
    for (char *at = host; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    url->host = host;
    url->is_numeric = six || inet_pton(AF_INET, host, bytes) == 1;
    return *host != '\0' && strlen(host) <= HOST_BYTES_MAX &&
           strchr(host, '%') == NULL;
}

static const char *take_parts(struct arena *arena, CURLU *handle,
                              struct url *url)
{
    if (!drop_trailing_dot(arena, handle))
        return "its host cannot be";
    char *scheme = part(arena, handle, CURLUPART_SCHEME, 0);
    char *host = part(arena, handle, CURLUPART_HOST, 0);
    char *port = part(arena, handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (!scheme || !host || !port)
        return "it has no host";
    url->secure = strcmp(scheme, "https") == 0;
    if (!url->secure && strcmp(scheme, "http") != 0)
        return "only http and https are spoken";
    if (part(arena, handle, CURLUPART_ZONEID, 0))
        return "it names a zone of IPv6";
    if (!take_host(host, url))
        return "its host cannot be";
    long number = strtol(port, NULL, 10);
    if (number < 1 || number > UINT16_MAX)
        return "its port cannot be";
    url->port = (uint16_t)number;
    bool six = strchr(url->host, ':') != NULL;
    url->origin = arena_printf(arena, "%s://%s%s%s:%u", scheme, six ? "[" : "",
                               url->host, six ? "]" : "", (unsigned)url->port);
    return NULL;
}

/* BASE is null, or what TEXT may be relative to. */
static enum err parse(struct arena *arena, const char *base, const char *text,
                      struct url *url)
{
    const char *why = wrong_bytes(text);
    if (why)
        return refuse(text, why);
    CURLU *handle = curl_url();
    CURLUcode code = CURLUE_OK;
    if (!handle)
        abort();
    if (base)
        code = curl_url_set(handle, CURLUPART_URL, base, 0);
    if (code == CURLUE_OK)
        code = curl_url_set(handle, CURLUPART_URL, text,
                            CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK)
        code = curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    if (code == CURLUE_USER_NOT_ALLOWED)
        why = "it holds credentials";
    else if (code != CURLUE_OK)
        why = curl_url_strerror(code);
    else
        why = take_parts(arena, handle, url);
    if (!why && !(url->text = part(arena, handle, CURLUPART_URL, 0)))
        why = "it cannot be written";
    curl_url_cleanup(handle);
    return why ? refuse(text, why) : ERR_NONE;
}

/* ---- in three ways ------------------------------------------------------- */

enum err url_parse(struct arena *arena, const char *text, struct url *url)
{
    *url = (struct url){0};
    return parse(arena, NULL, text, url);
}

enum err url_join(struct arena *arena, const struct url *base, const char *text,
                  struct url *url)
{
    *url = (struct url){0};
    if (*text == '\0')
        return refuse(text, "it is empty");
    return parse(arena, base->text, text, url);
}

static bool has_port(const char *text)
{
    const char *end = text + strcspn(text, "/?#");
    const char *colon = memchr(text, ':', (size_t)(end - text));
    const char *bracket = memchr(text, ']', (size_t)(end - text));
    return bracket ? bracket + 1 < end && bracket[1] == ':' : colon != NULL;
}

enum err url_of_orchestrator(struct arena *arena, const char *text,
                             struct url *url)
{
    *url = (struct url){0};
    bool has_scheme = strncmp(text, "http", 4) == 0 || strstr(text, "://");
    if (has_scheme || strlen(text) > URL_BYTES_MAX)
        return parse(arena, NULL, text, url);
    size_t authority = strcspn(text, "/?#");
    char *whole =
        arena_printf(arena, "https://%.*s%s%s", (int)authority, text,
                     has_port(text) ? "" : ORCHESTRATOR_PORT, text + authority);
    return parse(arena, NULL, whole, url);
}

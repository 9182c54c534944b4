/*
 * value.c: from the text of an option to its field, and back.
 *
 * Reading is strict (no sign, no blank, no second meaning) and writes nothing
 * unless all of the text made sense, so that a refused value leaves the one
 * before in force. Every value can be read back from what value_show() prints,
 * secrets excepted.
 */
#include "base/file.h"
#include "base/json.h"
#include "config/keys.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_MAX_BYTES = 64 << 10, SHOWN_BYTES = 80 };

struct unit {
    const char *name;
    int64_t factor;
};

/* Each list from large to small, for printing; the first that divides wins. */
static const struct unit size_units[] = {{"TB", 1000000000000},
                                         {"TiB", (int64_t)1 << 40},
                                         {"GB", 1000000000},
                                         {"GiB", 1 << 30},
                                         {"MB", 1000000},
                                         {"MiB", 1 << 20},
                                         {"kB", 1000},
                                         {"KiB", 1 << 10},
                                         {"KB", 1000},
                                         {"B", 1},
                                         {"", 1},
                                         {0}};

static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {0}};

static bool refuse(char reason[CONFIG_REASON_BYTES], const char *takes,
                   const char *text)
{
    snprintf(reason, CONFIG_REASON_BYTES, "takes %s, not \"%.*s\"%s", takes,
             SHOWN_BYTES, text, strlen(text) > SHOWN_BYTES ? "..." : "");
    return false;
}

static void *field_of(const struct config_key *key, void *target)
{
    return (char *)target + key->offset;
}

/* ---- numbers ------------------------------------------------------------- */

/* Digits at the start of TEXT; *REST is what follows. False where there are
 * none or where they do not fit. */
static bool read_digits(const char *text, int64_t *value, const char **rest)
{
    int64_t sum = 0;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++) {
        if (__builtin_mul_overflow(sum, (int64_t)10, &sum) ||
            __builtin_add_overflow(sum, (int64_t)(*at - '0'), &sum))
            return false;
    }
    *value = sum;
    *rest = at;
    return at > text;
}

static const struct unit *unit_named(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (strcmp(units->name, name) == 0)
            return units;
    }
    return NULL;
}

/* Digits and one of UNITS; a bare 0 needs none. */
static bool read_measure(const struct unit *units, const char *text,
                         int64_t *value)
{
    const char *rest;
    int64_t count;
    if (!read_digits(text, &count, &rest))
        return false;
    rest += strspn(rest, " ");
    if (!count && !*rest) {
        *value = 0;
        return true;
    }
    const struct unit *unit = unit_named(units, rest);
    return unit && !__builtin_mul_overflow(count, unit->factor, value);
}

static bool read_number(const struct config_key *key, const char *text,
                        int64_t *value)
{
    const char *rest;
    if (key->type == CONFIG_SIZE)
        return read_measure(size_units, text, value);
    if (key->type == CONFIG_DURATION)
        return read_measure(duration_units, text, value);
    return read_digits(text, value, &rest) && !*rest;
}

static const char *show_measure(struct arena *arena, const struct unit *units,
                                int64_t value)
{
    if (!value)
        return "0";
    while (value % units->factor != 0)
        units++;
    return arena_printf(arena, "%lld%s", (long long)(value / units->factor),
                        units->name);
}

static const char *show_number(struct arena *arena,
                               const struct config_key *key, int64_t value)
{
    if (key->type == CONFIG_SIZE)
        return show_measure(arena, size_units, value);
    if (key->type == CONFIG_DURATION)
        return show_measure(arena, duration_units, value);
    return arena_printf(arena, "%lld", (long long)value);
}

static const char *number_form(enum config_type type)
{
    if (type == CONFIG_SIZE)
        return "a size such as 500MB or 20GiB";
    if (type == CONFIG_DURATION)
        return "a duration such as 250ms, 30s, 5m, 2h or 7d";
    return "a whole number";
}

static bool set_number(struct arena *arena, const struct config_key *key,
                       int64_t *field, const char *text,
                       char reason[CONFIG_REASON_BYTES])
{
    int64_t value;
    if (!read_number(key, text, &value))
        return refuse(reason, number_form(key->type), text);
    if (value < key->least || value > key->most) {
        char takes[160];
        snprintf(takes, sizeof takes, "%s from %s to %s",
                 number_form(key->type), show_number(arena, key, key->least),
                 show_number(arena, key, key->most));
        return refuse(reason, takes, text);
    }
    *field = value;
    return true;
}

/* Digits, and behind a point more of them; nothing that strtod would add. */
static bool read_decimal(const char *text, double *value)
{
    const char *at = text + strspn(text, "0123456789");
    if (at == text)
        return false;
    if (*at == '.' && isdigit((unsigned char)at[1]))
        at += 1 + strspn(at + 1, "0123456789");
    *value = strtod(text, NULL);
    return !*at;
}

static bool set_decimal(const struct config_key *key, double *field,
                        const char *text, char reason[CONFIG_REASON_BYTES])
{
    double value;
    if (!read_decimal(text, &value) || value < (double)key->least ||
        value > (double)key->most) {
        char takes[160];
        snprintf(takes, sizeof takes, "a number from %lld to %lld",
                 (long long)key->least, (long long)key->most);
        return refuse(reason, takes, text);
    }
    *field = value;
    return true;
}

static const char *show_decimal(struct arena *arena, double value)
{
    char bytes[32];
    size_t length = double_text(value, bytes);
    if (length > 2 && memcmp(bytes + length - 2, ".0", 2) == 0)
        length -= 2;
    return arena_text(arena, bytes, length);
}

/* ---- words --------------------------------------------------------------- */

static bool set_text(struct arena *arena, const struct config_key *key,
                     const char **field, const char *text,
                     char reason[CONFIG_REASON_BYTES])
{
    for (const char *at = text; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x20 || byte == 0x7f)
            return refuse(reason, "text without control characters", text);
    }
    if (key->type == CONFIG_PATH && !*text)
        return refuse(reason, "a path", text);
    *field = arena_text(arena, text, strlen(text));
    return true;
}

static bool set_labels(struct arena *arena, const struct config_key *key,
                       const char **field, const char *text,
                       char reason[CONFIG_REASON_BYTES])
{
    const char *flaw = config_labels(text, NULL, NULL);
    if (!flaw)
        return set_text(arena, key, field, text, reason);
    snprintf(reason, CONFIG_REASON_BYTES,
             "takes labels such as \"name=label, name=label\"; \"%.*s\" has %s",
             SHOWN_BYTES, text, flaw);
    return false;
}

static bool set_bool(bool *field, const char *text,
                     char reason[CONFIG_REASON_BYTES])
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return refuse(reason, "true or false", text);
    *field = yes;
    return true;
}

static bool set_choice(const struct config_key *key, int *field,
                       const char *text, char reason[CONFIG_REASON_BYTES])
{
    int position = 0;
    for (const char *at = key->choices;; at++, position++) {
        size_t length = strcspn(at, "|");
        if (length == strlen(text) && strncmp(at, text, length) == 0) {
            *field = position;
            return true;
        }
        at += length;
        if (!*at)
            break;
    }
    char takes[160];
    snprintf(takes, sizeof takes, "one of %s", key->choices);
    return refuse(reason, takes, text);
}

static const char *show_choice(struct arena *arena,
                               const struct config_key *key, int position)
{
    const char *at = key->choices;
    for (; position > 0; position--)
        at += strcspn(at, "|") + 1;
    return arena_text(arena, at, strcspn(at, "|"));
}

/* ---- addresses ----------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &six) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&six))
        return six.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&six);
}

static bool is_address(const char *host, bool bracketed)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(bracketed ? AF_INET6 : AF_INET, host, bytes) == 1;
}

static bool set_address(struct arena *arena, struct config_address *field,
                        const char *text, char reason[CONFIG_REASON_BYTES])
{
    const char *takes = "a numeric address and a port, such as "
                        "127.0.0.1:8080 or [::1]:8080";
    const char *colon = strrchr(text, ':');
    const char *rest;
    int64_t port;
    if (!colon || !read_digits(colon + 1, &port, &rest) || *rest ||
        port > UINT16_MAX)
        return refuse(reason, takes, text);
    const char *start = text;
    const char *end = colon;
    bool bracketed = end - start >= 2 && *start == '[' && end[-1] == ']';
    if (bracketed) {
        start++;
        end--;
    }
    char *host = arena_text(arena, start, (size_t)(end - start));
    /* The one name that means the same everywhere. */
    if (strcmp(host, "localhost") == 0)
        host = arena_printf(arena, "127.0.0.1");
    if (!is_address(host, bracketed))
        return refuse(reason, takes, text);
    *field = (struct config_address){
        .text = arena_printf(arena, bracketed ? "[%s]:%lld" : "%s:%lld", host,
                             (long long)port),
        .host = host,
        .port = (uint16_t)port,
        .loopback = is_loopback(host),
    };
    return true;
}

/* ---- secrets ------------------------------------------------------------- */

/* Null where BYTES make a secret, else why not. Who may open the file is not
 * looked at: containers mount their secrets readable to all on purpose. */
static const char *flaw_of_secret(const struct buf *bytes)
{
    if (bytes->length > SECRET_MAX_BYTES)
        return "it is longer than 64 KiB";
    if (!bytes->length)
        return "it is empty";
    if (memchr(bytes->data, 0, bytes->length))
        return "it holds a NUL byte";
    return NULL;
}

/* Editors end a file with a newline, secrets do not end with one. */
static void drop_newline(struct buf *bytes)
{
    if (bytes->length && bytes->data[bytes->length - 1] == '\n')
        bytes->length--;
    if (bytes->length && bytes->data[bytes->length - 1] == '\r')
        bytes->length--;
}

static bool set_secret(struct arena *arena, struct config_secret *field,
                       const char *path, char reason[CONFIG_REASON_BYTES])
{
    if (!*path) {
        *field = (struct config_secret){.path = "", .secret = ""};
        return true;
    }
    struct buf bytes = {0};
    const char *flaw = NULL;
    if (!file_read(path, SECRET_MAX_BYTES, &bytes))
        flaw = strerror(errno);
    drop_newline(&bytes);
    if (!flaw)
        flaw = flaw_of_secret(&bytes);
    if (flaw) {
        snprintf(reason, CONFIG_REASON_BYTES,
                 "names the file %.*s, which gives no secret: %s", SHOWN_BYTES,
                 path, flaw);
    } else {
        field->path = arena_text(arena, path, strlen(path));
        field->secret = arena_text(arena, bytes.data, bytes.length);
    }
    if (bytes.data)
        explicit_bzero(bytes.data, bytes.capacity);
    buf_free(&bytes);
    return !flaw;
}

/* ---- by type ------------------------------------------------------------- */

bool value_read(struct arena *arena, const struct config_key *key, void *target,
                const char *text, char reason[CONFIG_REASON_BYTES])
{
    void *field = field_of(key, target);
    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
        return set_text(arena, key, field, text, reason);
    case CONFIG_LABELS:
        return set_labels(arena, key, field, text, reason);
    case CONFIG_INT:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return set_number(arena, key, field, text, reason);
    case CONFIG_NUMBER:
        return set_decimal(key, field, text, reason);
    case CONFIG_BOOL:
        return set_bool(field, text, reason);
    case CONFIG_CHOICE:
        return set_choice(key, field, text, reason);
    case CONFIG_ADDRESS:
        return set_address(arena, field, text, reason);
    case CONFIG_SECRET:
        return set_secret(arena, field, text, reason);
    }
    return refuse(reason, "nothing", text);
}

static const char *show_secret(struct arena *arena,
                               const struct config_secret *secret)
{
    if (!*secret->path)
        return "";
    return arena_printf(arena, "(set from %s)", secret->path);
}

const char *value_show(struct arena *arena, const struct config_key *key,
                       const void *target)
{
    const void *field = (const char *)target + key->offset;
    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
    case CONFIG_LABELS:
        return *(const char *const *)field;
    case CONFIG_INT:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return show_number(arena, key, *(const int64_t *)field);
    case CONFIG_NUMBER:
        return show_decimal(arena, *(const double *)field);
    case CONFIG_BOOL:
        return *(const bool *)field ? "true" : "false";
    case CONFIG_CHOICE:
        return show_choice(arena, key, *(const int *)field);
    case CONFIG_ADDRESS:
        return ((const struct config_address *)field)->text;
    case CONFIG_SECRET:
        return show_secret(arena, field);
    }
    return "";
}

/*
 * address.c: see address.h.
 *
 * How: everything is judged in the 16 bytes of IPv6. What carries an IPv4
 * address inside is unwrapped, and what comes out is judged again. Of IPv4 the
 * ranges without a place on the Internet are refused (IANA's special-purpose
 * registry, RFC 6890); of IPv6 only 2000::/3, the one block in use, can pass,
 * so that ranges which nobody has thought of yet are refused, too.
 */
#include "wire/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct known_range {
    const char *what;
    uint8_t bytes[ADDRESS_BYTES];
    unsigned prefix;
};

#define MAPPED 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
enum { MAPPED_BITS = 96 };

static const struct known_range refused[] = {
    {"a network of its own (RFC 1122)", {MAPPED, 0}, 104},
    {"a private address (RFC 1918)", {MAPPED, 10}, 104},
    {"shared by a provider (RFC 6598)", {MAPPED, 100, 64}, 106},
    {"loopback", {MAPPED, 127}, 104},
    {"link-local, where clouds keep metadata", {MAPPED, 169, 254}, 112},
    {"a private address (RFC 1918)", {MAPPED, 172, 16}, 108},
    {"reserved for protocols (RFC 6890)", {MAPPED, 192, 0, 0}, 120},
    {"for documentation (RFC 5737)", {MAPPED, 192, 0, 2}, 120},
    {"a former relay (RFC 7526)", {MAPPED, 192, 88, 99}, 120},
    {"a private address (RFC 1918)", {MAPPED, 192, 168}, 112},
    {"for benchmarks (RFC 2544)", {MAPPED, 198, 18}, 111},
    {"for documentation (RFC 5737)", {MAPPED, 198, 51, 100}, 120},
    {"for documentation (RFC 5737)", {MAPPED, 203, 0, 113}, 120},
    {"multicast", {MAPPED, 224}, 100},
    {"reserved or broadcast", {MAPPED, 240}, 100},
    {"unspecified", {0}, 128},
    {"loopback", {[15] = 1}, 128},
    {"only for this network's NAT64 (RFC 8215)",
     {0, 0x64, 0xff, 0x9b, 0, 1},
     48},
    {"without a destination (RFC 6666)", {1}, 64},
    {"for benchmarks (RFC 5180)", {0x20, 1, 0, 2}, 48},
    {"a hash and no place (RFC 4843)", {0x20, 1, 0, 0x10}, 28},
    {"a hash and no place (RFC 7343)", {0x20, 1, 0, 0x20}, 28},
    {"for documentation (RFC 3849)", {0x20, 1, 0x0d, 0xb8}, 32},
    {"for documentation (RFC 9637)", {0x3f, 0xff}, 20},
    {"private to a site (RFC 4193)", {0xfc}, 7},
    {"link-local", {0xfe, 0x80}, 10},
    {"private to a site (RFC 3879)", {0xfe, 0xc0}, 10},
    {"multicast", {0xff}, 8},
};

/* Where the four bytes of an address inside another one lie. */
struct wrapping {
    uint8_t bytes[ADDRESS_BYTES];
    unsigned prefix;
    unsigned at;
    bool inverted;
    bool passes; /* a public address inside makes a public one */
};

static const struct wrapping wrappings[] = {
    {{MAPPED}, MAPPED_BITS, 12, false, true},
    /* RFC 4291 §2.5.5.1 (compatible), RFC 2765 (translated). */
    {{0}, 96, 12, false, false},
    {{[8] = 0xff, [9] = 0xff}, 96, 12, false, false},
    {{0, 0x64, 0xff, 0x9b}, 96, 12, false, true}, /* NAT64, RFC 6052 */
    {{0x20, 0x02}, 16, 2, false, true},           /* 6to4, RFC 3056 */
    {{0x20, 0x01, 0, 0}, 32, 4, false, true},     /* Teredo's server */
    {{0x20, 0x01, 0, 0}, 32, 12, true, true},     /* and its client */
};

/* ---- bits ---------------------------------------------------------------- */

static bool begins_with(const uint8_t *bytes, const uint8_t *prefix,
                        unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    if (memcmp(bytes, prefix, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static void map_four(const void *four, uint8_t bytes[ADDRESS_BYTES])
{
    static const uint8_t mapped[ADDRESS_BYTES] = {MAPPED};
    memcpy(bytes, mapped, ADDRESS_BYTES);
    memcpy(bytes + MAPPED_BITS / 8, four, 4);
}

static bool bytes_of(const struct sockaddr *address,
                     uint8_t bytes[ADDRESS_BYTES])
{
    const char *at = (const char *)address;
    if (address->sa_family == AF_INET)
        map_four(at + offsetof(struct sockaddr_in, sin_addr), bytes);
    else if (address->sa_family == AF_INET6)
        memcpy(bytes, at + offsetof(struct sockaddr_in6, sin6_addr),
               ADDRESS_BYTES);
    else
        return false;
    return true;
}

/* ---- judging ------------------------------------------------------------- */

static const char *known_refusal(const uint8_t bytes[ADDRESS_BYTES])
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (begins_with(bytes, refused[i].bytes, refused[i].prefix))
            return refused[i].what;
    }
    return NULL;
}

/* ISATAP (RFC 5214 §6.1): an interface that is named after an IPv4 address. */
static bool names_interface_by_four(const uint8_t bytes[ADDRESS_BYTES])
{
    static const uint8_t name[] = {0, 0, 0x5e, 0xfe};
    return (bytes[8] & 0xfd) == name[0] && !memcmp(bytes + 9, name + 1, 3);
}

/* What is wrong with the addresses inside; *PASSES where they decide. */
static const char *inner_refusal(const uint8_t bytes[ADDRESS_BYTES],
                                 bool *passes)
{
    uint8_t inner[ADDRESS_BYTES];
    const char *what = NULL;
    *passes = false;
    for (size_t i = 0; i < sizeof wrappings / sizeof *wrappings && !what; i++) {
        const struct wrapping *wrapping = &wrappings[i];
        if (!begins_with(bytes, wrapping->bytes, wrapping->prefix))
            continue;
        map_four(bytes + wrapping->at, inner);
        for (unsigned j = 12; wrapping->inverted && j < ADDRESS_BYTES; j++)
            inner[j] = (uint8_t)~inner[j];
        what = known_refusal(inner);
        *passes = *passes || wrapping->passes;
    }
    if (!what && names_interface_by_four(bytes)) {
        map_four(bytes + 12, inner);
        what = known_refusal(inner);
    }
    return what;
}

static bool is_allowed(const struct address_policy *policy,
                       const uint8_t bytes[ADDRESS_BYTES])
{
    for (size_t i = 0; i < policy->count; i++) {
        if (begins_with(bytes, policy->allowed[i].bytes,
                        policy->allowed[i].prefix))
            return true;
    }
    return false;
}

const char *address_refusal(const struct address_policy *policy,
                            const struct sockaddr *address)
{
    uint8_t bytes[ADDRESS_BYTES];
    bool passes;
    if (!bytes_of(address, bytes))
        return "of a family that is not spoken here";
    if (is_allowed(policy, bytes))
        return NULL;
    const char *what = known_refusal(bytes);
    if (!what)
        what = inner_refusal(bytes, &passes);
    if (what || passes)
        return what;
    bool in_use = bytes[0] >> 5 == 1; /* 2000::/3 */
    return in_use ? NULL : "outside of what the Internet uses";
}

/* ---- ranges that are allowed --------------------------------------------- */

static bool read_prefix(const char *text, unsigned most, unsigned *prefix)
{
    unsigned value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= most; at++)
        value = value * 10 + (unsigned)(*at - '0');
    *prefix = value;
    return at > text && at - text <= 3 && *at == '\0' && value <= most;
}

static bool read_range(const char *text, struct address_range *range)
{
    char address[ADDRESS_TEXT_BYTES];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    struct in_addr four;
    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    range->prefix = 128;
    if (inet_pton(AF_INET, address, &four) == 1) {
        map_four(&four, range->bytes);
        unsigned bits = 32;
        if (slash && !read_prefix(slash + 1, 32, &bits))
            return false;
        range->prefix = MAPPED_BITS + bits;
        return true;
    }
    return inet_pton(AF_INET6, address, range->bytes) == 1 &&
           (!slash || read_prefix(slash + 1, 128, &range->prefix));
}

enum err address_allow(struct address_policy *policy, const char *range)
{
    struct address_range read;
    if (!read_range(range, &read))
        return err_set(ERR_CONFIG,
                       "an address range is written as 10.0.0.0/8 or fd00::/8, "
                       "not \"%.80s\"",
                       range);
    for (unsigned bit = read.prefix; bit < 128; bit++) {
        if (read.bytes[bit / 8] & 0x80 >> bit % 8)
            return err_set(ERR_CONFIG,
                           "the address range \"%.80s\" has bits behind its "
                           "prefix: write its first address",
                           range);
    }
    if (policy->count == ADDRESS_RANGES_MAX)
        return err_set(ERR_CONFIG, "more than %d address ranges are allowed",
                       ADDRESS_RANGES_MAX);
    policy->allowed[policy->count++] = read;
    return ERR_NONE;
}

/* ---- text ---------------------------------------------------------------- */

char *address_text(const struct sockaddr *address,
                   char text[ADDRESS_TEXT_BYTES])
{
    const char *at = (const char *)address;
    const char *written = NULL;
    if (address->sa_family == AF_INET)
        written =
            inet_ntop(AF_INET, at + offsetof(struct sockaddr_in, sin_addr),
                      text, ADDRESS_TEXT_BYTES);
    else if (address->sa_family == AF_INET6)
        written =
            inet_ntop(AF_INET6, at + offsetof(struct sockaddr_in6, sin6_addr),
                      text, ADDRESS_TEXT_BYTES);
    if (!written)
        snprintf(text, ADDRESS_TEXT_BYTES, "?");
    return text;
}

/*
 * fastmem.c: memcpy, memmove, memset, memcmp and bcmp for the static build.
 *
 * musl keeps these small: its copy is one string instruction with a long
 * start-up, its comparison a loop over bytes. SQLite spends a third of an
 * insert in them; with this file the whole program is as fast as with glibc.
 *
 * How: up to 128 bytes are loaded whole into registers, from both ends, before
 * anything is stored; the two loads may overlap in the middle, so one branch
 * serves a range of lengths, and overlapping source and target are safe by
 * construction. Longer runs go 64 bytes at a time. Only very long ones use the
 * string instructions, whose start-up is paid back there.
 *
 * It must be compiled freestanding: otherwise the compiler would recognise the
 * loops and call the very functions that they define. The vector type is the
 * compilers' own, so that x86-64 and arm64 share the code.
 */
#include <stddef.h>
#include <stdint.h>

typedef uint8_t vector __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word8 __attribute__((aligned(1), may_alias));
typedef uint32_t word4 __attribute__((aligned(1), may_alias));
typedef uint16_t word2 __attribute__((aligned(1), may_alias));

#define INLINE static inline __attribute__((always_inline))

enum { LONG_COPY_BYTES = 2048, LONG_FILL_BYTES = 1024 };

int bcmp(const void *left, const void *right, size_t length);

INLINE vector load(const uint8_t *from)
{
    return *(const vector *)from;
}

INLINE void store(uint8_t *to, vector value)
{
    *(vector *)to = value;
}

/* 64 bytes in registers. */
struct quad {
    vector part[4];
};

INLINE struct quad load64(const uint8_t *from)
{
    struct quad quad = {
        {load(from), load(from + 16), load(from + 32), load(from + 48)}};
    return quad;
}

INLINE void store64(uint8_t *to, struct quad quad)
{
    store(to, quad.part[0]);
    store(to + 16, quad.part[1]);
    store(to + 32, quad.part[2]);
    store(to + 48, quad.part[3]);
}

#define COPY_ENDS(type)                                                        \
    do {                                                                       \
        type first = *(const type *)from;                                      \
        type last = *(const type *)(from + length - sizeof(type));             \
        *(type *)to = first;                                                   \
        *(type *)(to + length - sizeof(type)) = last;                          \
    } while (0)

/* Up to 32 bytes. */
INLINE void copy_small(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length >= 16) {
        COPY_ENDS(vector);
    } else if (length >= 8) {
        COPY_ENDS(word8);
    } else if (length >= 4) {
        COPY_ENDS(word4);
    } else if (length >= 2) {
        COPY_ENDS(word2);
    } else if (length == 1) {
        *to = *from;
    }
}

/* 33 to 128 bytes. */
INLINE void copy_medium(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length <= 64) {
        vector first = load(from), second = load(from + 16);
        vector third = load(from + length - 32);
        vector fourth = load(from + length - 16);
        store(to, first);
        store(to + 16, second);
        store(to + length - 32, third);
        store(to + length - 16, fourth);
    } else {
        struct quad first = load64(from);
        struct quad last = load64(from + length - 64);
        store64(to, first);
        store64(to + length - 64, last);
    }
}

/* The head and the tail are loaded first: the loop may overwrite them where
 * source and target overlap. Stores are aligned. */
INLINE void copy_up(uint8_t *to, const uint8_t *from, size_t length)
{
    vector head = load(from);
    struct quad tail = load64(from + length - 64);
    size_t at = 16 - ((uintptr_t)to & 15);
    struct quad next = load64(from + at);
    store(to, head);
    while (at + 64 < length - 64) {
        store64(to + at, next);
        at += 64;
        next = load64(from + at);
    }
    store64(to + at, next);
    store64(to + length - 64, tail);
}

INLINE void copy_down(uint8_t *to, const uint8_t *from, size_t length)
{
    struct quad head = load64(from);
    size_t left = length;
    while (left > 64) {
        struct quad next = load64(from + left - 64);
        store64(to + left - 64, next);
        left -= 64;
    }
    store64(to, head);
}

/* 16 bytes and more. */
INLINE void fill_vectors(uint8_t *to, uint8_t byte, size_t length)
{
    vector value = (vector){0} + byte;
    for (size_t at = 0; at + 16 < length; at += 16) {
        store(to + at, value);
    }
    store(to + length - 16, value);
}

#if defined(__x86_64__)
INLINE void copy_long(uint8_t *to, const uint8_t *from, size_t length)
{
    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(from), "+c"(length)
                     :
                     : "memory");
}

INLINE void fill_long(uint8_t *to, uint8_t byte, size_t length)
{
    __asm__ volatile("rep stosb"
                     : "+D"(to), "+c"(length)
                     : "a"(byte)
                     : "memory");
}
#else
#define copy_long copy_up
#define fill_long fill_vectors
#endif

void *memmove(void *to, const void *from, size_t length)
{
    uintptr_t ahead = (uintptr_t)to - (uintptr_t)from;
    if (length <= 32) {
        copy_small(to, from, length);
    } else if (length <= 128) {
        copy_medium(to, from, length);
    } else if (ahead < length) {
        copy_down(to, from, length); /* the target begins inside the source */
    } else if (length >= LONG_COPY_BYTES && -ahead >= length) {
        copy_long(to, from, length);
    } else {
        copy_up(to, from, length);
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t length)
    __attribute__((alias("memmove")));

void *memset(void *to, int value, size_t length)
{
    uint8_t *at = to;
    uint8_t byte = (uint8_t)value;
    if (length >= LONG_FILL_BYTES) {
        fill_long(at, byte, length);
    } else if (length >= 16) {
        fill_vectors(at, byte, length);
    } else if (length >= 8) {
        *(word8 *)at = UINT64_C(0x0101010101010101) * byte;
        *(word8 *)(at + length - 8) = UINT64_C(0x0101010101010101) * byte;
    } else {
        while (length > 0) {
            at[--length] = byte;
        }
    }
    return to;
}

/* Compared as big-endian numbers, words order as their bytes do. */
INLINE int compare_words(uint64_t left, uint64_t right)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    left = __builtin_bswap64(left);
    right = __builtin_bswap64(right);
#endif
    return (left > right) - (left < right);
}

INLINE uint64_t load_word(const uint8_t *from)
{
    return *(const word8 *)from;
}

int memcmp(const void *left_bytes, const void *right_bytes, size_t length)
{
    const uint8_t *left = left_bytes, *right = right_bytes;
    size_t at = 0;
    if (length >= 8) {
        for (; at + 8 <= length; at += 8) {
            if (load_word(left + at) != load_word(right + at)) {
                return compare_words(load_word(left + at),
                                     load_word(right + at));
            }
        }
        return compare_words(load_word(left + length - 8),
                             load_word(right + length - 8));
    }
    for (; at < length; at++) {
        if (left[at] != right[at]) {
            return left[at] - right[at];
        }
    }
    return 0;
}

int bcmp(const void *left, const void *right, size_t length)
{
    return memcmp(left, right, length);
}

/*
 * nesting.c: see nesting.h.
 */
#include "ingest/nesting.h"

#include <string.h>

enum {
    KEY_NONE,
    KEY_DUE, /* a brace has opened that matters, and nothing came behind it */
    KEY_INSIDE
};

void nesting_begin_array(struct nesting *nesting)
{
    nesting->key_known = false;
    nesting_begin_element(nesting);
}

void nesting_begin_element(struct nesting *nesting)
{
    nesting->depth = 0;
    nesting->in_string = nesting->escaped = nesting->matched = false;
    nesting->last = '\0';
    nesting->key_state = KEY_NONE;
}

bool nesting_is_outside(const struct nesting *nesting)
{
    return !nesting->depth && !nesting->in_string;
}

/* ---- levels -------------------------------------------------------------- */

static bool is_object(const struct nesting *nesting, int level)
{
    return level > 0 && level < NESTING_LEVELS &&
           (nesting->objects[level / 64] >> (level % 64) & 1);
}

static void open_level(struct nesting *nesting, bool object)
{
    int level = ++nesting->depth;
    if (level >= NESTING_LEVELS)
        return;
    uint64_t bit = (uint64_t)1 << (level % 64);
    uint64_t *word = &nesting->objects[level / 64];
    *word = object ? *word | bit : *word & ~bit;
    nesting->marks[level] = 0;
}

/* Closes what it matches, with what was left open inside; nothing where it
 * matches nothing. */
static void close_level(struct nesting *nesting, bool object)
{
    int level = nesting->depth;
    while (level > 0 && level < NESTING_LEVELS &&
           is_object(nesting, level) != object)
        level--;
    nesting->matched = level > 0;
    if (nesting->matched)
        nesting->depth = level - 1;
}

static void open_bracket(struct nesting *nesting, char bracket, char before,
                         uint64_t offset)
{
    bool inside_object = is_object(nesting, nesting->depth);
    bool misplaced = inside_object && before != ':';
    bool sibling = nesting->depth > 0 && !inside_object && before == ',';
    bool first = !nesting->depth && !nesting->key_known;
    open_level(nesting, bracket == '{');
    nesting->key_state = KEY_NONE;
    if (bracket != '{' || nesting->depth >= NESTING_LEVELS)
        return;
    if (first || (nesting->key_known && (misplaced || sibling)))
        nesting->key_state = KEY_DUE;
    nesting->certain = misplaced;
    nesting->brace = offset;
}

/* ---- keys ---------------------------------------------------------------- */

static bool is_first_key(const struct nesting *nesting)
{
    return !nesting->key_known;
}

static void begin_key(struct nesting *nesting)
{
    nesting->key_state = KEY_INSIDE;
    nesting->key_at = 0;
    nesting->differs = false;
}

static void take_key(struct nesting *nesting, char c)
{
    size_t at = nesting->key_at++;
    if (at >= NESTING_KEY_BYTES)
        nesting->differs = true;
    else if (is_first_key(nesting))
        nesting->key[at] = c;
    else
        nesting->differs |= at >= nesting->key_length || nesting->key[at] != c;
}

/* True where the key shows that the next element has begun. */
static bool end_key(struct nesting *nesting)
{
    nesting->key_state = KEY_NONE;
    if (is_first_key(nesting)) {
        nesting->key_length = nesting->key_at;
        nesting->key_known = !nesting->differs;
        return false;
    }
    if (nesting->differs || nesting->key_at != nesting->key_length)
        return false;
    uint64_t *mark = &nesting->marks[nesting->depth - 1];
    if (!nesting->certain && !*mark)
        *mark = nesting->brace;
    return nesting->certain;
}

/* ---- bytes --------------------------------------------------------------- */

static bool follow_string(struct nesting *nesting, char c)
{
    bool inside_key = nesting->key_state == KEY_INSIDE;
    if (nesting->escaped) {
        nesting->escaped = false;
    } else if (c == '\\') {
        nesting->escaped = true;
    } else if (c == '"' || c == '\n') {
        nesting->in_string = false;
        return inside_key && end_key(nesting);
    }
    if (inside_key)
        take_key(nesting, c);
    return false;
}

bool nesting_follow(struct nesting *nesting, char c, uint64_t offset)
{
    if (nesting->in_string)
        return follow_string(nesting, c);
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
        return false;
    char before = nesting->last;
    nesting->last = c;
    if (c == '"') {
        nesting->in_string = true;
        if (nesting->key_state == KEY_DUE)
            begin_key(nesting);
        return false;
    }
    nesting->key_state = KEY_NONE;
    if (c == '{' || c == '[')
        open_bracket(nesting, c, before, offset);
    else if (c == '}' || c == ']')
        close_level(nesting, c == '}');
    return false;
}

/* The array's own ']' was taken for that of a list in the element; what began
 * behind the commas of that list were elements of the array. Where it matched
 * nothing, the next level is none of this element's: its mark is an earlier
 * one's. */
bool nesting_was_unclosed(const struct nesting *nesting, uint64_t *offset)
{
    if (!nesting->depth || nesting->in_string || nesting->last != ']')
        return false;
    for (int level = 1; level <= nesting->depth + nesting->matched; level++) {
        if (level >= NESTING_LEVELS)
            return false;
        if (!is_object(nesting, level) && nesting->marks[level]) {
            *offset = nesting->marks[level];
            return true;
        }
    }
    return false;
}

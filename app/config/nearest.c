/*
 * nearest.c: which known word was meant by an unknown one.
 *
 * Distance counts insertions, deletions, replacements and swaps of neighbours
 * (optimal string alignment): the four slips of a typist. A word is near when
 * at most a third of it changed, or when it merely was not finished.
 */
#include "config/config.h"

#include <string.h>

enum { WORD_MAX_BYTES = 63 };

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Three rows of the usual table are enough; words are cut by the caller. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX_BYTES + 1] = {0};
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = least_of(best, above[j] + 1);
            best = least_of(best, row[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least_of(best, two_above[j - 2] + 1);
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

/* Zero for the same word; 1 for an unfinished one, as for one slip. */
static size_t unlikeness(const char *word, const char *known)
{
    size_t length = strlen(word);
    if (length >= 3 && strncmp(word, known, length) == 0)
        return known[length] ? 1 : 0;
    return distance(word, known);
}

const char *nearest_word(const char *word, const char *const *words,
                         size_t count)
{
    const char *best = NULL;
    size_t length = strlen(word);
    if (!length || length > WORD_MAX_BYTES)
        return NULL;
    size_t best_unlikeness = (length + 2) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) > WORD_MAX_BYTES)
            continue;
        size_t found = unlikeness(word, words[i]);
        if (found < best_unlikeness) {
            best_unlikeness = found;
            best = words[i];
        }
    }
    return best;
}

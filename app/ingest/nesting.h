/*
 * nesting.h: where in an element of a JSON array a reader stands, and where
 * the next element begins although this one was not closed. Private to this
 * room; pure.
 *
 * An element that lacks a bracket would take all that follow along. Two signs
 * give it away, and neither can stand in an element that is whole:
 *
 *     - inside an object an opening brace stands where only a key may, or a
 *       closing one meets an open '[': the brackets between were forgotten;
 *     - the array ends, and the element is still open.
 *
 * The next element then begins at a brace whose object has the same first key
 * as the array's first object ("id", mostly). Where there is no such brace
 * nothing is guessed.
 */
#ifndef ASSAY_INGEST_NESTING_H
#define ASSAY_INGEST_NESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deeper ones are only counted. */
enum { NESTING_LEVELS = 192, NESTING_KEY_BYTES = 64 };

struct nesting {
    /* of the element */
    int depth;
    bool in_string;
    bool escaped;
    bool matched; /* by the closing bracket read last */
    char last;    /* outside of strings, and no white space */
    uint64_t objects[NESTING_LEVELS / 64]; /* a bit a level; else an array */
    uint64_t marks[NESTING_LEVELS]; /* the first brace behind a comma at this
                                       level, whose key fits; 0 for none */
    /* of the brace read last */
    int key_state;
    size_t key_at;
    bool differs;
    bool certain; /* it stands where only a key may */
    uint64_t brace;
    /* of the array */
    bool key_known;
    char key[NESTING_KEY_BYTES];
    size_t key_length;
};

/* A new array, and a new element of it. */
void nesting_begin_array(struct nesting *nesting);
void nesting_begin_element(struct nesting *nesting);

/* Whether a comma or a ']' would end the element. */
bool nesting_is_outside(const struct nesting *nesting);

/* Takes byte C, which is number OFFSET of the element. True where the element
 * has certainly ended before nesting->brace, with which the next one begins. */
bool nesting_follow(struct nesting *nesting, char c, uint64_t offset);

/* At the end of the input, which stands in the element: true where the array
 * was closed and the element was not, and the next began at *OFFSET. */
bool nesting_was_unclosed(const struct nesting *nesting, uint64_t *offset);

#endif

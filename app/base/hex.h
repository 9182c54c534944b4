/*
 * hex.h: reading hexadecimal, digits of either case. hash.h writes it.
 */
#ifndef ASSAY_BASE_HEX_H
#define ASSAY_BASE_HEX_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0 to 15, or -1. */
int hex_digit(char c);

/* Exactly LENGTH bytes from twice as many digits. False, and BYTES in any
 * state, where TEXT is anything else. */
bool hex_decode(struct text text, uint8_t *bytes, size_t length);

#endif

/*
 * random.h: unpredictable bytes from the kernel (getrandom), for tokens and
 * seeds. Tests and simulations use their own seeded generators.
 */
#ifndef ASSAY_BASE_RANDOM_H
#define ASSAY_BASE_RANDOM_H

#include <stddef.h>

/* Fills BYTES; ends the process where the kernel has none to give. */
void random_bytes(void *bytes, size_t length);

#endif

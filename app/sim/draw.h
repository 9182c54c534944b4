/*
 * draw.h: chance for the simulation, the same for the same seed.
 *
 * Every decision has a stream of numbers of its own, named by the seed and by
 * what it is about (an orchestrator's place, a job's number, a purpose), so
 * that what one run draws does not depend on what others drew before it, nor
 * on threads or timing.
 */
#ifndef ASSAY_SIM_DRAW_H
#define ASSAY_SIM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

struct draw {
    uint64_t state;
};

/* The stream called PURPOSE, A, B under SEED. */
struct draw draw_from(uint64_t seed, const char *purpose, uint64_t a,
                      uint64_t b);

uint64_t draw_bits(struct draw *draw);
/* Evenly in [0, 1). */
double draw_unit(struct draw *draw);
/* Evenly among 0 to COUNT - 1; COUNT is not 0. */
uint64_t draw_below(struct draw *draw, uint64_t count);
/* True with PROBABILITY. */
bool draw_chance(struct draw *draw, double probability);

enum distribution_shape {
    SHAPE_CONSTANT,
    SHAPE_UNIFORM,    /* within mean +- sqrt(3) deviations */
    SHAPE_NORMAL,     /* cut at four deviations */
    SHAPE_EXPONENTIAL /* the mean alone counts */
};

/* The words for them, as a scenario has them. */
#define DISTRIBUTION_SHAPES "constant|uniform|normal|exponential"

struct distribution {
    int shape; /* enum distribution_shape */
    double mean;
    double deviation;
};

/* Never below zero. */
double draw_from_distribution(struct draw *draw,
                              const struct distribution *distribution);

#endif

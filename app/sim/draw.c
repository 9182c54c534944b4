/*
 * draw.c: see draw.h. The generator is splitmix64 (Steele, Lea, Flood 2014):
 * one addition and three mixing steps, and any state is a good start.
 */
#include "sim/draw.h"

#include <math.h>

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

struct draw draw_from(uint64_t seed, const char *purpose, uint64_t a,
                      uint64_t b)
{
    uint64_t state = mix(seed);
    for (; *purpose; purpose++)
        state = mix(state ^ (unsigned char)*purpose);
    state = mix(state ^ a);
    return (struct draw){mix(state + mix(b))};
}

uint64_t draw_bits(struct draw *draw)
{
    draw->state += 0x9e3779b97f4a7c15u;
    return mix(draw->state);
}

double draw_unit(struct draw *draw)
{
    return (double)(draw_bits(draw) >> 11) * 0x1p-53;
}

uint64_t draw_below(struct draw *draw, uint64_t count)
{
    return (uint64_t)(draw_unit(draw) * (double)count);
}

bool draw_chance(struct draw *draw, double probability)
{
    return draw_unit(draw) < probability;
}

/* Box and Muller's, one of its two numbers. */
static double draw_normal(struct draw *draw)
{
    static const double most = 4;
    double radius = sqrt(-2 * log(1 - draw_unit(draw)));
    double value = radius * cos(2 * 3.14159265358979323846 * draw_unit(draw));
    return fmax(-most, fmin(most, value));
}

double draw_from_distribution(struct draw *draw,
                              const struct distribution *distribution)
{
    double mean = distribution->mean;
    double deviation = distribution->deviation;
    double value = mean;
    switch ((enum distribution_shape)distribution->shape) {
    case SHAPE_CONSTANT:
        break;
    case SHAPE_UNIFORM:
        value += (2 * draw_unit(draw) - 1) * sqrt(3) * deviation;
        break;
    case SHAPE_NORMAL:
        value += draw_normal(draw) * deviation;
        break;
    case SHAPE_EXPONENTIAL:
        value = -mean * log(1 - draw_unit(draw));
        break;
    }
    return value > 0 ? value : 0;
}

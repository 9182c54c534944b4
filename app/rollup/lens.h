/*
 * lens.h: the definitions by which the same evidence is folded.
 *
 * The published lens does what the publisher's code does. Its documents promise
 * something else in a score of places; each such departure is a switch that
 * turns the documented definition on. A lens is a set of switches: none is
 * `published`, all are `assay`, and published with exactly one says what that
 * departure costs or gives an orchestrator.
 *
 * Every pure function of the fold takes the lens it works by. A switch acts at
 * one place, named in lens.c, and says there what it computes; so there is one
 * fold, not two. Turned down: a second fold for the second lens, because two
 * would drift apart, and no single departure could be looked at alone.
 *
 * A lens other than `published` is always folded as one pass over everything
 * (whole.c): passes by day are themselves a departure.
 */
#ifndef ASSAY_ROLLUP_LENS_H
#define ASSAY_ROLLUP_LENS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they act along the fold. */
enum lens_switch {
    LENS_DEDUP_FIRST,
    LENS_LATE_SNAPSHOT,
    LENS_MULTI_GPU,
    LENS_LOADING_ONLY_DOCUMENTED,
    LENS_HEALTH_FIRST_PROCESSED,
    LENS_PTFF_FROM_REQUEST,
    LENS_E2E_DOCUMENTED,
    LENS_TAIL_ARTEFACT_KEPT,
    LENS_SESSION_COUNTED_ONCE,
    LENS_INFERRED_SWAPS,
    LENS_SWAP_CHARGED_TO_LEFT,
    LENS_FPS_WITHOUT_ZEROS,
    LENS_EXCUSED_NOT_COUNTED,
    LENS_MERGED_BENCHMARK,
    LENS_NAN_DAY_NEUTRAL,
    LENS_NO_ROW_GATE,
    LENS_SWITCHES /* how many there are */
};

struct lens {
    uint32_t switches; /* bit n for switch n */
};

extern const struct lens lens_published; /* none */
extern const struct lens lens_assay;     /* all */

bool lens_has(const struct lens *lens, enum lens_switch which);
/* LENS with WHICH turned on or off. */
struct lens lens_with(struct lens lens, enum lens_switch which, bool on);
bool lens_is_published(const struct lens *lens);
bool lens_is_assay(const struct lens *lens);

/* What one switch is: texts for help, for `assay metrics` and for the method
 * page; none is null. */
struct lens_departure {
    const char *name;      /* "ptff_from_request" */
    const char *source;    /* where the documents say it */
    const char *published; /* what the publisher's code does */
    const char *formula;   /* what the switch computes instead */
    const char *effect;    /* what it changes, and whom it helps or costs */
};
extern const struct lens_departure lens_departures[LENS_SWITCHES];
/* All of them as an array of objects. */
void lens_departures_write(struct json_writer *writer);

/* LENS_SWITCHES for none of that name. */
enum lens_switch lens_switch_named(const char *name, size_t length);

/*
 * Turns the switches in NAMES, a list parted by commas and spaces, on or off in
 * LENS. ERR_USAGE, naming the nearest switch, for a name there is none of.
 */
MUST_USE enum err lens_turn(struct lens *lens, const char *names, bool on);

#endif

/*
 * offer.h: asking for capabilities, and reading what is offered
 * (livepeer-protocols.md §2.2 and §2.4).
 */
#ifndef ASSAY_LIVEPEER_OFFER_H
#define ASSAY_LIVEPEER_OFFER_H

#include "base/arena.h"
#include "livepeer/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CAPABILITY_LIVE_VIDEO = 35 }; /* live-video-to-video */

/* The least that asks for MODEL: one capacity and one constraint, no bits, as
 * current gateways send it. Lives in ARENA, which MODEL must outlive. */
const struct capabilities *capabilities_for_model(struct arena *arena,
                                                  uint32_t capability,
                                                  struct text model);

bool capabilities_have_bit(const struct capabilities *capabilities,
                           uint32_t capability);

/* What is offered of MODEL under CAPABILITY; null where it is not, or where
 * there are no capabilities at all (null). Of equal keys the last counts. */
const struct model_offer *offer_of_model(const struct capabilities *offered,
                                         uint32_t capability,
                                         struct text model);

/* The price of MODEL among the prices per capability, null where none is
 * stated. */
const struct price_info *price_of_model(const struct orchestrator_info *info,
                                        uint32_t capability, struct text model);

/*
 * Null where an orchestrator that offers OFFERED takes jobs that want WANTED;
 * else why not, as a clause. Versions are compared as semantic ones, what
 * follows a '-' is left out.
 */
const char *capabilities_misfit(const struct capabilities *wanted,
                                const struct capabilities *offered);

/* Whether VERSION is at least LEAST: true where LEAST is empty, else false
 * where VERSION is empty, "undefined" or no version. */
bool version_reaches(struct text version, struct text least);

#endif

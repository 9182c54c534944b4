/*
 * refusal.h: what the errors of orchestrators and signers mean for a run.
 *
 * Orchestrators answer with few codes and many texts, so texts decide. Whose
 * fault it is follows from the reason (journal/run.h).
 */
#ifndef ASSAY_PROBE_REFUSAL_H
#define ASSAY_PROBE_REFUSAL_H

#include "base/buf.h"
#include "journal/journal.h"

/* GetOrchestrator with a grpc-status other than 0. go-livepeer's own are all
 * UNKNOWN, and only the message tells. DEADLINE_EXCEEDED is what a gRPC library
 * answers by itself when the deadline that we sent is over: it may come just
 * before our own clock says the same, and is the same. */
enum reason call_refusal(int status, struct text message);

/* POST /live-video-to-video or POST /payment with a status other than 200. */
enum reason job_refusal(int status, struct text body);

#endif

/*
 * gateway.h: a gateway of the sandbox network: sessions of users at its
 * orchestrators, and the telemetry that a gateway emits about them.
 *
 * The sessions are real as far as an orchestrator goes: they take containers,
 * publish frames in real time and read output and events; only the network
 * between is left out, because the gateway stands in the same process. What it
 * reports is what it saw, with one exception: of the orchestrator that it
 * flatters it reports more frames, shorter waits and no failures.
 *
 * Its clock may run faster than the world's: instants are scaled, durations
 * within a session are not.
 *
 * It listens like a gateway's own port: GET /getNetworkCapabilities, and GET
 * /orchestrators, a list as gateways fetch it from a webhook.
 */
#ifndef ASSAY_SIM_GATEWAY_H
#define ASSAY_SIM_GATEWAY_H

#include "sim/network.h"
#include "sim/telemetry.h"

enum { HOUR_S = 3600 };

struct gateway_settings {
    const char *host;
    int64_t sessions;        /* of each orchestrator at once; 0: no telemetry */
    int64_t hour_s;          /* how long an hour lasts; HOUR_S: as it does */
    int64_t clock_start_ms;  /* what its clock says at the next instant */
    int64_t clock_origin_us; /* monotonic; 0: when it starts */
    const char *flattered;   /* the name of an orchestrator; "" for none */
    const char *events_path;
    struct telemetry_target targets[TELEMETRY_TARGETS_MAX];
    size_t target_count;
};

struct gateway {
    struct network *network;
    struct server *server;
    struct telemetry *telemetry; /* null without sessions */
    char url[URL_BYTES];
    char address[ETHEREUM_ADDRESS_TEXT_BYTES]; /* its own */
    int64_t sessions;
    double speed; /* its clock's seconds in one of the world's */
    int64_t clock_start_ms;
    int64_t clock_origin_us;
    const struct orchestrator *flattered; /* null for none */
    struct session *open;                 /* sessions under way */
    uint64_t session_count;
    struct loop_timer begin;    /* the next session, if its time has come */
    struct loop_timer snapshot; /* of capabilities */
    struct loop_timer discovery;
    struct clip clip;
};

/* Any thread, as close, which must come before the orchestrators'. */
MUST_USE enum err gateway_open(struct gateway *gateway, struct network *network,
                               const struct gateway_settings *settings);
MUST_USE enum err gateway_close(struct gateway *gateway);

/* What its clock says at a monotonic instant. */
int64_t gateway_time_ms(const struct gateway *gateway, int64_t monotonic_us);

/* One orchestrator as /getNetworkCapabilities lists it (§1.5). */
void listing_add(struct json_writer *writer, struct orchestrator *orchestrator);

/* ---- session.c ----------------------------------------------------------- */

struct session;

void session_start(struct gateway *gateway, struct orchestrator *orchestrator);
/* Ends it at once, as if its user had left; IS_CUT: because the gateway ends.
 */
void session_end(struct session *session, bool is_cut);
/* Whose it is, and the next in the gateway's list. */
const struct orchestrator *session_orchestrator(const struct session *session);
struct session *session_after(const struct session *session);

#endif

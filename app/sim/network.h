/*
 * network.h: the sandbox network as its own files see it.
 *
 * A network has orchestrators; an orchestrator has a port, channels and
 * containers; a container runs a job; a job has four channels, a runner that
 * makes output of its input, and reports. Everything happens on one loop.
 */
#ifndef ASSAY_SIM_NETWORK_H
#define ASSAY_SIM_NETWORK_H

#include "livepeer/livepeer.h"
#include "media/media.h"
#include "sim/containers.h"
#include "sim/scenario.h"
#include "sim/truth.h"
#include "wire/wire.h"

enum {
    US_PER_MS = 1000,
    US_PER_S = 1000000,
    ID_BYTES = 9, /* eight hexadecimal digits */
    URL_BYTES = 160,
    SECRET_BYTES = 32
};

/* "https://127.0.0.1:40001", with brackets where they are needed. */
void url_write(char url[URL_BYTES], const char *scheme, const char *host,
               uint16_t port);

/* Which nonces were used with an orchestrator's tickets (payment.c). */
struct rand_uses {
    struct rand_use *list; /* owned, a ring */
    size_t count;
};

struct network {
    struct loop *loop;
    struct truth *truth;
    uint64_t seed;
    int64_t started_us;
    int64_t status_every_ms; /* at most; 0: as behaviours say */
    struct orchestrator *orchestrators;
    size_t orchestrator_count;
    bool is_open; /* all listen; before, nobody is answered */
};

struct orchestrator {
    struct network *network;
    size_t place; /* in the network's list */
    const struct behaviour *behaviour;
    const char *host;
    uint16_t port;
    struct server *server; /* null while it is out */
    struct trickle_server *trickle;
    struct loop_timer outage;                /* when one begins or ends */
    char url[URL_BYTES];                     /* "https://127.0.0.1:40001" */
    uint8_t address[ETHEREUM_ADDRESS_BYTES]; /* the recipient of tickets */
    uint8_t signing_address[ETHEREUM_ADDRESS_BYTES]; /* what it is asked as */
    uint8_t secret[SECRET_BYTES];                    /* of its auth tokens */
    struct containers containers;
    struct rand_uses rand_uses;   /* of its tickets */
    struct admission *admissions; /* under way */
    struct job *jobs;
    uint64_t job_count;     /* ever started, the next one's number */
    uint64_t session_count; /* auth tokens ever given out */
};

/* ---- orchestrator.c ------------------------------------------------------ */

/* Any thread. Where it fails, there is nothing to close; closing a zeroed one
 * does nothing. */
MUST_USE enum err orchestrator_open(struct orchestrator *orchestrator,
                                    struct network *network, size_t place,
                                    const struct behaviour *behaviour,
                                    const char *host, uint16_t port);
void orchestrator_close(struct orchestrator *orchestrator);

/* Answers whatever its port is asked. CONTEXT: a struct orchestrator. */
void orchestrator_handle(void *context, struct exchange *exchange);

/* Begins a line of truth about ORCHESTRATOR. */
struct json_writer *orchestrator_truth(struct orchestrator *orchestrator,
                                       const char *kind, int64_t at_us);

/* Answers with STATUS and SENTENCE as text, and says so in the truth. */
void orchestrator_refuse(struct orchestrator *orchestrator,
                         struct exchange *exchange, const char *what,
                         int status, const char *sentence);

/* ---- discovery.c: GetOrchestrator ---------------------------------------- */

void discovery_handle(struct orchestrator *orchestrator,
                      struct exchange *exchange);

/* The answer's message, its parts in ARENA: what it offers now, to one who
 * named CAPABILITIES (null for none). */
struct orchestrator_info offer_make(struct orchestrator *orchestrator,
                                    struct arena *arena,
                                    const struct capabilities *capabilities);

/* Whether TOKEN is one of ORCHESTRATOR's that has not expired; otherwise the
 * words that it refuses it with. */
const char *token_flaw(const struct orchestrator *orchestrator,
                       const struct auth_token *token);

/* ---- start.c: POST /live-video-to-video ---------------------------------- */

void start_handle(struct orchestrator *orchestrator, struct exchange *exchange);

#endif

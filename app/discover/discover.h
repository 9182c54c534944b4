/*
 * discover.h: finding orchestrators.
 *
 * Who is to be measured is told by what gateways are told by: a list, a file,
 * a webhook, a gateway's capabilities, a discovery endpoint. Each answer is
 * read into one list of URLs with what was said about them; several answers
 * are joined. One file here is one way of finding.
 *
 *     struct discovery found = {0};
 *     err = discovery_read(&found, DISCOVER_WEBHOOK, body);
 *     ... found.orchestrators[i].url ...   discovery_free(&found)
 *
 * A discoverer (at the end) does this with sources of the network, and again.
 *
 * Promises: answers come from strangers. They are bounded in bytes, entries
 * and depth; what is no orchestrator is left out and counted by its reason; one
 * orchestrator stands once, however often it is told. Nothing here connects to
 * an orchestrator: whether its address may be connected to is judged at the
 * moment of connecting (wire/address.h), since names can be made to mean
 * anything until then.
 *
 * Formats: livepeer-protocols.md §1.1 to §1.5.
 */
#ifndef ASSAY_DISCOVER_DISCOVER_H
#define ASSAY_DISCOVER_DISCOVER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/index.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DISCOVERY_BYTES_MAX = 8 << 20,   /* of one answer */
    DISCOVERY_ENTRIES_MAX = 10000,   /* orchestrators in one list */
    DISCOVERY_MODELS_MAX = 64,       /* of one orchestrator */
    DISCOVERY_GPUS_MAX = 64,         /* of one model */
    DISCOVERY_NAME_BYTES_MAX = 256,  /* of a model or GPU */
    DISCOVERY_CAPACITY_MAX = 1000000 /* larger numbers are cut to it */
};

/* Where orchestrators are found. */
enum discover_kind {
    DISCOVER_LIST,         /* "a.example:8935,b.example", as -orchAddr */
    DISCOVER_FILE,         /* one of these a line, # begins a comment */
    DISCOVER_WEBHOOK,      /* JSON as behind -orchWebhookUrl */
    DISCOVER_CAPABILITIES, /* JSON of a gateway's getNetworkCapabilities */
    DISCOVER_ENDPOINT      /* JSON of /discover-orchestrators or /discovery */
};
enum { DISCOVER_KIND_COUNT = DISCOVER_ENDPOINT + 1 };

/* "list", "file", "webhook", "capabilities", "discovery" */
const char *discover_kind_name(enum discover_kind kind);

/* ---- what is found ------------------------------------------------------- */

struct discovered_model {
    struct text pipeline; /* "live-video-to-video" */
    struct text model_id;
    bool warm;    /* said to be loaded; false where nothing was said */
    int64_t idle; /* jobs it has room for, or ABSENT_INT; live numbers
                     for live video, configured ones for other pipelines */
    int64_t busy; /* jobs it is at, or ABSENT_INT */
    struct text *gpu_ids;
    size_t gpu_count;
};

struct discovered {
    struct text url; /* scheme, host and port: "https://a.example:8935" */
    struct text orchestrator_address; /* that tickets are for: "0x" and forty
                                         small digits; "" where not told */
    struct text signing_address;      /* the same */
    struct discovered_model *models;  /* in the order they were told */
    size_t model_count;
    enum discover_kind source; /* that told of it first */
};

/* Why something of an answer is not in the list. */
enum discovery_skip {
    SKIP_NO_ENTRY,  /* an element that is no object */
    SKIP_NO_URL,    /* none, or an empty one */
    SKIP_WRONG_URL, /* unreadable, without host, with credentials ... */
    SKIP_DUPLICATE, /* told before; joined with it */
    SKIP_TOO_MANY,  /* beyond DISCOVERY_ENTRIES_MAX */
    SKIP_MODEL      /* a model or GPU without a usable name, or beyond a limit
                       of its own */
};
enum { DISCOVERY_SKIP_COUNT = SKIP_MODEL + 1 };

const char *discovery_skip_name(enum discovery_skip skip);

/* Zero-initialised is an empty list. Any thread, one at a time. */
struct discovery {
    struct arena arena; /* owns all texts */
    struct discovered *orchestrators;
    size_t count;
    uint64_t skipped[DISCOVERY_SKIP_COUNT];
    struct text_index urls; /* private: numbers are positions */
};

/*
 * Adds what BYTES tell: the text of a list, or what a file or an answer holds.
 * ERR_INPUT says why the whole cannot be read; then nothing was added.
 */
MUST_USE enum err discovery_read(struct discovery *found,
                                 enum discover_kind kind, struct text bytes);

/* Adds what MORE holds, its counts included. Where both tell capacities of one
 * model, those of FOUND stay. */
void discovery_join(struct discovery *found, const struct discovery *more);

void discovery_free(struct discovery *found);

/* ---- sources that are asked again ---------------------------------------- */

enum {
    DISCOVER_WEBHOOK_S = 3,  /* patience with a webhook (§1.2) */
    DISCOVER_ANSWER_S = 5,   /* and with the others (§1.4) */
    DISCOVER_REFRESH_S = 60, /* a source is asked no more often (§1.2) */
    DISCOVER_PROBLEM_BYTES = 256
};

struct discover_source {
    enum discover_kind kind;
    const char *place; /* the list itself, a path, or a URL; copied */
};

struct discoverer;
typedef void discover_done(void *context, struct discoverer *discoverer);

/* Of one loop, borrowed; may be null where no source is of the network. Their
 * policies decide which addresses a source may have. */
struct discover_clients {
    struct http_client *verified; /* knows authorities */
    /* For endpoints: orchestrators serve them with certificates that they made
     * themselves. Whoever stands between could tell other orchestrators, as the
     * endpoint itself could: what is told is no evidence of anything. */
    struct http_client *unverified;
};

/* Everything below happens on the clients' loop's thread. */
struct discoverer *discoverer_open(const struct discover_clients *clients,
                                   const struct discover_source *sources,
                                   size_t count);
/* Never from on_done; drops what is being asked. Null is allowed. */
void discoverer_close(struct discoverer *discoverer);

/*
 * Asks every source that was not asked within the last minute, all at once, and
 * tells when all have answered: before it returns where none is of the network.
 * While one refresh runs, another one only takes the place of its on_done.
 * NOW_US is that of clock_monotonic_us.
 */
void discoverer_refresh(struct discoverer *discoverer, int64_t now_us,
                        discover_done *on_done, void *context);

/* What source I told last; stays as it is when asking it again fails. */
const struct discovery *discoverer_list(const struct discoverer *discoverer,
                                        size_t i);
/* Why source I's last answer was none; "" where it was one. */
const char *discoverer_problem(const struct discoverer *discoverer, size_t i);
/* Adds the lists of all sources. */
void discoverer_join(const struct discoverer *discoverer,
                     struct discovery *found);

#endif

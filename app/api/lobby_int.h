/*
 * lobby_int.h: what the files of the lobby share. Private to them.
 *
 *     lobby.c         its thread: what has come, whose time is over
 *     lobby_guests.c  rows, lists, addresses and their turns
 *     lobby_worker.c  what workers ask of it
 *
 * Functions want the lobby's lock held, unless they say otherwise.
 */
#ifndef ASSAY_API_LOBBY_INT_H
#define ASSAY_API_LOBBY_INT_H

#include "api/beginning.h"
#include "api/lobby.h"

#include <pthread.h>
#include <stdint.h>

enum state {
    ABSENT,
    IDLE,    /* nothing of a request is there */
    STARTED, /* a part of a handshake or a header is there */
    READY,   /* waits for a worker */
    SERVED,  /* a worker holds it */
    LEAVING, /* the end is sent; what still comes is thrown away */
    STATES
};

enum {
    LOBBY_BUCKETS = 4096,
    /* Connections of which more is kept than a row: 40 KB each with TLS. Over
     * the most workers there can be, so that one can always be had. */
    LOBBY_BEGINNINGS_MAX = 512
};

struct guest {
    int64_t since_us;   /* in this state, or STARTED, with all its steps */
    int64_t started_us; /* when the request's first byte came; 0 for none */
    int previous;       /* in its list, or -1 */
    int next;
    uint16_t bucket;
    uint8_t state;
    uint32_t thrown_away_bytes;  /* when LEAVING */
    bool local;                  /* from this machine */
    struct beginning *beginning; /* or null; used by who holds the guest */
};

struct list {
    int first; /* or -1 */
    int last;
};

/* An address. */
struct bucket {
    uint32_t guests;
    uint32_t served;
    uint32_t beginnings;
    struct list ready;
    bool has_turn;      /* stands in the ring */
    uint16_t next_turn; /* the bucket behind it there */
};

struct lobby {
    struct lobby_limits limits;
    pthread_mutex_t mutex;
    pthread_t thread;
    int epoll;
    int wake;
    bool running;
    bool shut;
    struct guest *guests; /* by descriptor */
    size_t capacity;
    size_t count;
    size_t served;
    size_t beginnings;
    /* Read without the lock, too. */
    size_t ready;
    uint64_t key;              /* of the hash of addresses */
    struct list lists[STATES]; /* those who are READY stand in their bucket's */
    size_t turns;              /* buckets in the ring */
    uint16_t first_turn;
    uint16_t last_turn;
    struct bucket buckets[LOBBY_BUCKETS];
};

/* ---- lobby_guests.c ------------------------------------------------------ */

/* Who CONNECTION is, into GUEST; without the lock. */
void guest_identify(const struct lobby *lobby, int connection,
                    struct guest *guest);
/* Whether its address has as many connections as it may. */
bool guest_is_over_limit(const struct lobby *lobby, const struct guest *guest);

/* GUEST has the descriptor CONNECTION and begins to wait; where all places are
 * taken, another one goes. */
void guest_add(struct lobby *lobby, int connection, const struct guest *guest);
void guest_move(struct lobby *lobby, int connection, enum state state);
/* Closes it, which ends its being watched, too. */
void guest_drop(struct lobby *lobby, int connection);
/* The end is sent, and what still comes is thrown away for a moment. */
void guest_say_goodbye(struct lobby *lobby, int connection);

/* Memory for what cannot be peeked at; room is made for it, if need be. Called
 * without the lock, by the worker that holds the guest. */
void guest_need_beginning(struct lobby *lobby, int connection);
void guest_drop_beginning(struct lobby *lobby, int connection);

/* The next guest to get a worker, of the next address that has a guest ready
 * and less than SHARE workers; -1 for none. */
int guest_next_ready(struct lobby *lobby, size_t share);

/* ---- lobby.c ------------------------------------------------------------- */

/* For bytes to read, or, where our side is to send, for room to write. */
void lobby_watch(struct lobby *lobby, int connection, bool write);
/* Workers that are free get guests that are ready. */
void lobby_dispatch(struct lobby *lobby);

#endif

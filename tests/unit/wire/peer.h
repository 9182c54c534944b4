/*
 * peer.h: the other side of a connection, in a thread, as a test needs it:
 * it takes connections on a port of 127.0.0.1 and lets a function talk.
 */
#ifndef ASSAY_TESTS_PEER_H
#define ASSAY_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_HEARD_BYTES = 65536 };

struct peer {
    /* Talks on CONNECTION until it returns; the peer closes then. */
    void (*talk)(struct peer *peer, int connection);
    const char *say; /* for the talks below */
    int pause_us;
    unsigned port;
    /* Set by the peer; read after peer_stop. */
    char heard[PEER_HEARD_BYTES]; /* the first, of all connections */
    size_t heard_length;
    int connections;
    int64_t held_us; /* from all of the last request to its answer */

    /* Private. */
    int listener;
    volatile bool stopping;
    struct peer_guest *guests;
    void *thread;
};

void peer_start(struct peer *peer);
/* Ends the conversations that are going on. */
void peer_stop(struct peer *peer);

/* ---- talks --------------------------------------------------------------- */

/* Reads until END has come, and returns all that came since the call, until
 * the thread's next one; null where the other side has ended before. */
const char *peer_hear(struct peer *peer, int connection, const char *end);
bool peer_say(int connection, const char *text);

/* Answers each request with .say, after .pause_us. */
void peer_answers(struct peer *peer, int connection);
/* Answers the first with .say and ends. */
void peer_answers_once(struct peer *peer, int connection);
/* Says .say for ever, with .pause_us between. */
void peer_repeats(struct peer *peer, int connection);
/* Answers the head of the first, then repeats the rest (behind "|"). */
void peer_goes_on(struct peer *peer, int connection);
/* Says nothing at all. */
void peer_is_silent(struct peer *peer, int connection);

#endif

/*
 * stop.c: see stop.h.
 */
#include "cli/stop.h"

#include <signal.h>
#include <stddef.h>

enum { STOPS_MAX = 3 };

static volatile sig_atomic_t stops;

static void count(int signal_number)
{
    stops = stops + 1;
    if (stops == STOPS_MAX - 1)
        signal(signal_number, SIG_DFL);
}

void stop_catch(void)
{
    struct sigaction action = {.sa_handler = count};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int stop_count(void)
{
    return stops;
}

/* ---- servers ------------------------------------------------------------- */

static sigset_t stop_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

void stop_block(void)
{
    sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void stop_unblock(void)
{
    sigset_t signals = stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

void stop_wait(void)
{
    sigset_t signals = stop_signals();
    int signal_number;
    sigwait(&signals, &signal_number);
    /* A second one ends a server that cannot end itself. */
    stop_unblock();
}

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

/*
 * stop.h: Ctrl-C and SIGTERM during work that can be left at any point.
 *
 * Each signal counts one. Work looks at the count where it can stop; what asks
 * for a second one, as settling after a stopped import, remembers the count it
 * began with. A third ends the process as usual.
 */
#ifndef ASSAY_CLI_STOP_H
#define ASSAY_CLI_STOP_H

/* From now on the signals are counted; a system call they meet returns EINTR.
 */
void stop_catch(void);

/* Signals since then. */
int stop_count(void);

#endif

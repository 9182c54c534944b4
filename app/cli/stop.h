/*
 * stop.h: Ctrl-C and SIGTERM: during work that can be left at any point, and
 * for servers that run until they come.
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

/*
 * A server begins by blocking the signals, before it has any other thread, and
 * waits for one once it serves; after that they end the process as usual.
 *
 *     stop_block();
 *     ... start ...
 *     stop_wait();
 *     ... stop in order ...
 */
void stop_block(void);
void stop_wait(void);
/* As stop_wait, without waiting: where starting failed. */
void stop_unblock(void);

#endif

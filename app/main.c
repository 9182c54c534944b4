/*
 * main.c: the way in. What the process needs of the system is settled here;
 * everything else is cli/cli.c.
 */
#include "cli/cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/*
 * A process may be started with its standard files closed. The next file it
 * opens, a database perhaps, would then take the number of standard output
 * and be printed into. Each gap is filled with a file that refuses: what is
 * printed fails, as it should.
 */
static void fill_standard_files(void)
{
    for (int file = 0; file <= STDERR_FILENO; file++) {
        int flags = file == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", flags) != file)
            _exit(1);
    }
}

/* The C library's own buffer makes a system call of almost every row. */
static void widen_output(void)
{
    static char bytes[64 << 10];
    int mode = isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF;
    setvbuf(stdout, bytes, mode, sizeof bytes);
}

int main(int argc, char **argv)
{
    fill_standard_files();
    /* A reader that goes away is a failed write, not the end. */
    signal(SIGPIPE, SIG_IGN);
    widen_output();
    return cli_main(argc, argv);
}

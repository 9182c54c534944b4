/*
 * builtin_files.h: printing the files that the program brings, so that whoever
 * writes one of their own begins with one that works. Private to the commands.
 */
#ifndef ASSAY_CLI_BUILTIN_FILES_H
#define ASSAY_CLI_BUILTIN_FILES_H

#include "cli/cli.h"

/*
 * Prints the one of FILES whose name is argument AT of INVOCATION, to the byte,
 * or all their names where there is no such argument; with --json both with
 * their hashes. WHAT is "workflow", for messages.
 */
MUST_USE enum err print_builtin_files(const struct invocation *invocation,
                                      size_t at,
                                      const struct config_builtin *files,
                                      const char *what);

#endif

/*
 * builtin.h: files that a person could write, brought by the program.
 *
 * Each enters by .incbin, as the pages do; vendor/Makefile knows which object
 * depends on which files. Whoever names one that is not built in means a file.
 */
#ifndef ASSAY_CONFIG_BUILTIN_H
#define ASSAY_CONFIG_BUILTIN_H

#include "base/buf.h"
#include "base/err.h"

/* The bytes between SYMBOL and SYMBOL_end are those of the file at PATH, from
 * the top of the tree. */
#define BUILTIN_FILE(symbol, path)                                             \
    __asm__(".pushsection .rodata." #symbol ", \"a\"\n" #symbol                \
            ": .incbin \"" path "\"\n" #symbol "_end:\n"                       \
            ".popsection\n");                                                  \
    extern const char symbol[];                                                \
    extern const char symbol##_end[]

struct config_builtin {
    const char *name;
    const char *bytes;
    const char *end;
};

/*
 * The bytes of the one called NAME in LIST, which ends with a null name, or of
 * the file at the path NAME, which OWNED holds then. WHAT is "workflow", for
 * the message of ERR_CONFIG.
 */
MUST_USE enum err config_builtin_find(const struct config_builtin *list,
                                      const char *name, const char *what,
                                      struct buf *owned, struct text *bytes);

#endif

/*
 * version.c: `assay version`, which is also `assay --version`.
 *
 * Both macros come from the Makefile: the release from its first lines, the
 * libraries from vendor/lock.txt, so that what is printed is what was linked.
 */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/table.h"

#include <string.h>

#define COMPILER "C compiler " __VERSION__

#if defined(__x86_64__)
#define MACHINE "x86-64"
#elif defined(__aarch64__)
#define MACHINE "arm64"
#else
#define MACHINE "other"
#endif

void version_print(FILE *out)
{
    fprintf(out, "assay %s (%s)\n", ASSAY_VERSION, MACHINE);
    fprintf(out, "%s\n", ASSAY_LIBRARIES);
    fprintf(out, "%s\n", COMPILER);
}

/* "name version, name version" to {"name":"version",...}. */
static void add_libraries(struct json_writer *writer, struct arena *arena)
{
    json_begin(writer, '{');
    const char *at = ASSAY_LIBRARIES;
    while (*at) {
        size_t length = strcspn(at, ",");
        size_t name = strcspn(at, " ");
        if (name < length) {
            json_key(writer, arena_text(arena, at, name));
            json_text(writer, (struct text){at + name + 1, length - name - 1});
        }
        at += length;
        at += strspn(at, ", ");
    }
    json_end(writer, '}');
}

static void print_json(struct arena *arena)
{
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    json_begin(&writer, '{');
    json_key(&writer, "version");
    json_string(&writer, ASSAY_VERSION);
    json_key(&writer, "machine");
    json_string(&writer, MACHINE);
    json_key(&writer, "libraries");
    add_libraries(&writer, arena);
    json_key(&writer, "compiler");
    json_string(&writer, COMPILER);
    json_end(&writer, '}');
    printf("%s\n", buf_string(&line));
    buf_free(&line);
}

static enum err run(struct invocation *invocation)
{
    if (invocation->json)
        print_json(&invocation->arena);
    else
        version_print(stdout);
    return ERR_NONE;
}

const struct command command_version = {
    .name = "version",
    .summary = "print the version and what the program was built from",
    .about = "The first line is the release and the machine it was built for, "
             "the second names the libraries inside, the third the compiler.",
    .prints_json = true,
    .without_config = true,
    .run = run,
};

/*
 * builtin_files.c: see builtin_files.h.
 */
#include "cli/builtin_files.h"

#include "base/hash.h"
#include "base/json.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>

static struct text bytes_of(const struct config_builtin *file)
{
    return (struct text){file->bytes, (size_t)(file->end - file->bytes)};
}

static void print_json(const struct config_builtin *file, bool whole)
{
    struct text bytes = bytes_of(file);
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    struct buf line = {0};
    struct json_writer writer = {.out = &line};
    hash_sha256(bytes.data, bytes.length, hash);
    hash_hex(hash, sizeof hash, hex);
    json_begin(&writer, '{');
    json_member_string(&writer, "name", file->name);
    json_member_string(&writer, "sha256", hex);
    if (whole)
        json_member_text(&writer, "file", bytes);
    json_end(&writer, '}');
    puts(buf_string(&line));
    buf_free(&line);
}

static enum err nothing_called(const char *name,
                               const struct config_builtin *files,
                               const char *what)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (; files[count].name && count < NAMES_MAX; count++)
        names[count] = files[count].name;
    const char *near = nearest_word(name, names, count);
    return err_set(ERR_USAGE,
                   "no %s that is built in is called '%.60s'%s%s%s; without a "
                   "name all are listed",
                   what, name, near ? "; did you mean " : "", near ? near : "",
                   near ? "?" : "");
}

static enum err print_named(const struct invocation *invocation,
                            const char *name,
                            const struct config_builtin *files,
                            const char *what)
{
    const struct config_builtin *file = files;
    while (file->name && strcmp(file->name, name) != 0)
        file++;
    if (!file->name)
        return nothing_called(name, files, what);
    if (invocation->json)
        print_json(file, true);
    else
        fwrite(file->bytes, 1, bytes_of(file).length, stdout);
    return output_finish(stdout);
}

enum err print_builtin_files(const struct invocation *invocation, size_t at,
                             const struct config_builtin *files,
                             const char *what)
{
    if (at < invocation->argument_count)
        return print_named(invocation, invocation->arguments[at], files, what);
    for (const struct config_builtin *file = files; file->name; file++) {
        if (invocation->json)
            print_json(file, false);
        else
            puts(file->name);
    }
    return output_finish(stdout);
}

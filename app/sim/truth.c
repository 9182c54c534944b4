/*
 * truth.c: see truth.h.
 */
#include "sim/truth.h"
#include "base/arena.h"
#include "base/clock.h"
#include "sim/line_file.h"

#include <stdlib.h>

struct truth {
    struct line_file *file; /* null where nothing is kept */
    struct buf line;        /* being put together */
    struct json_writer writer;
};

enum err truth_open(struct truth **result, const char *path)
{
    struct truth *truth = memory_zeroed(1, sizeof *truth);
    truth->writer.out = &truth->line;
    enum err err = path ? line_file_open(&truth->file, path) : ERR_NONE;
    if (err) {
        free(truth);
        return err_wrap(err, "the truth");
    }
    *result = truth;
    return ERR_NONE;
}

enum err truth_close(struct truth *truth)
{
    enum err err = truth->file ? line_file_close(truth->file) : ERR_NONE;
    buf_free(&truth->line);
    free(truth);
    return err ? err_wrap(err, "the truth") : ERR_NONE;
}

bool truth_is_kept(const struct truth *truth)
{
    return truth->file != NULL;
}

struct json_writer *truth_begin(struct truth *truth, const char *kind,
                                int64_t at_us)
{
    struct json_writer *writer = &truth->writer;
    buf_clear(&truth->line);
    writer->need_comma = false;
    json_begin(writer, '{');
    json_member_string(writer, "kind", kind);
    json_member_int(writer, "at_us", at_us);
    json_member_int(writer, "wall_ms",
                    clock_wall_ms() - (clock_monotonic_us() - at_us) / 1000);
    return writer;
}

void truth_end(struct truth *truth)
{
    json_end(&truth->writer, '}');
    buf_add_byte(&truth->line, '\n');
    if (truth->file)
        line_file_add(truth->file,
                      (struct text){truth->line.data, truth->line.length});
}

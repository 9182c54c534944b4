/*
 * log.c: see log.h. A message is put together in full and leaves in a single
 * write, which is what keeps lines of several threads apart; no lock is held
 * while a terminal or a pipe is slow.
 *
 * Messages quote foreign bytes (names of files, lines of events). Control
 * characters leave as '?', so that nobody's telemetry moves our operator's
 * cursor.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 2000 };

/* What is known before a configuration is read. */
static _Atomic int least_level = LOG_INFO;
static atomic_bool as_json;

void log_setup(enum log_level least, bool json)
{
    atomic_store(&least_level, (int)least);
    atomic_store(&as_json, json);
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return names[level];
}

static void blank_controls(char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7f)
            *text = '?';
    }
}

/* What a person reads; the usual level goes without saying. */
static void add_plain(struct buf *line, enum log_level level, const char *text)
{
    buf_add_string(line, "assay: ");
    if (level != LOG_INFO)
        buf_printf(line, "%s: ", level_name(level));
    buf_add_string(line, text);
}

static void add_json(struct buf *line, enum log_level level, const char *text)
{
    char time[CLOCK_TEXT_BYTES];
    struct json_writer writer = {.out = line};
    json_begin(&writer, '{');
    json_key(&writer, "time");
    json_string(&writer, clock_text_ms(clock_wall_ms(), time));
    json_key(&writer, "level");
    json_string(&writer, level_name(level));
    json_key(&writer, "text");
    json_string(&writer, text);
    json_end(&writer, '}');
}

/* Where standard error is gone, nobody is left to be told. */
static void write_whole(const char *bytes, size_t length)
{
    while (length) {
        ssize_t wrote = write(STDERR_FILENO, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        bytes += wrote;
        length -= (size_t)wrote;
    }
}

void log_message(enum log_level level, const char *format, ...)
{
    if ((int)level < atomic_load(&least_level))
        return;
    /* The caller may look at errno after it has logged it. */
    int failure = errno;
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    blank_controls(text);
    struct buf line = {0};
    if (atomic_load(&as_json))
        add_json(&line, level, text);
    else
        add_plain(&line, level, text);
    buf_add_byte(&line, '\n');
    write_whole(line.data, line.length);
    buf_free(&line);
    errno = failure;
}

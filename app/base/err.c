/*
 * err.c: one sentence per thread, see err.h.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[1000];

enum err err_set(enum err code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return code;
}

enum err err_wrap(enum err code, const char *format, ...)
{
    char inner[sizeof message];
    memcpy(inner, message, sizeof inner);
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written + 2 >= sizeof message)
        return code;
    char *rest = message + written;
    size_t room = sizeof message - (size_t)written - 2;
    size_t length = strnlen(inner, room - 1);
    memcpy(rest, ": ", 2);
    memcpy(rest + 2, inner, length);
    rest[2 + length] = '\0';
    return code;
}

const char *err_message(void)
{
    return message;
}

int err_exit_code(enum err code)
{
    switch (code) {
    case ERR_NONE:
        return 0;
    case ERR_FINDING:
    case ERR_INPUT:
    case ERR_ABSENT:
    case ERR_GONE:
    case ERR_LARGE:
    case ERR_STOPPED:
        return 1;
    case ERR_USAGE:
    case ERR_CONFIG:
        return 2;
    case ERR_STORE:
    case ERR_LOCKED:
    case ERR_NEWER:
    case ERR_CORRUPT:
    case ERR_FULL:
        return 3;
    case ERR_NETWORK:
        return 4;
    case ERR_EVIDENCE:
        return 5;
    }
    return 3;
}

/*
 * control_targets.c: see control_targets.h.
 */
#include "sched/control_targets.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TARGETS_MAX = 32, BODY_BYTES_MAX = 64 << 10, DATE_BYTES = 29 };

struct asking {
    struct control_targets *targets;
    const char *url;
    struct http_exchange *exchange; /* null while it is not asked */
    int64_t sent_ms;
    int64_t date_ms; /* ABSENT_INT: it told none */
};

struct control_targets {
    struct arena arena;
    struct http_client *client;
    struct asking list[TARGETS_MAX];
    size_t count;
    size_t running;
    struct control_round round;
    void (*on_done)(void *context, const struct control_round *round);
    void *context;
};

/* ---- clocks -------------------------------------------------------------- */

bool control_date_read(struct text text, int64_t *ms)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4] = "";
    char iso[CLOCK_TEXT_BYTES];
    char date[DATE_BYTES + 1];
    int day, year, hour, minute, second;
    int used = 0;
    if (text.length != DATE_BYTES)
        return false;
    memcpy(date, text.data, DATE_BYTES);
    date[DATE_BYTES] = '\0';
    if (sscanf(date + 3, ", %2d %3s %4d %2d:%2d:%2d GMT%n", &day, month, &year,
               &hour, &minute, &second, &used) != 6 ||
        used != DATE_BYTES - 3)
        return false;
    const char *at = strstr(months, month);
    if (!at || (at - months) % 3 != 0)
        return false;
    int length =
        snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
                 (int)(at - months) / 3 + 1, day, hour, minute, second);
    return length > 0 && (size_t)length < sizeof iso &&
           clock_parse(iso, (size_t)length, ms);
}

bool control_round_narrow(struct control_round *round, int64_t date_ms,
                          int64_t sent_ms, int64_t came_ms)
{
    int64_t low = date_ms - came_ms;
    int64_t high = date_ms + MS_PER_SECOND - sent_ms;
    if (round->offset_known && round->offset_low_ms > low)
        low = round->offset_low_ms;
    if (round->offset_known && round->offset_high_ms < high)
        high = round->offset_high_ms;
    if (low > high)
        return false;
    round->offset_known = true;
    round->offset_low_ms = low;
    round->offset_high_ms = high;
    return true;
}

/* ---- asking -------------------------------------------------------------- */

static void finish_one(struct control_targets *targets)
{
    if (--targets->running)
        return;
    if (targets->round.offset_contradicted)
        targets->round.offset_known = false;
    targets->on_done(targets->context, &targets->round);
}

static void on_header(void *context, struct text name, struct text value)
{
    struct asking *asking = context;
    int64_t ms;
    if (name.length == 4 && !strncasecmp(name.data, "date", 4) &&
        control_date_read(value, &ms))
        asking->date_ms = ms;
}

static void on_done(void *context, const struct http_answer *answer)
{
    struct asking *asking = context;
    struct control_targets *targets = asking->targets;
    bool answered =
        answer->outcome == HTTP_ANSWERED || answer->outcome == HTTP_TOO_LARGE;
    asking->exchange = NULL;
    targets->round.failed += !answered;
    if (answered && asking->date_ms != ABSENT_INT &&
        !control_round_narrow(&targets->round, asking->date_ms, asking->sent_ms,
                              clock_wall_ms()))
        targets->round.offset_contradicted = true;
    finish_one(targets);
}

static void ask(struct asking *asking)
{
    struct http_request request = {.method = "GET",
                                   .url = asking->url,
                                   .fresh = true,
                                   .last = true,
                                   .limit_us = CONTROL_PATIENCE_US,
                                   .body_bytes = BODY_BYTES_MAX,
                                   .context = asking,
                                   .on_header = on_header,
                                   .on_done = on_done};
    asking->date_ms = ABSENT_INT;
    asking->sent_ms = clock_wall_ms();
    asking->exchange = http_start(asking->targets->client, &request);
}

void control_targets_ask(struct control_targets *targets,
                         void (*done)(void *context,
                                      const struct control_round *round),
                         void *context)
{
    targets->on_done = done;
    targets->context = context;
    targets->round = (struct control_round){.asked = (int64_t)targets->count};
    targets->running = targets->count;
    for (size_t i = 0; i < targets->count; i++)
        ask(&targets->list[i]);
}

/* ---- the list ------------------------------------------------------------ */

/* The next of URLS, without blanks around it; "" for none, null behind the
 * last. *URLS moves on. */
static const char *next_url(struct arena *arena, const char **urls)
{
    const char *at = *urls;
    if (!*at)
        return NULL;
    size_t length = strcspn(at, ",");
    *urls = at + length + (at[length] == ',');
    while (length && at[length - 1] == ' ')
        length--;
    size_t blank = strspn(at, " ");
    return blank < length ? arena_text(arena, at + blank, length - blank) : "";
}

enum err control_targets_check(const char *urls)
{
    struct arena arena = {0};
    struct url parsed;
    size_t count = 0;
    enum err err = ERR_NONE;
    const char *url;
    for (const char *at = urls; !err && (url = next_url(&arena, &at));) {
        if (!*url)
            continue;
        count++;
        if (url_parse(&arena, url, &parsed))
            err = err_wrap(ERR_CONFIG, "sched.control_targets: %.100s", url);
        else if (count > TARGETS_MAX)
            err = err_set(ERR_CONFIG,
                          "sched.control_targets names more than "
                          "%d",
                          TARGETS_MAX);
    }
    if (!err && *urls && !count)
        err = err_set(ERR_CONFIG, "sched.control_targets names none; leave it "
                                  "empty to have none");
    arena_free(&arena);
    return err;
}

enum err control_targets_open(struct control_targets **result,
                              struct http_client *client, const char *urls)
{
    struct control_targets *targets;
    const char *url;
    enum err err = control_targets_check(urls);
    if (err)
        return err;
    targets = memory_zeroed(1, sizeof *targets);
    targets->client = client;
    for (const char *at = urls; (url = next_url(&targets->arena, &at));)
        if (*url)
            targets->list[targets->count++] =
                (struct asking){.targets = targets, .url = url};
    *result = targets;
    return ERR_NONE;
}

void control_targets_close(struct control_targets *targets)
{
    if (!targets)
        return;
    for (size_t i = 0; i < targets->count; i++)
        if (targets->list[i].exchange)
            http_cancel(targets->list[i].exchange);
    arena_free(&targets->arena);
    free(targets);
}

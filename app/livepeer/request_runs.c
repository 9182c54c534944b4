/*
 * request_runs.c: see request_runs.h.
 *
 *     count of runs, then for each of them
 *         block        varint, step from the one before less one
 *         first_ts     varint, milliseconds after the hour's beginning
 *         span         varint, milliseconds to last_ts
 *         lines        count, then the step from one to the next less one
 *         names        count, then the step from one to the next less one
 *     removed          count, then steps between whole line numbers
 *
 * One byte a line, as long as fewer than 128 others lie between two.
 */
#include "livepeer/livepeer.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_OF_BLOCK = 1 << REQUEST_RUN_LINE_BITS, NAMES = 1 << 16 };

static const int64_t LINE_MAX = INT64_MAX >> 1;

/* ---- marks --------------------------------------------------------------- */

uint16_t request_name(struct text name)
{
    return (uint16_t)hash_fast(name.data, name.length);
}

static void add_name(struct request_mark *mark, struct text name)
{
    if (name.length)
        mark->names[mark->name_count++] = request_name(name);
}

struct request_mark request_mark_of(const struct request_event *event)
{
    struct request_mark mark = {.line = event->line, .ts = event->ts};
    if (event->kind != REQUEST_PAYMENT)
        return mark;
    add_name(&mark, event->address);
    if (event->request_id.length) {
        add_name(&mark, event->session_id);
        add_name(&mark, event->request_id);
    }
    return mark;
}

/* ---- runs of marks ------------------------------------------------------- */

static int64_t block_of(int64_t line)
{
    return line >> REQUEST_RUN_LINE_BITS;
}

static int compare_marks(const void *left, const void *right)
{
    const struct request_mark *a = left;
    const struct request_mark *b = right;
    return (a->line > b->line) - (a->line < b->line);
}

static int compare_lines(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static int compare_names(const void *left, const void *right)
{
    return *(const uint16_t *)left - *(const uint16_t *)right;
}

static size_t each_name_once(uint16_t *names, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++)
        if (!kept || names[kept - 1] != names[i])
            names[kept++] = names[i];
    return kept;
}

/* Of COUNT marks of one block, by line. */
static struct request_run run_of(struct arena *arena,
                                 const struct request_mark *marks, size_t count)
{
    struct request_run run = {.block = block_of(marks->line),
                              .first_ts = marks->ts,
                              .last_ts = marks->ts};
    run.lines = arena_array(arena, count, sizeof *run.lines);
    run.names =
        arena_array(arena, count * REQUEST_MARK_NAMES, sizeof *run.names);
    for (size_t i = 0; i < count; i++) {
        if (!i || marks[i].line != marks[i - 1].line)
            run.lines[run.line_count++] = marks[i].line;
        if (marks[i].ts < run.first_ts)
            run.first_ts = marks[i].ts;
        if (marks[i].ts > run.last_ts)
            run.last_ts = marks[i].ts;
        for (size_t k = 0; k < marks[i].name_count; k++)
            run.names[run.name_count++] = marks[i].names[k];
    }
    run.name_count = each_name_once(run.names, run.name_count);
    return run;
}

struct request_runs request_runs_of(struct arena *arena,
                                    struct request_mark *marks, size_t count,
                                    int64_t *removed, size_t removed_count)
{
    struct request_runs runs = {.removed = removed,
                                .removed_count = removed_count};
    if (count)
        qsort(marks, count, sizeof *marks, compare_marks);
    if (removed_count)
        qsort(removed, removed_count, sizeof *removed, compare_lines);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count &&
               block_of(marks[end].line) == block_of(marks[i].line))
            end++;
        runs.list = arena_grow(arena, runs.list, runs.count, sizeof *runs.list);
        runs.list[runs.count++] = run_of(arena, marks + i, end - i);
        i = end;
    }
    return runs;
}

/* ---- joining ------------------------------------------------------------- */

/* A and B are of one block. */
static struct request_run join_two(struct arena *arena,
                                   const struct request_run *a,
                                   const struct request_run *b)
{
    struct request_run run = {
        .block = a->block,
        .first_ts = a->first_ts < b->first_ts ? a->first_ts : b->first_ts,
        .last_ts = a->last_ts > b->last_ts ? a->last_ts : b->last_ts,
        .lost_some = a->lost_some || b->lost_some};
    run.lines =
        arena_array(arena, a->line_count + b->line_count, sizeof *run.lines);
    for (size_t i = 0, k = 0; i < a->line_count || k < b->line_count;) {
        bool from_b = i == a->line_count ||
                      (k < b->line_count && b->lines[k] < a->lines[i]);
        int64_t line = from_b ? b->lines[k++] : a->lines[i++];
        if (!run.line_count || run.lines[run.line_count - 1] != line)
            run.lines[run.line_count++] = line;
    }
    run.name_count = a->name_count + b->name_count;
    run.names = arena_array(arena, run.name_count, sizeof *run.names);
    if (a->name_count)
        memcpy(run.names, a->names, a->name_count * sizeof *run.names);
    if (b->name_count)
        memcpy(run.names + a->name_count, b->names,
               b->name_count * sizeof *run.names);
    run.name_count = each_name_once(run.names, run.name_count);
    return run;
}

static bool is_among(const int64_t *lines, size_t count, int64_t line)
{
    return count && bsearch(&line, lines, count, sizeof *lines, compare_lines);
}

/* Takes out of RUN what is removed; its arrays may be another's, too. */
static void take_out(struct arena *arena, struct request_run *run,
                     const struct request_runs *from)
{
    size_t kept = 0;
    if (!from->removed_count)
        return;
    int64_t *lines = arena_array(arena, run->line_count, sizeof *lines);
    for (size_t i = 0; i < run->line_count; i++)
        if (!is_among(from->removed, from->removed_count, run->lines[i]))
            lines[kept++] = run->lines[i];
    run->lost_some |= kept < run->line_count;
    run->lines = lines;
    run->line_count = kept;
}

static struct request_run next_run(struct arena *arena,
                                   const struct request_runs *a, size_t *i,
                                   const struct request_runs *b, size_t *k)
{
    if (*k == b->count ||
        (*i < a->count && a->list[*i].block < b->list[*k].block))
        return a->list[(*i)++];
    if (*i == a->count || b->list[*k].block < a->list[*i].block)
        return b->list[(*k)++];
    return join_two(arena, &a->list[(*i)++], &b->list[(*k)++]);
}

struct request_runs request_runs_join(struct arena *arena,
                                      const struct request_runs *a,
                                      const struct request_runs *b)
{
    struct request_runs all = {0};
    all.list = arena_array(arena, a->count + b->count, sizeof *all.list);
    for (size_t i = 0, k = 0; i < a->count || k < b->count;) {
        struct request_run run = next_run(arena, a, &i, b, &k);
        take_out(arena, &run, a);
        take_out(arena, &run, b);
        if (run.line_count)
            all.list[all.count++] = run;
    }
    return all;
}

bool request_run_may_hold(const struct request_run *run, int64_t from_ms,
                          int64_t until_ms, const uint16_t *names,
                          size_t name_count)
{
    if (run->last_ts < from_ms || run->first_ts >= until_ms)
        return false;
    for (size_t i = 0; i < name_count && run->name_count; i++)
        if (bsearch(&names[i], run->names, run->name_count, sizeof *run->names,
                    compare_names))
            return true;
    return !name_count;
}

/* ---- stored form --------------------------------------------------------- */

static void encode_run(struct buf *out, int64_t hour,
                       const struct request_run *run)
{
    int64_t before = (run->block << REQUEST_RUN_LINE_BITS) - 1;
    buf_add_varint(out, (uint64_t)(run->first_ts - hour));
    buf_add_varint(out, (uint64_t)(run->last_ts - run->first_ts));
    buf_add_varint(out, run->line_count);
    for (size_t i = 0; i < run->line_count; i++) {
        buf_add_varint(out, (uint64_t)(run->lines[i] - before - 1));
        before = run->lines[i];
    }
    buf_add_varint(out, run->name_count);
    for (size_t i = 0; i < run->name_count; i++)
        buf_add_varint(out, (uint64_t)(i ? run->names[i] - run->names[i - 1] - 1
                                         : run->names[i]));
}

void request_runs_encode(struct buf *out, int64_t hour,
                         const struct request_runs *runs)
{
    int64_t before = 0;
    buf_add_varint(out, runs->count);
    for (size_t i = 0; i < runs->count; i++) {
        buf_add_varint(out, (uint64_t)(runs->list[i].block - before));
        before = runs->list[i].block + 1;
        encode_run(out, hour, &runs->list[i]);
    }
    buf_add_varint(out, runs->removed_count);
    before = 0;
    for (size_t i = 0; i < runs->removed_count; i++) {
        buf_add_varint(out, (uint64_t)(runs->removed[i] - before));
        before = runs->removed[i];
    }
}

/* Of things that take at least a byte each. */
static size_t decode_count(struct reader *in)
{
    uint64_t count = read_varint(in);
    if (count <= (uint64_t)(in->end - in->at))
        return (size_t)count;
    in->failed = true;
    return 0;
}

/* FIRST, and every step past it, up to MOST; sets in->failed beyond. */
static int64_t decode_step(struct reader *in, int64_t first, int64_t most)
{
    uint64_t step = read_varint(in);
    if (first > most || step > (uint64_t)(most - first)) {
        in->failed = true;
        return most;
    }
    return first + (int64_t)step;
}

static void decode_lines(struct arena *arena, struct reader *in,
                         struct request_run *run)
{
    int64_t first = run->block << REQUEST_RUN_LINE_BITS;
    int64_t before = first - 1;
    run->line_count = decode_count(in);
    run->lines = arena_array(arena, run->line_count, sizeof *run->lines);
    for (size_t i = 0; i < run->line_count && !in->failed; i++)
        before = run->lines[i] =
            decode_step(in, before + 1, first + LINES_OF_BLOCK - 1);
    in->failed |= !run->line_count;
}

static void decode_names(struct arena *arena, struct reader *in,
                         struct request_run *run)
{
    int64_t before = -1;
    run->name_count = decode_count(in);
    run->names = arena_array(arena, run->name_count, sizeof *run->names);
    for (size_t i = 0; i < run->name_count && !in->failed; i++) {
        before = decode_step(in, before + 1, NAMES - 1);
        run->names[i] = (uint16_t)before;
    }
}

static void decode_removed(struct arena *arena, struct reader *in,
                           struct request_runs *runs)
{
    int64_t before = 0;
    runs->removed_count = decode_count(in);
    runs->removed =
        arena_array(arena, runs->removed_count, sizeof *runs->removed);
    for (size_t i = 0; i < runs->removed_count && !in->failed; i++)
        before = runs->removed[i] = decode_step(in, before, LINE_MAX);
}

bool request_runs_decode(struct arena *arena, struct text bytes, int64_t hour,
                         struct request_runs *runs)
{
    struct reader in = reader_over(bytes.data, bytes.length);
    int64_t before = 0;
    *runs = (struct request_runs){.count = decode_count(&in)};
    runs->list = arena_array(arena, runs->count, sizeof *runs->list);
    for (size_t i = 0; i < runs->count && !in.failed; i++) {
        struct request_run *run = &runs->list[i];
        int64_t end_ms = hour + MS_PER_HOUR - 1;
        run->block =
            decode_step(&in, before, LINE_MAX >> REQUEST_RUN_LINE_BITS);
        before = run->block + 1;
        run->first_ts = decode_step(&in, hour, end_ms);
        run->last_ts = decode_step(&in, run->first_ts, end_ms);
        decode_lines(arena, &in, run);
        decode_names(arena, &in, run);
    }
    decode_removed(arena, &in, runs);
    return !in.failed && in.at == in.end;
}

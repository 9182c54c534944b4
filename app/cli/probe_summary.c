/*
 * probe_summary.c: see probe_summary.h.
 *
 * Made for 80 columns. Colours only where the summary goes to a terminal and
 * the environment has no NO_COLOR; bars and sparkline need UTF-8, as all
 * terminals of today have it.
 *
 * Names, models and errors are the orchestrator's words: nothing of them
 * reaches the terminal as a control character.
 */
#include "cli/probe_summary.h"

#include "cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BAR_COLUMNS = 40,
    RATES_SHOWN = 48,
    LINES_SHOWN = 16, /* of each list that an orchestrator gives */
    FOREIGN_BYTES = 56,
    KEY_DIGITS_SHOWN = 40
};

#define LABEL "  %-17s"

enum ink { INK_PLAIN, INK_BOLD, INK_GREEN, INK_YELLOW, INK_RED };

static bool has_colours(FILE *out)
{
    const char *wish = getenv("NO_COLOR");
    return isatty(fileno(out)) && !(wish && *wish);
}

static void dip(FILE *out, enum ink ink)
{
    static const char *const codes[] = {[INK_PLAIN] = "0",
                                        [INK_BOLD] = "1",
                                        [INK_GREEN] = "1;32",
                                        [INK_YELLOW] = "1;33",
                                        [INK_RED] = "1;31"};
    if (has_colours(out))
        fprintf(out, "\033[%sm", codes[ink]);
}

static void print_foreign(FILE *out, struct text text)
{
    struct buf safe = {0};
    size_t length = text.length > FOREIGN_BYTES ? FOREIGN_BYTES : text.length;
    buf_add_for_terminal(&safe, (struct text){text.data, length});
    fwrite(safe.data, 1, safe.length, out);
    fputs(length < text.length ? "..." : "", out);
    buf_free(&safe);
}

/* ---- the verdict --------------------------------------------------------- */

static const char *meaning_of(const struct run *run)
{
    enum reason reason;
    return run->reason.data && reason_named(run->reason, &reason)
               ? reason_entry(reason)->meaning
               : "";
}

static enum ink ink_of(const struct run *run)
{
    if (text_is(run->outcome, outcome_name(OUTCOME_OK)))
        return INK_GREEN;
    return text_is(run->outcome, outcome_name(OUTCOME_FAILED)) ? INK_RED
                                                               : INK_YELLOW;
}

static void print_outcome(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    dip(out, ink_of(run));
    fprintf(out, "%.*s", (int)run->outcome.length, run->outcome.data);
    if (run->reason.data)
        fprintf(out, ", %.*s", (int)run->reason.length, run->reason.data);
    dip(out, INK_PLAIN);
    if (run->reason.data)
        fprintf(out, ": %s", meaning_of(run));
    fputc('\n', out);
    if (*result->detail) {
        struct buf safe = {0};
        buf_add_for_terminal(&safe, text_of(result->detail));
        fprintf(out, "  %s\n", buf_string(&safe));
        buf_free(&safe);
    }
}

static void print_heading(FILE *out, const struct run *run)
{
    dip(out, INK_BOLD);
    print_foreign(out, run->orchestrator_url);
    dip(out, INK_PLAIN);
    fprintf(out, "  %.*s", (int)run->kind.length, run->kind.data);
    if (run->model_id.data) {
        fputs("  ", out);
        print_foreign(out, run->model_id);
    }
}

/* ---- the timeline -------------------------------------------------------- */

static void print_bar(FILE *out, int64_t from_us, int64_t to_us, int64_t all_us)
{
    int from = (int)(from_us * BAR_COLUMNS / (all_us + 1));
    int to = (int)(to_us * BAR_COLUMNS / (all_us + 1));
    for (int i = 0; i < BAR_COLUMNS; i++) {
        if (i < from || i > to)
            fputs(" ", out);
        else
            fputs(to_us - from_us > all_us / BAR_COLUMNS ? "█" : "▏", out);
    }
}

static void print_timeline(FILE *out, const struct probe_result *result)
{
    int64_t all_us = 0;
    for (size_t i = 0; i < result->phase_count; i++) {
        if (result->phases[i].to_us > all_us)
            all_us = result->phases[i].to_us;
    }
    for (size_t i = 0; i < result->phase_count; i++) {
        const struct probe_phase *phase = &result->phases[i];
        fprintf(out, LABEL, phase->name);
        print_bar(out, phase->from_us, phase->to_us, all_us);
        fprintf(out, " %10.2f ms\n",
                (double)(phase->to_us - phase->from_us) / 1000);
    }
    if (result->phase_count)
        fputc('\n', out);
}

/* ---- figures ------------------------------------------------------------- */

/* "BEFORE 1.23 AFTER" behind a comma; nothing where it was not measured. */
static void add(struct buf *line, const char *before, double value, int digits,
                const char *after)
{
    if (!isnan(value))
        buf_printf(line, "%s%s%.*f%s", line->length ? ", " : "", before, digits,
                   value, after);
}

/* Prints LINE, if anything is in it, and frees it. */
static void print_line(FILE *out, const char *name, struct buf *line)
{
    if (line->length)
        fprintf(out, LABEL "%s\n", name, buf_string(line));
    buf_free(line);
}

static double number(int64_t value)
{
    return value == ABSENT_INT ? (double)NAN : (double)value;
}

/* The mean of the seconds that one column stands for. */
static double column_rate(const struct probe_result *result, size_t column,
                          size_t columns)
{
    size_t from = column * result->rate_count / columns;
    size_t to = (column + 1) * result->rate_count / columns;
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += result->rates[i];
    return sum / (double)(to - from);
}

static void print_rates(FILE *out, const struct probe_result *result)
{
    static const char *const steps[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t columns = result->rate_count < RATES_SHOWN ? result->rate_count
                                                      : (size_t)RATES_SHOWN;
    double most = 24;
    if (!columns)
        return;
    for (size_t i = 0; i < result->rate_count; i++)
        most = result->rates[i] > most ? result->rates[i] : most;
    fprintf(out, LABEL, "over time");
    for (size_t i = 0; i < columns; i++)
        fputs(steps[(int)(column_rate(result, i, columns) / most * 7.999)],
              out);
    fprintf(out, "  0 to %.0f fps\n", most);
}

static void print_frames(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    struct buf output = {0};
    struct buf frames = {0};
    add(&output, "", run->output_fps, 3, " fps");
    add(&output, "", run->input_fps, 3, " fps were sent");
    print_line(out, "output", &output);
    add(&frames, "", number(run->frames_out), 0, " came back");
    add(&frames, "", number(run->frames_in), 0, " were sent");
    print_line(out, "frames", &frames);
    print_rates(out, result);
}

static void print_measured(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    struct buf way = {0};
    struct buf start = {0};
    struct buf prompt = {0};
    struct buf jitter = {0};
    struct buf freeze = {0};
    struct buf latency = {0};
    add(&way, "connected in ", run->connect_ms, 2, " ms");
    add(&way, "TLS ", run->tls_ms, 2, " ms");
    add(&way, "answered in ", run->rpc_ms, 2, " ms");
    print_line(out, "call", &way);
    add(&start, "accepted in ", run->startup_ms, 1, " ms");
    print_line(out, "start", &start);
    add(&prompt, "", run->ptff_ms, 1, " ms after the prompt");
    add(&prompt, "playable after ", run->playable_ms, 1, " ms");
    print_line(out, "first frame", &prompt);
    print_frames(out, result);
    add(&jitter, "", run->jitter_interval, 4, " of frame intervals");
    add(&jitter, "", run->jitter_fps, 4, " of frames per second");
    print_line(out, "jitter", &jitter);
    add(&freeze, "", run->freeze_ms, 1, " ms");
    print_line(out, "longest freeze", &freeze);
    add(&latency, "p50 ", run->e2e_p50_ms, 1, " ms");
    add(&latency, "p95 ", run->e2e_p95_ms, 1, " ms");
    add(&latency, "p99 ", run->e2e_p99_ms, 1, " ms");
    if (run->e2e_reason.data)
        buf_printf(&latency, "not known: %.*s", (int)run->e2e_reason.length,
                   run->e2e_reason.data);
    print_line(out, "latency", &latency);
}

static void print_claims(FILE *out, const struct run *run)
{
    struct buf cost = {0};
    struct buf restarts = {0};
    if (run->reported_state.data) {
        fprintf(out, LABEL, "it claims");
        print_foreign(out, run->reported_state);
        if (!isnan(run->reported_fps))
            fprintf(out, ", %.3f fps", run->reported_fps);
        fputc('\n', out);
    }
    add(&restarts, "", number(run->restarts), 0, "");
    print_line(out, "restarts", &restarts);
    add(&cost, "", number(run->cost_wei), 0, " wei");
    print_line(out, "cost", &cost);
}

/* ---- what is offered ----------------------------------------------------- */

static void print_text(FILE *out, const char *name, struct text text)
{
    if (!text.data || !text.length)
        return;
    fprintf(out, LABEL, name);
    print_foreign(out, text);
    fputc('\n', out);
}

static void print_models(FILE *out, const struct capability_models *models)
{
    for (size_t i = 0; i < models->model_count && i < LINES_SHOWN; i++) {
        const struct model_offer *one = &models->models[i];
        fprintf(out, LABEL, i ? "" : "models");
        print_foreign(out, one->model_id);
        fprintf(out, ": %u idle, %u busy, %s\n", one->idle, one->busy,
                one->warm ? "warm" : "cold");
    }
}

static void print_prices(FILE *out, const struct orchestrator_info *info)
{
    for (size_t i = 0; i < info->capabilities_price_count && i < LINES_SHOWN;
         i++) {
        const struct price_info *one = &info->capabilities_prices[i];
        fprintf(out, LABEL "%lld wei for %lld pixels of ", i ? "" : "prices",
                (long long)one->price_per_unit,
                (long long)one->pixels_per_unit);
        print_foreign(out, one->constraint);
        fputc('\n', out);
    }
}

static void print_hardware(FILE *out, const struct orchestrator_info *info)
{
    size_t shown = 0;
    for (size_t i = 0; i < info->hardware_count; i++) {
        const struct hardware_information *one = &info->hardware[i];
        for (size_t j = 0; j < one->gpu_count && shown < LINES_SHOWN; j++) {
            fprintf(out, LABEL, shown++ ? "" : "GPU");
            print_foreign(out, one->gpus[j].name);
            fprintf(out, " %.1f GB, for ",
                    (double)one->gpus[j].memory_total_bytes / 1e9);
            print_foreign(out, one->model_id);
            fputc('\n', out);
        }
    }
}

static void print_info(FILE *out, const struct orchestrator_info *info)
{
    const struct capability_constraints *constraints =
        info->capabilities ? info->capabilities->constraints : NULL;
    size_t count = constraints ? constraints->per_capability_count : 0;
    for (size_t i = 0; i < count; i++) {
        if (constraints->per_capability[i].capability == CAPABILITY_LIVE_VIDEO)
            print_models(out, &constraints->per_capability[i]);
    }
    print_prices(out, info);
    print_hardware(out, info);
    for (size_t i = 0; i < info->node_count && i < LINES_SHOWN; i++)
        print_text(out, i ? "" : "nodes", info->nodes[i]);
}

static void print_offer(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    fputc('\n', out);
    print_text(out, "version", run->version);
    print_text(out, "recipient", run->orchestrator_address);
    print_text(out, "signs as", run->signing_address);
    if (run->tls_key_sha256.data)
        fprintf(out, LABEL "%.*s...%s\n", "TLS key", KEY_DIGITS_SHOWN,
                run->tls_key_sha256.data,
                result->key_changed ? " changed" : "");
    if (run->price_wei != ABSENT_INT)
        fprintf(out, LABEL "%lld wei a second\n", "price",
                (long long)run->price_wei);
    if (result->info)
        print_info(out, result->info);
}

/* ---- the whole ----------------------------------------------------------- */

void probe_summary_print(FILE *out, const struct probe_result *result)
{
    print_heading(out, &result->run);
    fputc('\n', out);
    print_outcome(out, result);
    fputc('\n', out);
    print_timeline(out, result);
    print_measured(out, result);
    print_claims(out, &result->run);
    print_offer(out, result);
}

void probe_summary_line(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    print_heading(out, run);
    fputs("  ", out);
    if (!isnan(run->output_fps))
        fprintf(out, "%.2f fps  ", run->output_fps);
    if (!isnan(run->ptff_ms))
        fprintf(out, "first frame %.0f ms  ", run->ptff_ms);
    if (!isnan(run->e2e_p50_ms))
        fprintf(out, "latency %.1f ms  ", run->e2e_p50_ms);
    if (isnan(run->output_fps) && !isnan(run->rpc_ms))
        fprintf(out, "answered in %.2f ms  ", run->rpc_ms);
    print_outcome(out, result);
}

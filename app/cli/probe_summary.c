/*
 * probe_summary.c: see probe_summary.h.
 *
 * Names, models and errors are the orchestrator's words: nothing of them
 * reaches the terminal as a control character.
 */
#include "cli/probe_summary.h"

#include "cli/table.h"

#include <math.h>
#include <string.h>

enum { BAR_COLUMNS = 40, RATES_SHOWN = 60, GPUS_SHOWN = 16, NODES_SHOWN = 8 };

static void print_foreign(FILE *out, struct text text)
{
    struct buf safe = {0};
    buf_add_for_terminal(&safe, text);
    fwrite(safe.data, 1, safe.length, out);
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

static void print_outcome(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    fprintf(out, "%.*s", (int)run->outcome.length, run->outcome.data);
    if (run->reason.data)
        fprintf(out, ", %.*s: %s", (int)run->reason.length, run->reason.data,
                meaning_of(run));
    fputc('\n', out);
    if (*result->detail) {
        fputs("  ", out);
        print_foreign(out, text_of(result->detail));
        fputc('\n', out);
    }
}

static void print_heading(FILE *out, const struct run *run)
{
    print_foreign(out, run->orchestrator_url);
    fprintf(out, "  %.*s", (int)run->kind.length, run->kind.data);
    if (run->model_id.data) {
        fputs("  ", out);
        print_foreign(out, run->model_id);
    }
    fputs("  ", out);
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
        fprintf(out, "  %-17s", phase->name);
        print_bar(out, phase->from_us, phase->to_us, all_us);
        fprintf(out, " %10.2f ms\n",
                (double)(phase->to_us - phase->from_us) / 1000);
    }
}

/* ---- figures ------------------------------------------------------------- */

static void print_rates(FILE *out, const struct probe_result *result)
{
    static const char *const steps[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double most = 24;
    if (!result->rate_count)
        return;
    for (size_t i = 0; i < result->rate_count; i++)
        most = result->rates[i] > most ? result->rates[i] : most;
    fprintf(out, "  %-17s", "each second");
    for (size_t i = 0; i < result->rate_count && i < RATES_SHOWN; i++)
        fputs(steps[(int)(result->rates[i] / most * 7.999)], out);
    fprintf(out, "  0 to %.0f\n", most);
}

struct figure {
    const char *name;
    double value;
    const char *unit;
    int digits;
};

static void print_figures(FILE *out, const struct figure *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isnan(list[i].value))
            fprintf(out, "  %-17s%.*f %s\n", list[i].name, list[i].digits,
                    list[i].value, list[i].unit);
    }
}

static double number(int64_t value)
{
    return value == ABSENT_INT ? (double)NAN : (double)value;
}

static void print_claims(FILE *out, const struct run *run)
{
    if (!run->reported_state.data)
        return;
    fprintf(out, "  %-17s", "it claims");
    print_foreign(out, run->reported_state);
    if (!isnan(run->reported_fps))
        fprintf(out, ", %.2f fps", run->reported_fps);
    fputc('\n', out);
}

static void print_measured(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    const struct figure list[] = {
        {"connect", run->connect_ms, "ms", 2},
        {"TLS", run->tls_ms, "ms", 2},
        {"call answered", run->rpc_ms, "ms", 2},
        {"start accepted", run->startup_ms, "ms", 1},
        {"first frame", run->ptff_ms, "ms after the prompt", 1},
        {"playable", run->playable_ms, "ms after the prompt", 1},
        {"input", run->input_fps, "fps", 3},
        {"output", run->output_fps, "fps", 3},
        {"frames in", number(run->frames_in), "", 0},
        {"frames out", number(run->frames_out), "", 0},
        {"jitter", run->jitter_interval, "of frame intervals", 4},
        {"jitter", run->jitter_fps, "of frames per second", 4},
        {"longest freeze", run->freeze_ms, "ms", 1},
        {"latency p50", run->e2e_p50_ms, "ms", 1},
        {"latency p95", run->e2e_p95_ms, "ms", 1},
        {"latency p99", run->e2e_p99_ms, "ms", 1},
        {"restarts", number(run->restarts), "", 0},
        {"cost", number(run->cost_wei), "wei", 0},
    };
    print_figures(out, list, sizeof list / sizeof *list);
    print_rates(out, result);
    if (run->e2e_reason.data)
        fprintf(out, "  %-17snot known: %.*s\n", "latency",
                (int)run->e2e_reason.length, run->e2e_reason.data);
    print_claims(out, run);
}

/* ---- what is offered ----------------------------------------------------- */

static void print_text(FILE *out, const char *name, struct text text)
{
    if (!text.data || !text.length)
        return;
    fprintf(out, "  %-17s", name);
    print_foreign(out, text);
    fputc('\n', out);
}

static void print_hardware(FILE *out, const struct orchestrator_info *info)
{
    size_t shown = 0;
    for (size_t i = 0; i < info->hardware_count; i++) {
        const struct hardware_information *one = &info->hardware[i];
        for (size_t j = 0; j < one->gpu_count && shown < GPUS_SHOWN; j++) {
            fprintf(out, "  %-17s", shown++ ? "" : "GPU");
            print_foreign(out, one->gpus[j].name);
            fprintf(out, " %.1f GB, for ",
                    (double)one->gpus[j].memory_total_bytes / 1e9);
            print_foreign(out, one->model_id);
            fputc('\n', out);
        }
    }
}

static void print_offer(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    const struct orchestrator_info *info = result->info;
    print_text(out, "version", run->version);
    print_text(out, "recipient", run->orchestrator_address);
    print_text(out, "signs as", run->signing_address);
    print_text(out, "TLS key", run->tls_key_sha256);
    if (result->key_changed)
        fputs("  its TLS key changed during the run\n", out);
    if (run->idle != ABSENT_INT)
        fprintf(out, "  %-17s%lld idle, %lld busy\n", "containers",
                (long long)run->idle, (long long)run->busy);
    if (run->price_wei != ABSENT_INT)
        fprintf(out, "  %-17s%lld wei a second\n", "price",
                (long long)run->price_wei);
    if (!info)
        return;
    print_hardware(out, info);
    for (size_t i = 0; i < info->node_count && i < NODES_SHOWN; i++)
        print_text(out, i ? "" : "nodes", info->nodes[i]);
}

/* ---- the whole ----------------------------------------------------------- */

void probe_summary_print(FILE *out, const struct probe_result *result)
{
    print_heading(out, &result->run);
    print_outcome(out, result);
    print_timeline(out, result);
    print_measured(out, result);
    print_offer(out, result);
}

void probe_summary_line(FILE *out, const struct probe_result *result)
{
    const struct run *run = &result->run;
    print_heading(out, run);
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

/*
 * score.js: the published formula, worked through with one row's numbers.
 *
 * Every step is computed here again, in the visitor's browser, from the counts
 * and averages of the row, and set beside the value that the store holds. The
 * page can thus disagree with its own server. Pure: row in, steps out.
 */

const GATE_ROWS = 48;

/* As in the original, what is not a number becomes 0. */
function clamp(value) {
    return value > 1 ? 1 : value > 0 ? value : 0;
}

/* A cohort that holds a day without values has percentiles that are no
 * numbers; JSON says null. */
function edge(value) {
    return value ?? NaN;
}

/* Lower is better: 1 at the median or below, 0 at the 90th percentile. */
function lower(value, p50, p90, rows) {
    if (value === null || rows < GATE_ROWS) {
        return 0.5;
    }
    if (p90 <= p50) {
        return value <= p50 ? 1 : 0;
    }
    if (value <= p50) {
        return 1;
    }
    return value >= p90 ? 0 : 1 - (value - p50) / (p90 - p50);
}

/* Higher is better: 1 at the median or above, 0 at the 10th percentile. */
function higher(value, p10, p50, rows) {
    if (value === null || rows < GATE_ROWS) {
        return 0.5;
    }
    if (p50 <= p10) {
        return value >= p50 ? 1 : 0;
    }
    if (value >= p50) {
        return 1;
    }
    return value <= p10 ? 0 : (value - p10) / (p50 - p10);
}

function number(value, digits = 4) {
    if (value === null || value === undefined || Number.isNaN(value)) {
        return "–";
    }
    return value.toFixed(digits).replace(/(\.\d*?)0+$/, "$1")
        .replace(/\.$/, "");
}

function rateSteps(row) {
    const requested = row.requested_sessions;
    const expected = row.health_expected_signal_count;
    const step = (name, label, formula, numbers, value) =>
        ({name, label, formula, numbers, value, stored: row[name]});
    return [
        step("health_signal_coverage_ratio", "Coverage",
            "health signals seen ÷ expected, at most 1",
            expected > 0
                ? `${row.health_signal_count} ÷ ${expected}`
                : "none expected, so 1",
            expected > 0
                ? Math.min(row.health_signal_count / expected, 1) : 1),
        step("startup_success_rate", "Startup",
            "started sessions ÷ requested sessions",
            `${row.startup_success_sessions} ÷ ${requested}`,
            row.startup_success_sessions / requested),
        step("no_swap_rate", "No swap",
            "1 − sessions that changed orchestrator ÷ requested",
            `1 − ${row.total_swapped_sessions} ÷ ${requested}`,
            1 - row.total_swapped_sessions / requested),
        step("output_viability_rate", "Viability",
            "1 − sessions without usable output ÷ requested",
            `1 − ${row.output_failed_sessions} ÷ ${requested}`,
            1 - row.output_failed_sessions / requested),
    ];
}

function benchmarkText(value, unit, near, far, rows, nearName, farName) {
    if (value === null) {
        return "no value in this hour, so the neutral 0.5";
    }
    if (rows < GATE_ROWS) {
        return `${number(value, 2)}${unit}; ${rows} benchmark rows in the ` +
            `seven days before, under ${GATE_ROWS}, so the neutral 0.5`;
    }
    if (near === null || far === null) {
        return `${number(value, 2)}${unit}; a day of the benchmark holds no ` +
            "value, which makes this part 0 in the published rows, too";
    }
    return `${number(value, 2)}${unit} against ${nearName} ` +
        `${number(near, 2)} and ${farName} ${number(far, 2)} of ` +
        `${rows} benchmark rows`;
}

function comparedSteps(row, name, label, raw, rawText, samples, full) {
    const weight = Math.min(samples / full, 1);
    return [
        {name: `${name}_score_raw`, label: `${label}, raw`,
            formula: "place between the seven-day percentiles",
            numbers: rawText, value: raw, stored: row[`${name}_score_raw`]},
        {name: `${name}_score`, label,
            formula: `0.5 + min(n ÷ ${full}, 1) × (raw − 0.5)`,
            numbers: `0.5 + ${number(weight)} × (${number(raw)} − 0.5), ` +
                `n = ${samples}`,
            value: clamp(0.5 + weight * (raw - 0.5)),
            stored: row[`${name}_score`]},
    ];
}

function qualityParts(row) {
    const ptff = lower(row.avg_prompt_to_first_frame_ms, edge(row.ptff_p50),
        edge(row.ptff_p90), row.ptff_benchmark_row_count);
    const e2e = lower(row.avg_e2e_latency_ms, edge(row.e2e_p50),
        edge(row.e2e_p90), row.e2e_benchmark_row_count);
    const fps = higher(row.avg_output_fps, edge(row.fps_p10),
        edge(row.fps_p50), row.fps_benchmark_row_count);
    return [
        ...comparedSteps(row, "ptff", "Prompt to first frame", ptff,
            benchmarkText(row.avg_prompt_to_first_frame_ms, " ms",
                row.ptff_p50, row.ptff_p90, row.ptff_benchmark_row_count,
                "p50", "p90"),
            row.prompt_to_first_frame_sample_count, 10),
        ...comparedSteps(row, "e2e", "End to end", e2e,
            benchmarkText(row.avg_e2e_latency_ms, " ms", row.e2e_p50,
                row.e2e_p90, row.e2e_benchmark_row_count, "p50", "p90"),
            row.e2e_latency_sample_count, 10),
        ...comparedSteps(row, "fps", "Output FPS", fps,
            benchmarkText(row.avg_output_fps, " fps", row.fps_p50,
                row.fps_p10, row.fps_benchmark_row_count, "p50", "p10"),
            row.status_samples, 30),
    ];
}

/*
 * The steps in the order of the formula, each {name, label, formula, numbers,
 * value, stored}; empty for a row without requested sessions. The last one is
 * the score.
 */
export function workedScore(row) {
    if (row.requested_sessions === 0) {
        return [];
    }
    const steps = [...rateSteps(row)];
    const value = (name) =>
        steps.find((step) => step.name === name).value;
    const add = (name, label, formula, numbers, result) => steps.push(
        {name, label, formula, numbers, value: result, stored: row[name]});

    const startup = value("startup_success_rate");
    const stay = value("no_swap_rate");
    const viable = value("output_viability_rate");
    add("reliability_score", "Reliability",
        "0.4 × startup + 0.2 × no swap + 0.4 × viability",
        `0.4 × ${number(startup)} + 0.2 × ${number(stay)} + ` +
            `0.4 × ${number(viable)}`,
        clamp(0.4 * startup + 0.2 * stay + 0.4 * viable));

    steps.push(...qualityParts(row));
    const ptff = value("ptff_score");
    const e2e = value("e2e_score");
    const fps = value("fps_score");
    add("latency_score", "Latency", "0.6 × prompt to first frame + " +
        "0.4 × end to end",
        `0.6 × ${number(ptff)} + 0.4 × ${number(e2e)}`,
        clamp(0.6 * ptff + 0.4 * e2e));
    add("quality_score", "Quality", "0.6 × latency + 0.4 × output FPS",
        `0.6 × ${number(value("latency_score"))} + 0.4 × ${number(fps)}`,
        clamp(0.6 * (0.6 * ptff + 0.4 * e2e) + 0.4 * fps));

    const coverage = value("health_signal_coverage_ratio");
    const reliability = value("reliability_score");
    const quality = value("quality_score");
    add("sla_score", "Score",
        "100 × coverage × (0.7 × reliability + 0.3 × quality)",
        `100 × ${number(coverage)} × (0.7 × ${number(reliability)} + ` +
            `0.3 × ${number(quality)})`,
        Math.min(Math.max(
            100 * coverage * (0.7 * reliability + 0.3 * quality), 0), 100));
    return steps;
}

/* Do two results of the same formula agree? Rounding differs in the last
 * places where another order of operations was taken. */
export function agrees(computed, stored) {
    if (stored === null || stored === undefined) {
        return Number.isNaN(computed);
    }
    return Math.abs(computed - stored) <= 1e-9 * Math.max(1, Math.abs(stored));
}

/*
 * measured.js: what we measured of orchestrators beside what is published of
 * them, one row each.
 *
 * A figure is drawn on a scale that all rows share: a bar for the interval, a
 * dot for the median, a diamond for the published value. The same numbers stand
 * under it as text, with the n of either side, so that the drawing may be left
 * unseen. Own figures lead to the runs, published ones to the scored hours.
 */
import {absent, element, exact} from "./dom.js";
import {address, count, duration, plural, short} from "./format.js";

/* Whom a row is about, as addresses of pages name it. */
export function keyOf(row) {
    return row.orchestrator_address || row.orchestrator_url;
}

export function orchestratorLink(row) {
    return `#/orchestrator/${encodeURIComponent(keyOf(row))}`;
}

export function orchestratorName(row) {
    return row.orchestrator_address
        ? address(row.orchestrator_address)
        : element("code", null, row.orchestrator_url);
}

/* Where its runs are: by the URL, which every run has. */
export function runsOf(row) {
    return row.orchestrator_url || row.orchestrator_address;
}

function runsLink(row) {
    return `#/runs?orchestrator=${encodeURIComponent(runsOf(row))}`;
}

function ledgerOf(row) {
    return `#/ledger?orchestrator=${encodeURIComponent(runsOf(row))}`;
}

function hoursLink(row) {
    return `#/sla?orchestrator=${encodeURIComponent(keyOf(row))}`;
}

/* BARE leaves the unit to what follows. */
function latency(ms, bare) {
    return bare && ms < 1000 ? short(ms, 0)
        : duration(ms < 1000 ? Math.round(ms) : 10 * Math.round(ms / 10));
}

/*
 * The figures: members of a row, and how they look. BETTER says which direction
 * flatters. APART says why the two sides are no measurements of the same thing;
 * they are then neither drawn on one scale nor held against each other.
 */
export const FIGURES = [
    {name: "output_fps", head: "Output FPS", note: "frames a second",
        own: "output_fps", low: "output_fps_low", high: "output_fps_high",
        n: "output_fps_n", published: "published_fps",
        publishedN: "published_fps_n", unit: "status reports",
        better: 1, text: (value) => short(value, 1)},
    {name: "ptff", head: "Prompt to first frame",
        note: "published: to a few segments",
        apart: "the published one ends when a few segments have come, ours " +
            "with the first frame",
        own: "ptff_ms", low: "ptff_low_ms", high: "ptff_high_ms",
        n: "ptff_n", published: "published_ptff_ms",
        publishedN: "published_ptff_n", unit: "sessions",
        better: -1, text: latency},
    {name: "first_segment", head: "End to end",
        note: "first segment, out and back",
        own: "first_segment_ms", low: "first_segment_low_ms",
        high: "first_segment_high_ms", n: "first_segment_n",
        published: "published_e2e_ms", publishedN: "published_e2e_n",
        unit: "sessions", better: -1,
        text: latency},
];

/* ---- drawing ----------------------------------------------------------- */

/* From 0 to a little beyond the largest value of any row. */
export function scaleOf(figure, rows) {
    const values = rows.flatMap((row) => [row[figure.own], row[figure.high],
        figure.apart ? null : row[figure.published]])
        .filter((value) => value !== null);
    return values.length > 0 ? 1.06 * Math.max(...values) : 1;
}

function mark(kind, value, scale) {
    return value === null ? null : element("span", {class: `forest-${kind}`,
        style: {left: `${100 * value / scale}%`}});
}

export function forest(figure, row, scale) {
    const low = row[figure.low] ?? row[figure.own];
    const high = row[figure.high] ?? row[figure.own];
    return element("span", {class: "forest", "aria-hidden": "true"},
        row[figure.own] === null ? null : element("span",
            {class: "forest-range", style: {left: `${100 * low / scale}%`,
                width: `${100 * (high - low) / scale}%`}}),
        figure.apart ? null
            : mark("published", row[figure.published], scale),
        mark("own", row[figure.own], scale));
}

/* ---- words ------------------------------------------------------------- */

function range(figure, row) {
    if (row[figure.low] === null || row[figure.high] === null) {
        return "";
    }
    return ` [${figure.text(row[figure.low], row[figure.high] < 1000)}–` +
        `${figure.text(row[figure.high])}]`;
}

function own(figure, row) {
    if (row[figure.own] === null) {
        return element("span", {class: "own"}, absent("no run measured it"),
            element("small", null, " measured"));
    }
    return element("a", {class: "own", href: runsLink(row)},
        exact(figure.text(row[figure.own]), row[figure.own]),
        element("small", {title: "runs that measured it"},
            range(figure, row), ` n ${count(row[figure.n])}`));
}

function published(figure, row) {
    if (row[figure.published] === null) {
        return element("span", {class: "told"},
            element("small", null, "nothing published"));
    }
    return element("a", {class: "told", href: hoursLink(row)},
        exact(figure.text(row[figure.published]), row[figure.published]),
        element("small", {title: figure.apart ?? figure.unit}, " published, ",
            `n ${count(row[figure.publishedN])}`));
}

/* Apart by less is not worth a word (the strict margin of audits). */
const MARGIN = 0.1;

/* By how much the published value is above the measured one; only where the
 * whole interval is apart from it by the margin, since anything else may be
 * chance. */
export function difference(figure, row) {
    const told = row[figure.published];
    if (figure.apart || row[figure.own] === null || told === null ||
        row[figure.low] === null || row[figure.high] === null ||
        (told >= row[figure.low] / (1 + MARGIN) &&
            told <= row[figure.high] * (1 + MARGIN))) {
        return null;
    }
    return told / row[figure.own] - 1;
}

function differenceTag(figure, row) {
    const share = difference(figure, row);
    if (share === null) {
        return null;
    }
    const flatters = share * figure.better > 0;
    return element("span", {class: `gap ${flatters ? "flatters" : ""}`,
        title: "the published value is more than 10 % outside of the " +
            "measured interval; a verdict asks for more than that"},
    `published ${short(Math.abs(100 * share), 0)} % ` +
        (share > 0 ? "higher" : "lower"));
}

function figureCell(figure, row, scale) {
    return [forest(figure, row, scale), own(figure, row),
        published(figure, row), differenceTag(figure, row)];
}

const OUTCOMES = [["ok", "ok", "good"], ["failed", "failed", "bad"],
    ["busy", "busy", "fair"], ["excused", "excused", "none"],
    ["vantage_suspect", "in doubt", "none"]];

/* The share of each outcome as a bar, and in words. */
export function outcomeBar(row) {
    const shown = OUTCOMES.filter(([name]) => row[name] > 0);
    const words = shown.map(([name, word]) => `${count(row[name])} ${word}`);
    return [element("span", {class: "stack", "aria-hidden": "true"},
        shown.map(([name, , tone]) => element("span",
            {class: `tone-${tone}`,
                style: {width: `${100 * row[name] / row.runs}%`}}))),
    words.join(", ")];
}

function runsCell(row) {
    if (row.runs === 0 && row.planned_skipped > 0) {
        return element("a", {class: "own", href: ledgerOf(row)},
            "None of ", plural(row.planned_skipped, "planned run",
                "planned runs"),
            element("small", null, " could be carried out"));
    }
    if (row.runs === 0) {
        return absent("it was not measured in this time");
    }
    const rate = row.success_rate === null ? null : element("small", null,
        `${short(100 * row.success_rate, 0)} % delivered ` +
        `[${short(100 * row.success_rate_low, 0)} – ` +
        `${short(100 * row.success_rate_high, 0)}]`);
    return [element("a", {class: "own", href: runsLink(row)},
        plural(row.runs, "run", "runs")),
    element("span", {class: "outcomes"}, outcomeBar(row)), rate];
}

export function budgetCell(row) {
    if (row.budget_ms === null) {
        return absent("no plan names it");
    }
    if (row.budget_ms === 0) {
        return absent("no idle capacity was seen");
    }
    const share = Math.min(row.used_ms / row.budget_ms, 1);
    return [element("span", {class: "track", "aria-hidden": "true"},
        element("span", {style: {width: `${100 * share}%`}})),
    element("a", {class: "own", href: ledgerOf(row)},
    `${short(100 * share, 0)} %`),
    element("small", null, ` ${count(Math.round(row.used_ms / 1000))} of ` +
        `${count(Math.round(row.budget_ms / 1000))} s`)];
}

/* ---- the board --------------------------------------------------------- */

function boardRow(row, scales) {
    const cell = (head, content, tag = "td") => element(tag,
        {"data-head": head, scope: tag === "th" ? "row" : null, role:
            tag === "th" ? "rowheader" : "cell"}, content);
    return element("tr", {role: "row"},
        cell("", [element("a", {href: orchestratorLink(row)},
            orchestratorName(row)),
        element("span", {class: "under"}, row.model_id || "no model")], "th"),
        cell("Own runs", runsCell(row)),
        FIGURES.map((figure, at) => cell(figure.head,
            figureCell(figure, row, scales[at]))),
        cell("Budget used", budgetCell(row)));
}

export function measuredBoard(rows) {
    const scales = FIGURES.map((figure) => scaleOf(figure, rows));
    const head = (text, note) => element("th", {scope: "col",
        role: "columnheader"}, text,
    note ? element("small", null, note) : null);
    return element("table", {class: "board", role: "table"},
        element("caption", {class: "unseen"},
            "Orchestrators: own measurements beside published figures"),
        element("thead", null, element("tr", {role: "row"},
            head("Orchestrator, model"), head("Own runs"),
            FIGURES.map((figure) => head(figure.head, figure.note)),
            head("Budget used", "of idle capacity"))),
        element("tbody", null, rows.map((row) => boardRow(row, scales))));
}

/* What the marks of the board mean. */
export function boardLegend() {
    const sample = (kind) => element("span", {class: "forest sample",
        "aria-hidden": "true"},
    kind === "own" ? element("span", {class: "forest-range",
        style: {left: "10%", width: "80%"}}) : null,
    element("span", {class: `forest-${kind}`, style: {left: "50%"}}));
    return element("p", {class: "legend"},
        element("span", null, sample("own"),
            "measured by us: median of runs, and where it lies with 95 of 100"),
        element("span", null, sample("published"),
            "published: from what gateways reported, same hours"));
}

/* For lanes: who listens at a URL, by whatever ROWS say of it. */
export function namesOf(rows) {
    const known = new Map(rows.filter((row) => row.orchestrator_address)
        .map((row) => [row.orchestrator_url, row.orchestrator_address]));
    return (url) => {
        const one = {orchestrator_url: url,
            orchestrator_address: known.get(url) ?? ""};
        return {node: orchestratorName(one), href: orchestratorLink(one)};
    };
}

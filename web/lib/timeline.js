/*
 * timeline.js: the two pictures of a session.
 *
 * startupFigure is a waterfall: one line per step, with the three latencies as
 * bars between the two steps that define them. wholeFigure shows the reported
 * states, one line per state so that colour is never needed to tell them, and
 * the frame rate on the same axis. Positions are percentages of the width, so
 * nothing is drawn again when the window changes; the events table on the page
 * holds the same in text.
 */
import {element, svg} from "./dom.js";
import {clock, duration, plural, short} from "./format.js";
import {stateTone, traceWords} from "./words.js";

const CHART_HEIGHT = 110;

function percent(value) {
    return `${value.toFixed(3)}%`;
}

function scaleOf(begin, end) {
    const length = Math.max(end - begin, 1);
    return (ms) => 100 * (ms - begin) / length;
}

/* Steps that read well as times: up to a minute 1, 2, 5; then 1, 2, 5, 15,
 * 30 minutes and hours. */
const STEPS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000,
    30000, 60000, 120000, 300000, 900000, 1800000, 3600000, 7200000, 21600000,
    86400000];

function niceStep(length, wanted) {
    return STEPS.find((one) => one >= length / wanted) ??
        86400000 * Math.ceil(length / wanted / 86400000);
}

function tickText(ms) {
    if (ms === 0) {
        return "0";
    }
    return ms % 60000 === 0 && Math.abs(ms) < 3600000
        ? `${ms / 60000} min` : duration(ms);
}

function axis(begin, end, origin) {
    const place = scaleOf(begin, end);
    const step = niceStep(end - begin, 5);
    const ticks = [];
    for (let at = Math.ceil((begin - origin) / step) * step;
        origin + at <= end; at += step) {
        ticks.push(element("span", {style:
            {left: percent(place(origin + at))}},
        tickText(at)));
    }
    return element("div", {class: "ticks", "aria-hidden": "true"}, ticks);
}

/* Steps of a start that never succeeds are shown for so long. */
const PATIENCE = 60000;

/* ---- the start ------------------------------------------------------- */

function startSteps(session, events) {
    const steps = events.filter((event) => event.family === "stream_trace")
        .map((event) => ({at: Date.parse(event.ts), line: event.line,
            label: traceWords(event.type), code: event.type}));
    if (session.status_start_time) {
        steps.push({at: Date.parse(session.status_start_time), line: null,
            label: "The runner's own start time", code: "start_time"});
    }
    return steps.sort((a, b) => a.at - b.at);
}

function latencyBars(session) {
    const bar = (label, from, to, value, tone) => value === null || !from
        ? null : {label, from: Date.parse(from), to: Date.parse(to), value,
            tone};
    return [
        bar("Startup", session.started_at, session.first_processed_at,
            session.startup_latency_ms, "one"),
        bar("Prompt to first frame", session.status_start_time,
            session.few_processed_at, session.ptff_ms, "two"),
        bar("End to end", session.first_ingest_at,
            session.runner_first_processed_at, session.e2e_latency_ms,
            "three"),
    ].filter(Boolean);
}

function stepLine(step, place, origin) {
    return element("li", null,
        element("span", {class: "label", title: step.code}, step.line === null
            ? step.label
            : element("a", {href: `#/evidence/${step.line}`}, step.label)),
        element("span", {class: "offset",
            title: new Date(step.at).toISOString()},
        step.at === origin ? "0" : duration(step.at - origin)),
        element("span", {class: "lane", "aria-hidden": "true"},
            element("span", {class: "dot",
                style: {left: percent(place(step.at))}})));
}

function barLine(bar, place) {
    return element("li", {class: "latency"},
        element("span", {class: "label"}, bar.label),
        element("span", {class: "offset"}, duration(bar.value)),
        element("span", {class: "lane", "aria-hidden": "true"},
            element("span", {class: `bar ${bar.tone}`, style: {
                left: percent(place(bar.from)),
                width: percent(place(bar.to) - place(bar.from))}})));
}

/* Steps up to the point where output became playable, or those of the first
 * minute where it never did; null without any. */
export function startupFigure(session, events) {
    const steps = startSteps(session, events);
    const bars = latencyBars(session);
    if (steps.length === 0) {
        return null;
    }
    const origin = session.started_at
        ? Date.parse(session.started_at) : steps[0].at;
    const ready = session.few_processed_at ?? session.first_processed_at;
    const last = ready ? Date.parse(ready) : origin + PATIENCE;
    const shown = steps.filter((step) => step.at <= last + 1000);
    if (shown.length === 0) {
        return null;
    }
    const end = Math.max(shown.at(-1).at, ...bars.map((bar) => bar.to));
    const begin = Math.min(shown[0].at, ...bars.map((bar) => bar.from));
    const place = scaleOf(begin, end);
    return element("figure", {class: "waterfall"},
        element("figcaption", null, element("h2", null, "How it started")),
        element("ol", null,
            shown.map((step) => stepLine(step, place, origin)),
            bars.map((bar) => barLine(bar, place)),
            element("li", {class: "axis", "aria-hidden": "true"},
                element("span", {class: "lane"},
                    axis(begin, end, origin)))));
}

/* ---- the whole ------------------------------------------------------- */

function samplesOf(events) {
    return events.filter((event) => event.family === "ai_stream_status")
        .map((event) => ({at: Date.parse(event.ts), state: event.state || "",
            fps: event.fps ?? null, line: event.line}));
}

/* A sample stands for the time up to the next one, at most a minute. */
function stretches(samples, state, end) {
    return samples.flatMap((sample, at) => {
        if (sample.state !== state) {
            return [];
        }
        const next = at + 1 < samples.length ? samples[at + 1].at : end;
        return [{from: sample.at, to: Math.min(next, sample.at + 60000)}];
    });
}

function stateLine(state, samples, place, end) {
    const number = samples.filter((one) => one.state === state).length;
    return element("li", null,
        element("span", {class: "label"}, state || "no state"),
        element("span", {class: "offset"}, `${number} of ${samples.length}`),
        element("span", {class: "lane", "aria-hidden": "true"},
            stretches(samples, state, end).map((one) => element("span",
                {class: `bar tone-${stateTone(state)}`, style: {
                    left: percent(place(one.from)),
                    width: `max(3px, ${percent(place(one.to) -
                        place(one.from))})`}}))));
}

function markLine(label, marks, place) {
    return element("li", null,
        element("span", {class: "label"}, label),
        element("span", {class: "offset"}, marks.length),
        element("span", {class: "lane", "aria-hidden": "true"},
            marks.map((mark) => element("span", {class: "dot",
                title: `${mark.label}, ${clock(mark.at)} UTC`,
                style: {left: percent(place(mark.at))}}))));
}

function readout(sample, origin) {
    const frames = sample.fps === null
        ? "no frame rate" : `${short(sample.fps, 2)} fps`;
    return `${duration(sample.at - origin)}: ${sample.state}, ${frames}`;
}

function ceiling(samples) {
    const most = Math.max(...samples.map((one) => one.fps ?? 0), 1);
    return Math.ceil(most / 10) * 10;
}

/*
 * The frame rate as a line with a cursor: pointer or arrow keys move it, the
 * sentence under the chart says what it stands on.
 */
function framesChart(samples, place, origin) {
    const top = ceiling(samples);
    const known = samples.filter((one) => one.fps !== null);
    if (known.length === 0) {
        return null;
    }
    const height = (fps) => 100 - 100 * fps / top;
    const path = known.map((one, at) => `${at === 0 ? "M" : "L"}` +
        `${place(one.at).toFixed(3)} ${height(one.fps).toFixed(2)}`).join("");
    const cursor = element("span", {class: "cursor", hidden: true});
    const rest = `${plural(known.length, "sample", "samples")}, on average ` +
        short(known.reduce((sum, one) => sum + one.fps, 0) / known.length, 2) +
        " fps. Point at the line or use the arrow keys.";
    const says = element("p", {class: "readout", "aria-live": "polite"}, rest);
    let at = -1;
    const show = (index) => {
        at = Math.min(Math.max(index, 0), known.length - 1);
        cursor.hidden = false;
        cursor.style.left = percent(place(known[at].at));
        cursor.style.top = percent(height(known[at].fps));
        says.textContent = readout(known[at], origin);
    };
    const plot = element("div", {class: "plot", tabindex: "0", role: "img",
        style: {height: `${CHART_HEIGHT}px`},
        "aria-label": `Output frames per second. ${rest}`},
    svg("svg", {viewBox: "0 0 100 100", preserveAspectRatio: "none"},
        [0, 50, 100].map((one) => svg("line", {x1: 0, x2: 100, y1: one,
            y2: one, class: one === 100 ? "edge" : "guide"})),
        svg("path", {d: path, class: "line"})),
    element("span", {class: "scale", style: {top: "0%"}}, top),
    element("span", {class: "scale", style: {top: "100%"}}, "0"), cursor);
    plot.addEventListener("pointermove", (event) => {
        const box = plot.getBoundingClientRect();
        const share = 100 * (event.clientX - box.left) / box.width;
        let best = 0;
        known.forEach((one, index) => {
            if (Math.abs(place(one.at) - share) <
                Math.abs(place(known[best].at) - share)) {
                best = index;
            }
        });
        show(best);
    });
    plot.addEventListener("keydown", (event) => {
        const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
        if (move) {
            event.preventDefault();
            show(at + move);
        }
    });
    return element("div", {class: "with-label"},
        element("span", {class: "label"}, "Output FPS"), plot, says);
}

/* States and frame rate over the whole session; null without a status. */
export function wholeFigure(session, events) {
    const samples = samplesOf(events);
    if (samples.length === 0) {
        return null;
    }
    const times = events.map((event) => Date.parse(event.ts));
    const begin = Math.min(...times);
    const end = Math.max(...times, begin + 1000);
    const origin = session.started_at ? Date.parse(session.started_at) : begin;
    const place = scaleOf(begin, end);
    const states = [...new Set(samples.map((one) => one.state))];
    const traces = events.filter((one) => one.family === "stream_trace")
        .map((one) => ({at: Date.parse(one.ts), label: traceWords(one.type)}));
    const errors = events.filter((one) => one.family === "ai_stream_events")
        .map((one) => ({at: Date.parse(one.ts), label: one.note || one.type}));
    return element("figure", {class: "waterfall whole"},
        element("figcaption", null, element("h2", null, "The whole session"),
            element("p", {class: "note"}, duration(end - begin), ", from ",
                clock(begin), " to ", clock(end), " UTC")),
        element("ol", null,
            traces.length > 0 ? markLine("Traces", traces, place) : null,
            errors.length > 0 ? markLine("Stream events", errors, place)
                : null,
            states.map((state) => stateLine(state, samples, place, end)),
            element("li", {class: "axis", "aria-hidden": "true"},
                element("span", {class: "lane"}, axis(begin, end, origin)))),
        framesChart(samples, place, origin));
}

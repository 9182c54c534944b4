/*
 * time_chart.js: single runs and published hours of one figure over time.
 *
 * Drawn by uPlot, which the server brings along and which is fetched when the
 * first chart is. Arrow keys move the cursor, and the sentence under the chart
 * says what stands there; the list below holds the same in text.
 */
import {element} from "./dom.js";
import {clock, count, day, plural} from "./format.js";

const HEIGHT = 240;

let loading = null;

function loadPlotter() {
    loading ??= new Promise((resolve, reject) => {
        document.head.append(element("link", {rel: "stylesheet",
            href: "/vendor/uplot.css"}));
        document.head.append(element("script", {src: "/vendor/uplot.js",
            onload: () => resolve(globalThis.uPlot), onerror: () => reject(
                new Error("the chart's program did not come"))}));
    });
    return loading;
}

function colour(name) {
    return getComputedStyle(document.documentElement)
        .getPropertyValue(name).trim();
}

/* Two series on one axis of times, null where one has nothing. */
function aligned(runs, hours) {
    const times = [...new Set([...runs, ...hours].map((one) => one.at))]
        .sort((a, b) => a - b);
    const at = (points) => {
        const known = new Map(points.map((one) => [one.at, one.value]));
        return times.map((time) => known.get(time) ?? null);
    };
    return [times.map((time) => time / 1000), at(runs), at(hours)];
}

function options(width, figure, onCursor) {
    const axis = {stroke: colour("--faint"), grid: {stroke: colour("--line"),
        width: 1}, ticks: {stroke: colour("--line"), width: 1},
    font: "12px system-ui, sans-serif"};
    return {width, height: HEIGHT, legend: {show: false}, tzDate: (ts) =>
        globalThis.uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
    cursor: {y: false, drag: {x: false, y: false}},
    scales: {y: {range: (plot, low, high) => [0, 1.1 * (high || 1)]}},
    axes: [{...axis, values: (plot, values) => values.map((value) =>
        clock(value * 1000, false))}, {...axis, size: 62, values: (plot, values) =>
        values.map((value) => figure.text(value))}],
    series: [{},
        {label: "runs", stroke: colour("--accent"), paths: () => null,
            points: {show: true, size: 6, fill: colour("--accent")}},
        {label: "published", stroke: colour("--told"), width: 2,
            spanGaps: true, points: {show: true, size: 8, width: 2,
                fill: colour("--paper")}}],
    hooks: {setCursor: [onCursor]}};
}

function sentence(data, at, figure) {
    const ms = data[0][at] * 1000;
    const parts = [];
    if (data[1][at] !== null) {
        parts.push(`a run measured ${figure.text(data[1][at])}`);
    }
    if (data[2][at] !== null) {
        parts.push(`${figure.text(data[2][at])} was published for the hour`);
    }
    return `${day(ms)} ${clock(ms)} UTC: ${parts.join("; ")}`;
}

function nextOf(data, at, move) {
    const next = (at ?? -1) + move;
    return Math.min(Math.max(next, 0), data[0].length - 1);
}

/*
 * FIGURE is one of measured.js; RUNS and HOURS are [{at, value}] in ms. Null
 * where there are not two points of any kind.
 */
export function timeChart(figure, runs, hours) {
    if (runs.length + hours.length < 2) {
        return null;
    }
    const data = aligned(runs, hours);
    const rest = `${plural(runs.length, "run", "runs")} and ` +
        `${count(hours.length)} published hours. Point at the chart, or use ` +
        "the arrow keys.";
    const says = element("p", {class: "readout", "aria-live": "polite"}, rest);
    const plot = element("div", {class: "uplot-place", tabindex: "0",
        role: "img", "aria-label": `${figure.head}. ${rest}`,
        style: {"min-height": `${HEIGHT}px`}});
    const onCursor = (chart) => {
        const at = chart.cursor.idx;
        says.textContent = at === null || at === undefined
            ? rest : sentence(data, at, figure);
    };
    loadPlotter().then((Plotter) => {
        const chart = new Plotter(options(plot.clientWidth || 600, figure,
            onCursor), data, plot);
        new ResizeObserver(() => chart.setSize({width: plot.clientWidth,
            height: HEIGHT})).observe(plot);
        plot.addEventListener("keydown", (event) => {
            const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
            if (move) {
                event.preventDefault();
                const at = nextOf(data, chart.cursor.idx, move);
                chart.setCursor({left: chart.valToPos(data[0][at], "x"),
                    top: HEIGHT / 2});
            }
        });
    }).catch(() => plot.replaceChildren(element("p", {class: "note"},
        "The chart could not be drawn; the list below says the same.")));
    return element("figure", {class: "chart"},
        element("figcaption", null, element("strong", null, figure.head), " ",
            element("span", {class: "sign"}, "our runs"), " ",
            element("span", {class: "sign told-sign"}, "published hours")),
        plot, says);
}

/*
 * score_chart.js: the loaded scores over time, one mark a row.
 *
 * Drawn only from three hours on; below that the table says it all. Shapes are
 * stretched to the width, texts are HTML beside them, so nothing has to be
 * drawn again when the window changes. The table under it is its equal in
 * text.
 */
import {element, svg} from "./dom.js";
import {clock, day} from "./format.js";

const HEIGHT = 120;

function timeText(ms) {
    return `${day(ms)}, ${clock(ms, false)}`;
}

function marks(rows, first, last) {
    const place = (row) => {
        const at = (Date.parse(row.window_start) - first) / (last - first);
        return {left: 1 + 98 * at, top: 100 - row.sla_score};
    };
    return rows.map((row) => {
        const {left, top} = place(row);
        return element("span", {class: "mark-dot",
            style: {left: `${left}%`, top: `${top}%`},
            title: `${timeText(Date.parse(row.window_start))} UTC: ` +
                `${row.sla_score.toFixed(1)}, ` +
                (row.orchestrator_address || "not attributed")});
    });
}

/* The chart, or null where there is too little to draw. */
export function scoreChart(rows) {
    const scored = rows.filter((row) => row.sla_score !== null);
    const hours = scored.map((row) => Date.parse(row.window_start));
    if (new Set(hours).size < 3) {
        return null;
    }
    const first = Math.min(...hours);
    const last = Math.max(...hours);
    const lines = [0, 25, 50, 75, 100].map((value) => svg("line",
        {x1: 0, x2: 100, y1: 100 - value, y2: 100 - value,
            class: value % 100 === 0 ? "edge" : "guide"}));
    return element("figure", {class: "chart"},
        element("figcaption", null,
            `${scored.length} rows, one mark each`),
        element("div", {class: "plot", style: {height: `${HEIGHT}px`},
            role: "img", "aria-label": `Scores from ${timeText(first)} to ` +
                `${timeText(last)} UTC; the table below lists them.`},
        svg("svg", {viewBox: "0 0 100 100", preserveAspectRatio: "none"},
            lines),
        marks(scored, first, last),
        [100, 50, 0].map((value) => element("span", {class: "scale",
            style: {top: `${100 - value}%`}}, value))),
        element("div", {class: "ends"}, element("span", null,
            timeText(first)), element("span", null, timeText(last))));
}

/*
 * format.js: how numbers and times look. Rounded for the eye; the exact value
 * always stands in the title. Times are UTC everywhere and say so.
 */
import {element, exact, absent} from "./dom.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/* 12345 -> "12,345" */
export function count(value) {
    return Number(value).toLocaleString("en-US");
}

export function plural(value, one, many) {
    return `${count(value)} ${value === 1 ? one : many}`;
}

export function bytes(value) {
    if (value < 1000) {
        return `${value} B`;
    }
    const units = ["KB", "MB", "GB", "TB"];
    let size = value / 1000;
    let unit = 0;
    while (size >= 999.5 && unit < units.length - 1) {
        size /= 1000;
        unit += 1;
    }
    return `${size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

/* A plain decimal of at most DIGITS places, zeros at the end left out. */
export function short(value, digits = 4) {
    const text = value.toFixed(digits);
    return digits > 0 ? text.replace(/\.?0+$/, "") : text;
}

/* A node: fixed places so that a column lines up; null becomes a dash. */
export function fixed(value, digits, reason) {
    if (value === null || value === undefined) {
        return absent(reason);
    }
    return exact(value.toFixed(digits), value);
}

/* 2655 -> "2.655 s", 106 -> "106 ms", 170312 -> "2 min 50 s" */
export function duration(ms) {
    if (Math.abs(ms) < 1000) {
        return `${short(ms, 0)} ms`;
    }
    if (Math.abs(ms) < 60000) {
        return `${short(ms / 1000, 3)} s`;
    }
    const seconds = Math.round(ms / 1000);
    if (seconds < 3600) {
        return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    }
    const minutes = Math.round(seconds / 60);
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function milliseconds(value, reason) {
    if (value === null || value === undefined) {
        return absent(reason);
    }
    return exact(`${count(Math.round(value))} ms`, `${value} ms`);
}

function two(value) {
    return String(value).padStart(2, "0");
}

export function day(ms) {
    const date = new Date(ms);
    return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ` +
        `${date.getUTCFullYear()}`;
}

export function clock(ms, seconds = true) {
    const date = new Date(ms);
    const text = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    return seconds ? `${text}:${two(date.getUTCSeconds())}` : text;
}

/* Day and time of an RFC 3339 text as a <time> element. */
export function moment(text, reason = "not known") {
    if (!text) {
        return absent(reason);
    }
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) {
        return text;
    }
    return element("time", {datetime: text, title: text},
        `${day(ms)} ${clock(ms)}`);
}

/* From one instant to another without saying the day twice. */
export function span(first, last) {
    const from = Date.parse(first);
    const to = Date.parse(last);
    const end = day(from) === day(to) ? clock(to) : `${day(to)} ${clock(to)}`;
    return element("span", {title: `${first} to ${last}`},
        `${day(from)} ${clock(from)} – ${end}`);
}

/* 0xd003…9e3f: both ends, the whole in the title. */
export function address(text) {
    if (text.length <= 14) {
        return element("code", null, text);
    }
    return element("code", {title: text},
        `${text.slice(0, 6)}…${text.slice(-4)}`);
}

export function hash(text, ends = 8) {
    if (!text || text.length <= 2 * ends + 1) {
        return element("code", null, text ?? "");
    }
    return element("code", {title: text},
        `${text.slice(0, ends)}…${text.slice(-ends)}`);
}

/* GPU-a8d13655-… is long and its beginning tells it apart. */
export function gpu(text) {
    return element("code", {title: text},
        text.length > 14 ? `${text.slice(0, 12)}…` : text);
}

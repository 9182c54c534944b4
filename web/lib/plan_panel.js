/*
 * plan_panel.js: a plan of runs: what was promised before, what became of it,
 * and how a stranger checks both.
 *
 * The promise is the hash of a seed. Once the seed is revealed, the visitor's
 * browser computes its hash again, and that of the plan from the bytes of its
 * line of evidence; the page can thus disagree with its own server. The
 * instants follow from the seed by HMAC, which `assay plan verify` derives.
 */
import {element, table} from "./dom.js";
import {get} from "./api.js";
import {count, duration, hash, moment, plural, short} from "./format.js";
import {storeDirectory} from "./frame.js";
import {skipWords} from "./words.js";

export function planAddress(plan) {
    return `#/plan/${plan.plan_hash}`;
}

/* ---- what became of it ------------------------------------------------- */

export function undecided(plan) {
    return Math.max(plan.runs - plan.executed - plan.skipped - plan.started,
        0);
}

function shares(plan) {
    return [["carried out", plan.executed, "good"],
        ["under way", plan.started, "none"],
        ["skipped", plan.skipped, "fair"],
        ["still to come", undecided(plan), "open"]]
        .filter(([, number]) => number > 0);
}

export function planBar(plan) {
    return [element("span", {class: "stack tall", "aria-hidden": "true"},
        shares(plan).map(([, number, tone]) => element("span",
            {class: `tone-${tone}`,
                style: {width: `${100 * number / plan.runs}%`}}))),
    element("p", {class: "legend"}, shares(plan).map(([word, number, tone]) =>
        element("span", null,
            element("span", {class: `swatch tone-${tone}`,
                "aria-hidden": "true"}),
            element("strong", null, count(number)), ` ${word}`)))];
}

/* Rows of the ledger that are at hand, as /v1/ledger/counts would have them. */
export function countsOf(rows) {
    return [...Map.groupBy(rows, (row) => `${row.state} ${row.reason ?? ""}`)]
        .map(([, of]) => ({state: of[0].state, reason: of[0].reason ?? "",
            runs: of.length}));
}

/*
 * Planned runs that were skipped, by reason, most first. COUNTS are of
 * /v1/ledger/counts; OF chooses the same runs in the address of the ledger.
 */
export function skipList(counts, of = {}) {
    const skipped = counts.filter((row) => row.state === "skipped");
    if (skipped.length === 0) {
        return null;
    }
    skipped.sort((a, b) => b.runs - a.runs);
    const address = (reason) => "#/ledger?" + new URLSearchParams(
        {...of, state: "skipped", reason});
    return element("ul", {class: "skips"}, skipped.map(({reason, runs}) =>
        element("li", null,
            element("a", {href: address(reason)},
                element("strong", null, count(runs)), " ",
                reason.replaceAll("_", " ")),
            element("span", {class: "quiet"}, ` ${skipWords(reason)}`))));
}

/* ---- checking ---------------------------------------------------------- */

async function sha256(bytes) {
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    return [...new Uint8Array(digest)]
        .map((one) => one.toString(16).padStart(2, "0")).join("");
}

function bytesOfHex(text) {
    return Uint8Array.from(text.match(/../g) ?? [],
        (one) => Number.parseInt(one, 16));
}

/* The plan's own members are what follows seq and previous in its line. */
function planBytes(line) {
    const parts = /"data":\{"seq":\d+,"previous":"[0-9a-f]*",(.*)\}\}$/s
        .exec(line);
    return parts ? new TextEncoder().encode(`{${parts[1]}}`) : null;
}

function verdict(holds, words) {
    return element("span", {class: holds ? "agrees" : "differs"},
        `${holds ? "✓" : "✗"} ${words}`);
}

/* What was found out about a plan, so that a page made anew shows it at once. */
const found = new Map();

async function checkPlan(plan, signal) {
    const checks = [];
    const line = await get(`/v1/evidence/lines/${plan.line}`, null, signal);
    const bytes = planBytes(line.text ?? "");
    if (bytes) {
        checks.push([await sha256(bytes) === plan.plan_hash,
            "the plan's line has this hash"]);
    }
    if (plan.seed) {
        checks.push([
            await sha256(bytesOfHex(plan.seed)) === plan.seed_sha256,
            "the revealed seed is the one that was promised"]);
    }
    return checks;
}

function fill(place, checks) {
    place.replaceChildren(
        ...checks.flatMap(([holds, words]) => [verdict(holds, words), " "]),
        element("small", null, "computed in your browser"));
}

/* Stays empty where the browser has no hashes to offer: on a page that is
 * neither on loopback nor under https. */
function checkPlace(plan, signal) {
    const place = element("p", {class: "checks"});
    const key = `${plan.plan_hash} ${plan.seed}`;
    if (found.has(key)) {
        fill(place, found.get(key));
    } else if (globalThis.crypto?.subtle) {
        checkPlan(plan, signal).then((checks) => {
            found.set(key, checks);
            fill(place, checks);
        }).catch(() => {});
    }
    return place;
}

/* ---- the panel --------------------------------------------------------- */

function fact(label, ...value) {
    return [element("dt", null, label), element("dd", null, ...value)];
}

function promise(plan) {
    return element("dl", {class: "facts"},
        fact("Plan", element("a", {href: planAddress(plan)},
            hash(plan.plan_hash, 12)), " · ",
        element("a", {href: `#/evidence/${plan.line}`}, "its line")),
        fact("Promised before", "the seed's SHA-256 ",
            hash(plan.seed_sha256, 12), ", written down ",
            moment(plan.made_at), " UTC, ahead of the first run"),
        fact("Revealed after", plan.seed
            ? ["the seed ", hash(plan.seed, 12), ", ",
                moment(plan.revealed_at), " UTC · ",
                element("a", {href: `#/evidence/${plan.reveal_line}`},
                    "its line")]
            : ["not yet: nobody can know the instants before ",
                moment(plan.ends_at), " UTC"]));
}

/* The ceilings of a plan in words. */
export function ceilings(plan) {
    return `At most ${short(plan.idle_share_ppm / 10000, 2)} % of each ` +
        "orchestrator's idle capacity, " +
        `${duration(plan.run_ms_per_hour)} of runs an hour, ` +
        `${plural(plan.runs_at_once, "run", "runs")} at once, ` +
        `each ${duration(plan.run_ms)} give or take ` +
        `${duration(plan.run_spread_ms)}; ` +
        (plan.day_wei > 0 ? `${count(plan.day_wei)} wei a day.`
            : "nothing is paid.");
}

export function planPanel(plan, signal) {
    return element("div", {class: "panel"},
        element("div", null, planBar(plan)),
        element("p", {class: "note"}, ceilings(plan)),
        promise(plan),
        checkPlace(plan, signal),
        element("p", {class: "note"}, "Check instants, lengths, targets and ",
            "that nothing was left out, on your own machine: ",
            element("code", null,
                `assay plan verify --data ${storeDirectory()} ` +
                plan.plan_hash.slice(0, 12)), "."));
}

/* ---- many of them ------------------------------------------------------ */

export function planList(plans) {
    return table("Plans", [
        {head: "Begins (UTC)", cell: (row) => element("a",
            {href: planAddress(row)}, moment(row.starts_at))},
        {head: "Ends", cell: (row) => moment(row.ends_at)},
        {head: "Hash", cell: (row) => hash(row.plan_hash)},
        {head: "Orchestrators", class: "number",
            cell: (row) => count(row.orchestrators)},
        {head: "Planned", class: "number", cell: (row) => count(row.runs)},
        {head: "Carried out", class: "number",
            cell: (row) => count(row.executed)},
        {head: "Skipped", class: "number", cell: (row) => count(row.skipped)},
        {head: "Still to come", class: "number",
            cell: (row) => count(undecided(row))},
        {head: "Seed", cell: (row) => row.seed ? "revealed"
            : element("span", {class: "quiet"}, "promised")},
    ], plans);
}

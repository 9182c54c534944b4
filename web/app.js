/*
 * app.js: which page the address names, and the frame around it.
 *
 * The address after # is the whole state of the page: #/, #/sla?org=x,
 * #/session/KEY, #/evidence/LINE. A page is a function from its parameters to
 * a node; while it asks the server the former page stays, and an answer that
 * comes after the visitor has moved on is dropped (AbortController).
 */
import {element, announce} from "./lib/dom.js";
import {fillFrame, isSimulated} from "./lib/frame.js";
import {overviewPage} from "./pages/overview.js";
import {scoresPage} from "./pages/scores.js";
import {sessionsPage} from "./pages/sessions.js";
import {sessionPage} from "./pages/session.js";
import {runsPage} from "./pages/runs.js";
import {runPage} from "./pages/run.js";
import {ledgerPage} from "./pages/ledger.js";
import {planPage} from "./pages/plan.js";
import {orchestratorPage} from "./pages/orchestrator.js";
import {evidencePage} from "./pages/evidence.js";
import {keepLive} from "./lib/live.js";

const PAGES = [
    {pattern: /^\/?$/, name: "overview", show: overviewPage, live: true},
    {pattern: /^\/sla$/, name: "sla", show: scoresPage},
    {pattern: /^\/sessions$/, name: "sessions", show: sessionsPage},
    {pattern: /^\/session\/(.+)$/, name: "sessions", show: sessionPage},
    {pattern: /^\/runs$/, name: "runs", show: runsPage, live: true},
    {pattern: /^\/run\/(.+)$/, name: "runs", show: runPage},
    {pattern: /^\/ledger$/, name: "ledger", show: ledgerPage, live: true},
    {pattern: /^\/plan\/(.+)$/, name: "ledger", show: planPage, live: true},
    {pattern: /^\/orchestrator\/(.+)$/, name: "overview",
        show: orchestratorPage},
    {pattern: /^\/evidence\/(\d+)$/, name: "", show: evidencePage},
];

let current = null;
let shown = null; /* {page, match, query} */

function addressParts() {
    const address = location.hash.replace(/^#/, "") || "/";
    const question = address.indexOf("?");
    const path = question < 0 ? address : address.slice(0, question);
    const query = question < 0 ? "" : address.slice(question + 1);
    return {path, query: new URLSearchParams(query)};
}

function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

function markNavigation(name) {
    for (const link of document.querySelectorAll("nav a")) {
        if (link.dataset.page === name) {
            link.setAttribute("aria-current", "page");
        } else {
            link.removeAttribute("aria-current");
        }
    }
}

function failure(error) {
    return element("div", {class: "problem"},
        element("h1", null, error.title || "This page could not be shown"),
        element("p", {class: "lead"}, error.message),
        element("p", null, element("a", {href: "#/"}, "Back to the store")));
}

function missing() {
    return element("div", {class: "problem"},
        element("h1", null, "No such page"),
        element("p", {class: "lead"},
            "The address names none of the pages of this server."),
        element("p", null, element("a", {href: "#/"}, "Back to the store")));
}

async function pageNode(page, match, query, signal) {
    try {
        const argument = match[1] === undefined ? null : decoded(match[1]);
        return await page.show({argument, query, signal});
    } catch (error) {
        if (error.name === "AbortError") {
            return null;
        }
        if (!("status" in error)) {
            console.error(error);
        }
        return failure(error);
    }
}

function place(node, jumped) {
    const main = document.getElementById("content");
    main.replaceChildren(node);
    main.removeAttribute("aria-busy");
    const heading = main.querySelector("h1");
    const title = heading ? heading.textContent : "";
    document.title = (isSimulated() ? "Simulated: " : "") +
        (title ? `${title} · assay` : "assay");
    if (jumped) {
        window.scrollTo(0, 0);
        main.focus({preventScroll: true});
        announce(title);
    }
}

async function route(jumped) {
    current?.abort();
    const controller = new AbortController();
    current = controller;
    const {path, query} = addressParts();
    const page = PAGES.find((one) => one.pattern.test(path));
    markNavigation(page?.name ?? "");
    document.getElementById("content").setAttribute("aria-busy", "true");
    const node = page
        ? await pageNode(page, page.pattern.exec(path), query,
            controller.signal)
        : missing();
    if (node && !controller.signal.aborted) {
        shown = page ? {page, match: page.pattern.exec(path), query} : null;
        place(node, jumped);
    }
}

/* The page as it is now, for whoever may put it in the place of the one that is
 * shown; null where the page does not change by itself. */
async function anew(signal) {
    if (!shown?.page.live) {
        return null;
    }
    const {page, match, query} = shown;
    const argument = match[1] === undefined ? null : decoded(match[1]);
    return page.show({argument, query, signal});
}

document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("content").focus();
});
window.addEventListener("hashchange", () => route(true));
/* First whose store it is, so that no figure stands there without the word. */
await fillFrame();
await route(false);
keepLive(document.getElementById("live"), anew, () => shown?.page.live,
    fillFrame);

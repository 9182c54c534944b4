/*
 * frame.js: what stands around every page: whose store this is, and, where its
 * network does not exist, the word for it. The mark is also an attribute of the
 * document, so that no style and no page can be without it.
 */
import {element} from "./dom.js";
import {get} from "./api.js";
import {clock, short} from "./format.js";

const SIMULATED = "Simulated network.";

let directory = "";

function hourWords(ms) {
    return ms === 3600000 ? "" : `An hour lasts ${short(ms / 1000, 1)} s. `;
}

function markSimulation(simulation) {
    const place = document.getElementById("simulated");
    if (!simulation) {
        place.hidden = true;
        return;
    }
    document.documentElement.dataset.simulated = "yes";
    place.replaceChildren(element("div", {class: "wide"},
        element("strong", null, SIMULATED), " ",
        element("span", null, "No orchestrator here is a real one. ",
            hourWords(simulation.hour_ms), `Seed ${simulation.seed}`,
            simulation.honest ? ", nobody is flattered." : ".")));
    place.hidden = false;
}

/* Asks the server, fills banner and footer, returns what it said; null where it
 * does not answer. */
export async function fillFrame() {
    const footer = document.getElementById("footer");
    try {
        const health = await get("/v1/health");
        markSimulation(health.simulation);
        directory = health.store.directory;
        footer.replaceChildren(
            element("span", null, `assay ${health.version}`),
            element("span", null, "store ",
                element("code", null, health.store.directory)),
            element("span", null,
                `read ${clock(Date.parse(health.now))} UTC`),
            element("a", {href: "/v1/health"}, "the store as JSON"));
        return health;
    } catch {
        footer.replaceChildren("The server does not answer.");
        return null;
    }
}

/* Of the store, for commands that a visitor may copy. */
export function storeDirectory() {
    return directory;
}

export function isSimulated() {
    return document.documentElement.dataset.simulated === "yes";
}

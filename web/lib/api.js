/*
 * api.js: asking our own server, and only it.
 *
 * Errors arrive as application/problem+json; their `detail` is a sentence for
 * a person and is shown as it stands.
 */

export class Problem extends Error {
    constructor(status, title, detail) {
        super(detail || title);
        this.status = status;
        this.title = title;
    }
}

async function problemOf(response) {
    try {
        const body = await response.json();
        return new Problem(response.status, body.title, body.detail);
    } catch {
        return new Problem(response.status, `status ${response.status}`, "");
    }
}

/* get("/v1/sessions", {org: "x"}): parameters that are null are left out. */
export async function get(path, parameters, signal) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters ?? {})) {
        if (value !== null && value !== undefined) {
            query.set(name, value);
        }
    }
    const text = query.toString();
    let response;
    try {
        response = await fetch(text ? `${path}?${text}` : path,
            {signal, headers: {Accept: "application/json"}});
    } catch (error) {
        if (error.name === "AbortError") {
            throw error;
        }
        throw new Problem(0, "No answer",
            "The server does not answer. Is assay serve still running?");
    }
    if (!response.ok) {
        throw await problemOf(response);
    }
    return response.json();
}

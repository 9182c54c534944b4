/*
 * filters.js: the form above a list, and the list's "older" button.
 *
 * The form writes into the address, so that every view can be sent to someone
 * else as a link.
 */
import {element} from "./dom.js";

function field(one, query) {
    const input = element("input", {name: one.name, type: "text",
        value: query.get(one.name) ?? "", placeholder: one.placeholder,
        autocomplete: "off", spellcheck: "false"});
    return element("label", null, element("span", null, one.label), input);
}

/* FIELDS: [{name, label, placeholder}]; submitting goes to PATH. */
export function filterForm(path, fields, query) {
    const form = element("form", {class: "filters", role: "search"},
        fields.map((one) => field(one, query)),
        element("button", {type: "submit"}, "Show"),
        [...query.keys()].length > 0
            ? element("a", {href: path}, "clear") : null);
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        const next = new URLSearchParams();
        for (const [name, value] of new FormData(form)) {
            if (value.trim() !== "") {
                next.set(name, value.trim());
            }
        }
        const text = next.toString();
        location.hash = text ? `${path}?${text}` : path;
    });
    return form;
}

/* Fields that are days become the bounds of the API: the end day counts. What
 * is no day goes out as it stands, and the server's sentence comes back. */
export function dayBounds(parameters) {
    const {from, to, ...rest} = parameters;
    const bounds = {...rest};
    if (from) {
        bounds.start = from;
    }
    if (to) {
        const end = Date.parse(`${to}T00:00:00Z`) + 86400000;
        bounds.end = Number.isNaN(end)
            ? to : new Date(end).toISOString();
    }
    return bounds;
}

/* A button that fetches the next page by cursor until there is none. Where the
 * state that it goes on in is gone, it begins again. */
export function olderButton(pagination, load) {
    let cursor = pagination.next_cursor;
    const button = element("button", {type: "button"}, "Show older");
    button.hidden = !pagination.has_more;
    button.addEventListener("click", async () => {
        button.disabled = true;
        if (cursor === null) {
            location.reload();
            return;
        }
        try {
            const next = await load(cursor);
            cursor = next.next_cursor;
            button.hidden = !next.has_more;
        } catch (error) {
            button.textContent = error.message;
            if (error.status !== 410) {
                return;
            }
            cursor = null;
            button.textContent = "There is newer data: begin again";
        }
        button.disabled = false;
    });
    return element("p", {class: "more"}, button);
}

/* The same for a table: what ASK answers, made a table by MAKE, goes below the
 * rows of LIST. */
export function olderRows(pagination, ask, list, make) {
    return olderButton(pagination, async (cursor) => {
        const next = await ask(cursor);
        list.querySelector("tbody").append(
            ...make(next.data).querySelectorAll("tbody tr"));
        return next.pagination;
    });
}

/*
 * dom.js: building the page from nodes.
 *
 * Every text on this page (addresses, models, error messages) comes from
 * strangers. It becomes a text node and never markup, so this file is the only
 * place that creates elements, and it has no way to parse HTML.
 */

/*
 * Characters that cannot be seen but turn their neighbours around or hide them
 * (controls, marks of writing direction) are written out.
 */
const INVISIBLE = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f" +
    "\\u061c\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff]", "g");

export function visible(text) {
    return text.replace(INVISIBLE, (one) => "⟨U+" +
        one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
}

function append(node, children) {
    for (const child of children.flat(Infinity)) {
        if (child === null || child === undefined || child === false) {
            continue;
        }
        node.append(child instanceof Node ? child : visible(String(child)));
    }
    return node;
}

function assign(node, attributes) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined || value === false) {
            continue;
        }
        if (name.startsWith("on")) {
            node.addEventListener(name.slice(2), value);
        } else if (name === "style") {
            for (const [property, text] of Object.entries(value)) {
                node.style.setProperty(property, text);
            }
        } else {
            node.setAttribute(name, value === true ? "" : value);
        }
    }
    return node;
}

/* element("p", {class: "lead"}, "text", otherNode); null children vanish. */
export function element(tag, attributes, ...children) {
    return append(assign(document.createElement(tag), attributes), children);
}

export function svg(tag, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    return append(assign(node, attributes), children);
}

/* A number or a time as shown, with the exact value for whoever points at it.
 */
export function exact(shown, value, attributes) {
    return element("span", {title: String(value), ...attributes}, shown);
}

/* "–" and why there is no value: null is never shown as zero. */
export function absent(reason) {
    return element("span", {class: "absent", title: reason},
        element("span", {"aria-hidden": "true"}, "–"),
        element("span", {class: "unseen"}, `none: ${reason}`));
}

export function announce(text) {
    document.getElementById("announce").textContent = text;
}

/*
 * A table from column descriptions {head, cell(row), class, title}. It scrolls
 * inside its own frame; the frame takes the keyboard's focus for that.
 */
export function table(caption, columns, rows) {
    const head = columns.map((column) => element("th",
        {scope: "col", class: column.class, title: column.title},
        column.head));
    const body = rows.map((row) => element("tr", null,
        columns.map((column, at) => element(at === 0 ? "th" : "td",
            {class: column.class, scope: at === 0 ? "row" : null},
            column.cell(row)))));
    return element("div",
        {class: "frame", tabindex: "0", role: "region", "aria-label": caption},
        element("table", null,
            element("caption", {class: "unseen"}, caption),
            element("thead", null, element("tr", null, head)),
            element("tbody", null, body)));
}

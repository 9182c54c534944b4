/*
 * live.js: a page that is kept up to date while somebody looks at it.
 *
 * Every few seconds the page is made anew and put in the place of the old one,
 * if it differs and if nobody is in the middle of something: the window is
 * hidden, text is selected, a field has the focus, more rows were asked for, a
 * row stands open. Focus and scrolling stay. A button in the frame stops it,
 * for whom a page that changes is one that cannot be read.
 */

const EVERY_MS = 4000;

function isInTheMiddle(main) {
    const selection = String(document.getSelection() ?? "");
    const active = document.activeElement;
    return document.hidden || selection !== "" ||
        (main.contains(active) && active.matches("input, select, .plot")) ||
        main.dataset.more === "yes" ||
        main.querySelector("[aria-expanded=true], details[open]") !== null;
}

/* Which of the main part's things that take the focus has it. */
function focusPlace(main) {
    const all = [...main.querySelectorAll("a, button, [tabindex='0']")];
    return all.indexOf(document.activeElement);
}

function exchange(main, node) {
    const at = focusPlace(main);
    const frames = [...main.querySelectorAll(".frame")]
        .map((frame) => frame.scrollLeft);
    main.replaceChildren(node);
    main.querySelectorAll(".frame").forEach((frame, index) => {
        frame.scrollLeft = frames[index] ?? 0;
    });
    if (at >= 0) {
        main.querySelectorAll("a, button, [tabindex='0']")[at]
            ?.focus({preventScroll: true});
    }
}

/*
 * BUTTON turns it on and off and is there while IS_LIVE() holds. MAKE(signal)
 * gives the page as it is now, or null; ALONG() is called with each exchange.
 */
export function keepLive(button, make, isLive, along) {
    const main = document.getElementById("content");
    let on = true;
    button.addEventListener("click", () => {
        on = !on;
        button.setAttribute("aria-pressed", String(on));
    });
    /* "Show older" fills a list that an exchange would empty. */
    main.addEventListener("click", (event) => {
        if (event.target.closest(".more button")) {
            main.dataset.more = "yes";
        }
    });
    const look = async () => {
        const before = main.firstElementChild;
        if (on && isLive() && !isInTheMiddle(main)) {
            const node = await make(AbortSignal.timeout(10 * EVERY_MS));
            const still = main.firstElementChild === before;
            if (node && still && !isInTheMiddle(main) &&
                !node.isEqualNode(before)) {
                exchange(main, node);
                await along();
            }
        }
    };
    const turn = async () => {
        button.hidden = !isLive();
        try {
            await look();
        } catch {
            /* The server does not answer: the footer says so. */
            await along();
        }
        setTimeout(turn, EVERY_MS);
    };
    window.addEventListener("hashchange", () => {
        delete main.dataset.more;
    });
    turn();
}

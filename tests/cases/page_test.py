"""The page in a real browser, headless, at desktop and phone width, light and
dark: it shows the numbers, nothing spills over, nothing complains, and nothing
is asked of any other machine.

With ASSAY_SCREENSHOTS=FOLDER every view is also kept as a picture there.
"""
import json
import os
import pathlib
import sys
import urllib.parse

from harness import (ROOT, SAMPLE_LOG, run, sanitised, serving, skip)

sys.path.insert(0, str(ROOT / "tests" / "page"))
from browser import Browser, find_chromium  # noqa: E402

KEY = "cloudspe|stream-o5s73x-mk5zc8fy|db936fab"
SESSION = "#/session/" + urllib.parse.quote(KEY, "")
LOOKS = [(1280, 900, False), (390, 844, False),
         (1280, 900, True), (390, 844, True)]


class Visit:
    """A server and a browser that looks at it; over the sample log unless
    PREPARE fills the store otherwise."""

    def __init__(self, prepare=lambda: run("import", "--org", "cloudspe",
                                           SAMPLE_LOG)):
        program = find_chromium()
        if program is None:
            skip("NOT LOOKED AT: no chromium on this machine "
                 "(apt-get install chromium, or CHROMIUM=PATH)")
        prepare()
        self.program = program

    def __enter__(self):
        self.serving = serving()
        self.server = self.serving.__enter__()
        self.browser = Browser(self.program)
        return self

    def __exit__(self, *failure):
        self.browser.close()
        return self.serving.__exit__(*failure)

    def page(self, address, width=1280, height=900, dark=False):
        page = self.browser.page(width, height, dark)
        page.open(f"{self.server.url}/{address}")
        page.settle()
        return page

    def check(self, page, name):
        """What must hold of every view."""
        keep(page, name)
        assert page.overflow() <= 0, f"{name}: {page.overflow()} px too wide"
        assert page.complaints == [], f"{name}: {page.complaints}"
        foreign = [url for url in page.requests
                   if not url.startswith((self.server.url, "about:"))]
        assert foreign == [], f"{name}: {foreign}"


def keep(page, name):
    folder = os.environ.get("ASSAY_SCREENSHOTS")
    if folder:
        os.makedirs(folder, exist_ok=True)
        page.screenshot(pathlib.Path(folder) / f"{name}.png")


def text_of(page, selector="main"):
    return page.evaluate(
        f"document.querySelector({json.dumps(selector)}).innerText")


def click(page, selector):
    page.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
    page.settle()


def test_every_view_at_every_width_and_light():
    with Visit() as visit:
        line = visit.server.json(
            "/v1/sessions/" + urllib.parse.quote(KEY, ""))["events"][0]["line"]
        views = {"store": "#/", "scores": "#/sla", "sessions": "#/sessions",
                 "session": SESSION, "evidence": f"#/evidence/{line}"}
        # The sanitised server only has to bear a browser's connections.
        for width, height, dark in LOOKS[:1] if sanitised() else LOOKS:
            for name, address in views.items():
                page = visit.page(address, width, height, dark)
                if name == "scores":
                    click(page, "button.open")
                look = f"{name}-{width}-{'dark' if dark else 'light'}"
                visit.check(page, look)
                page.call("Page.close")


def test_the_store_is_told_in_plain_words():
    with Visit() as visit:
        page = visit.page("#/")
        text = text_of(page)
        for part in ("What this store holds", "Lines kept\n65",
                     "8 Jan 2026 21:49:05 – 21:51:55", "stream_trace",
                     "85.0", "not attributed", "assay evidence verify"):
            assert part in text, (part, text)
        assert page.evaluate("document.title") == \
            "What this store holds · assay"


def test_an_empty_store_says_what_to_do():
    with Visit(lambda: None) as visit:
        page = visit.page("#/", 390, 844)
        text = text_of(page)
        assert "The store is empty" in text and "assay import" in text, text
        visit.check(page, "empty-390")
        for address in ("#/sla", "#/sessions"):
            visit.check(visit.page(address), "empty-" + address[2:])


def test_a_score_is_worked_out_and_agrees():
    with Visit() as visit:
        page = visit.page("#/sla")
        click(page, "button.open")
        page.wait_for("!!document.querySelector('.detail .frame a')")
        steps = page.evaluate("document.querySelectorAll('.sums tbody tr')"
                              ".length")
        agreeing = page.evaluate("document.querySelectorAll('.sums .agrees')"
                                 ".length")
        assert steps == agreeing == 14, (steps, agreeing)
        text = text_of(page, ".detail")
        assert "missing_candidate" in text, text
        assert "100 × 1 × (0.7 × 1 + 0.3 × 0.5)" in text, text
        assert "0 benchmark rows" in text, text
        visit.check(page, "arithmetic")


def test_two_clicks_lead_from_a_score_to_its_evidence():
    with Visit() as visit:
        page = visit.page("#/sla")
        click(page, "button.open")
        page.wait_for("!!document.querySelector('.detail .frame a')")
        click(page, ".detail .frame a")
        page.wait_for("document.querySelector('h1').textContent"
                      ".includes('stream-o5s73x')")
        text = text_of(page)
        for part in ("2,655 ms", "6,435 ms", "106 ms", "16 of 17",
                     "DEGRADED_INFERENCE", "44.007 s too late",
                     "Why it was attributed as it was"):
            assert part in text, (part, text)
        click(page, ".waterfall a")
        page.wait_for("document.querySelector('h1').textContent"
                      ".startsWith('Evidence')")
        assert "gateway_receive_stream_request" in text_of(page, "pre.line")
        visit.check(page, "evidence-by-click")


def test_keys_move_along_the_frame_rate():
    with Visit() as visit:
        page = visit.page(SESSION)
        page.evaluate("document.querySelector('.whole .plot').focus()")
        for _ in range(2):
            page.call("Input.dispatchKeyEvent", {
                "type": "keyDown", "key": "ArrowRight"})
        said = text_of(page, ".readout")
        assert "ONLINE" in said and "fps" in said and "20.3" in said, said


def test_wrong_addresses_are_answered_in_words():
    with Visit() as visit:
        page = visit.page("#/nowhere")
        assert "No such page" in text_of(page)
        visit.check(page, "no-page")
        page = visit.page("#/sla?limit=0")
        assert "from 1 to 1000" in text_of(page)
        page = visit.page("#/session/none")
        assert "there is no session" in text_of(page)


HOSTILE = '<img src=x onerror="document.title=1">\u202e\'"&<script>'


def hostile_event(number, family, data):
    data = {"stream_id": HOSTILE, "request_id": HOSTILE, **data}
    return json.dumps({"id": f"{HOSTILE}{number}", "type": family,
                       "timestamp": str(1767908945298 + number * 1000),
                       "gateway": HOSTILE, "data": data})


def import_hostile():
    info = {"orchestrator_info": {"address": HOSTILE, "url": HOSTILE}}
    lines = [
        hostile_event(0, "stream_trace", {
            "type": "gateway_receive_stream_request", **info}),
        hostile_event(1, "ai_stream_status", {
            "state": HOSTILE, "pipeline": HOSTILE, **info,
            "inference_status": {"fps": 12.5}}),
        hostile_event(2, HOSTILE, {}),
        '{"id": "' + HOSTILE]
    run("import", "--org", HOSTILE, "-", input="\n".join(lines), code=None)


def test_what_strangers_write_stays_text():
    with Visit(import_hostile) as visit:
        key = visit.server.json("/v1/sessions")["data"][0]["session_key"]
        session = "#/session/" + urllib.parse.quote(key, "")
        views = {"store": "#/", "scores": "#/sla", "sessions": "#/sessions",
                 "session": session, "evidence": "#/evidence/65536"}
        for name, address in views.items():
            page = visit.page(address, 390, 844)
            if name == "scores":
                click(page, "button.open")
            assert HOSTILE[:9] in text_of(page), name
            assert page.evaluate("document.querySelectorAll("
                                 "'img, main script').length") == 0, name
            visit.check(page, "hostile-" + name)

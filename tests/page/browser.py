"""A headless Chromium, driven over its own debugging pipe.

Messages are JSON with a zero byte after each, on file descriptors 3 (to the
browser) and 4 (from it); so no driver and no WebSocket library is needed. One
Browser is one process with an empty profile; a Page is one tab with a fixed
size and colour scheme that remembers everything it was asked to load and
everything it complained about.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find_chromium():
    """$CHROMIUM, else the system's browser, else None."""
    return (os.environ.get("CHROMIUM") or shutil.which("chromium") or
            shutil.which("chromium-browser"))


class Browser:
    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix="assay-page-")
        to_read, self.to_browser = os.pipe()
        self.from_browser, to_write = os.pipe()
        self.errors = open(os.path.join(self.profile, "stderr"), "wb")
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}',
             program, "--headless=new", "--remote-debugging-pipe",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-extensions", "--hide-scrollbars",
             "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--force-color-profile=srgb",
             f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self.errors)
        os.close(to_read)
        os.close(to_write)
        self.pending = b""
        self.number = 0
        self.pages = {}

    def close(self):
        try:
            self.call("Browser.close")
        except (OSError, RuntimeError, TimeoutError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        self.errors.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _receive(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.pending:
            left = end - time.monotonic()
            if left <= 0:
                return None
            ready, _, _ = select.select([self.from_browser], [], [], left)
            if not ready:
                return None
            more = os.read(self.from_browser, 1 << 16)
            if not more:
                raise RuntimeError("the browser went away")
            self.pending += more
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def _note(self, message):
        page = self.pages.get(message.get("sessionId"))
        if page is not None:
            page.note(message["method"], message.get("params", {}))

    def call(self, method, parameters=None, session=None, seconds=30):
        self.number += 1
        wanted = self.number
        body = {"id": wanted, "method": method, "params": parameters or {}}
        if session:
            body["sessionId"] = session
        os.write(self.to_browser, json.dumps(body).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            message = self._receive(end - time.monotonic())
            if message is None:
                raise TimeoutError(f"no answer to {method}")
            if message.get("id") == wanted:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message:
                self._note(message)

    def listen(self, seconds):
        """Takes in events for a while."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            message = self._receive(left) if left > 0 else None
            if message is None:
                return
            if "method" in message:
                self._note(message)

    def page(self, width, height, dark=False):
        target = self.call("Target.createTarget", {"url": "about:blank"})
        session = self.call("Target.attachToTarget", {
            "targetId": target["targetId"], "flatten": True})["sessionId"]
        return Page(self, session, width, height, dark)


class Page:
    def __init__(self, browser, session, width, height, dark):
        self.browser = browser
        self.session = session
        self.width = width
        self.complaints = []
        self.requests = []
        self.waiting = set()
        browser.pages[session] = self
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": width < 600})
        self.call("Emulation.setEmulatedMedia", {"features": [{
            "name": "prefers-color-scheme",
            "value": "dark" if dark else "light"}]})

    def call(self, method, parameters=None):
        return self.browser.call(method, parameters, self.session)

    def note(self, method, parameters):
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
            self.waiting.add(parameters["requestId"])
        elif method in ("Network.loadingFinished", "Network.loadingFailed"):
            self.waiting.discard(parameters["requestId"])
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get(
                "description", details.get("text")))
        elif method == "Runtime.consoleAPICalled":
            if parameters["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(
                    str(one.get("value", one.get("description")))
                    for one in parameters["args"]))
        elif method == "Log.entryAdded":
            entry = parameters["entry"]
            if entry["level"] in ("error", "warning"):
                self.complaints.append(entry["text"])

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", {
            "expression": expression, "returnByValue": True,
            "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait_for(self, expression, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.evaluate(expression):
                self.settle()
                return
            self.browser.listen(0.05)
        raise TimeoutError(f"never true: {expression}")

    def settle(self, seconds=10):
        """Until nothing is being loaded any more."""
        end = time.monotonic() + seconds
        self.browser.listen(0.15)
        while self.waiting and time.monotonic() < end:
            self.browser.listen(0.1)
        self.browser.listen(0.1)

    def open(self, address):
        """Opens ADDRESS anew, also where only its part after # differs."""
        self.call("Page.navigate", {"url": "about:blank"})
        self.browser.listen(0.1)
        self.call("Page.navigate", {"url": address})
        self.wait_for("!!document.querySelector('main h1')")

    def overflow(self):
        """Pixels by which the document is wider than the page's width; a
        window that shrinks to fit would hide it, so not innerWidth."""
        return self.evaluate(
            "document.documentElement.scrollWidth") - self.width

    def screenshot(self, path, whole=True):
        answer = self.call("Page.captureScreenshot", {
            "format": "png", "captureBeyondViewport": whole})
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

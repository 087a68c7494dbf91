"""Drives a browser through W3C WebDriver with nothing but the standard library."""

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

SECONDS_TO_START = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's key for a reference to an element


def installed():
    """Paths of chromium and its driver, and the names of those that are missing."""
    paths = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in paths.items() if path is None]
    return paths, missing


class BrowserError(Exception):
    pass


class Browser:
    """One headless window. Call close() at the end, or use a with statement."""

    def __init__(self, paths, profile):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.driver = subprocess.Popen([paths["chromedriver"], f"--port={self.port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.session = None
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--force-color-profile=srgb", f"--user-data-dir={profile}"]
        options = {"binary": paths["chromium"], "args": arguments}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        try:
            self.wait_for_driver()
            answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
            self.session = answer["sessionId"]
        except Exception:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self.call("DELETE", f"/session/{self.session}")
            except (BrowserError, OSError):
                pass
        self.driver.terminate()
        self.driver.wait(timeout=30)

    def wait_for_driver(self):
        end = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                if self.call("GET", "/status")["ready"]:
                    return
            except OSError:
                if self.driver.poll() is not None or time.monotonic() > end:
                    raise BrowserError("chromedriver does not answer") from None
            time.sleep(0.1)

    def call(self, method, path, body=None):
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(f"{method} {path}: {error.read().decode(errors='replace')[:500]}") from None

    def command(self, path, body=None, method="POST"):
        return self.call(method, f"/session/{self.session}{path}", body)

    def devtools(self, name, **parameters):
        return self.command("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, path):
        self.command("/url", {"url": path.resolve().as_uri()})

    def run(self, script, *arguments):
        """Runs a function body in the page and returns its value."""
        return self.command("/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self.command("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.command(f"/element/{self.find(selector)}/click")

    def press(self, selector, keys):
        self.command(f"/element/{self.find(selector)}/value", {"text": keys})

    def resize(self, width, height, scale=1):
        """Sets the page's size in CSS pixels; `scale` is the number of screen pixels for each."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                      mobile=width < 600)

    def settle(self):
        """Waits until the browser has drawn all changes."""
        self.command("/execute/async", {"script": "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))",
                                        "args": []})

    def console(self):
        """The browser's errors and warnings since the last call."""
        entries = self.command("/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path):
        """Saves a picture of the whole page, whatever its length."""
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

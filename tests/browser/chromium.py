"""A real browser for tests: headless Chromium, spoken to in the WebDriver protocol.

The protocol is JSON over HTTP, and the tests need a dozen of its commands, so there is nothing to
install but the browser and its driver (on Debian: chromium and chromium-driver).
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name for "this is an element"
SPACE, ENTER, CONTROL = "\ue00d", "\ue007", "\ue009"


def missing():
    """Why there is no browser here, or None if there is one."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        return "Chromium is not installed (Debian: apt-get install chromium chromium-driver)"
    if not shutil.which("chromedriver"):
        return "chromedriver is not installed (Debian: apt-get install chromium-driver)"
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(condition, what, seconds=60):
    """Ask again until condition() is true, and return what it says; fail after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.05)  # between questions; no test relies on its length


class Chromium:
    """One headless browser window; close() it."""

    def __init__(self, width=1400, height=1000):
        port = free_port()
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.base = f"http://127.0.0.1:{port}"
        try:
            until(self._is_up, "chromedriver")
            arguments = ["--headless=new", "--disable-gpu", f"--window-size={width},{height}"]
            if hasattr(os, "geteuid") and os.geteuid() == 0:
                arguments.append("--no-sandbox")  # Chromium refuses to be root with its sandbox
            options = {
                "args": arguments,
                "binary": shutil.which("chromium") or shutil.which("google-chrome"),
            }
            wanted = {"alwaysMatch": {"goog:chromeOptions": options}}
            made = self._send("POST", "/session", {"capabilities": wanted})
            self.base += f"/session/{made['sessionId']}"
        except BaseException:
            self.driver.kill()
            self.driver.wait()
            raise

    def _is_up(self):
        try:
            return self._send("GET", "/status")["ready"]
        except OSError:
            return False

    def _send(self, method, path, data=None):
        body = None if method != "POST" else json.dumps(data or {}).encode()
        request = urllib.request.Request(
            self.base + path, body, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(json.load(error)["value"]["message"]) from None

    def open(self, url):
        self._send("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """What a script returns: run("return arguments[0] + 1", 2)."""
        return self._send("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """What a script hands to its last argument, a function."""
        return self._send("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def find(self, xpath):
        """The ids of the elements that an XPath selects."""
        found = self._send("POST", "/elements", {"using": "xpath", "value": xpath})
        return [element[ELEMENT] for element in found]

    def click(self, xpath):
        """A real click of the mouse on the first element that an XPath selects."""
        element = until(lambda: self.find(xpath), xpath)[0]
        self._send("POST", f"/element/{element}/click")

    def press(self, keys, hold=""):
        """Keys of the keyboard, one after the other, wherever the focus is; `hold` is held down."""
        actions = [{"type": "keyDown", "value": k} for k in hold]
        actions += [{"type": kind, "value": k} for k in keys for kind in ("keyDown", "keyUp")]
        actions += [{"type": "keyUp", "value": k} for k in hold]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self._send("POST", "/actions", {"actions": [keyboard]})

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self._send("GET", "/screenshot")))

    def close(self):
        try:
            self._send("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)

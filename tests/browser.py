"""Pages in a real browser, where one is installed."""
import html
import os
import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def browser():
    """The path of Chromium; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or pytest.skip(f"needs a Chromium: none of {', '.join(NAMES)} is installed")


def visit(path, script="", folder=None, *flags):
    """Open a page from disk, run `script` in it when it is loaded; (the document, what `script` put into `told`, JSON).

    Fails if the page or its script writes an error to the console, or asks for anything but itself.
    """
    text = path.read_text(encoding="utf-8")
    probe = f"<script>const told = [];\n{script}\ndocument.body.dataset.told = JSON.stringify(told);</script></body>"
    page = path.with_name(f"probe-{path.name}")
    page.write_text(text.replace("</body>", probe), encoding="utf-8")
    done = subprocess.run(
        [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
         f"--user-data-dir={folder or path.parent / 'profile'}", "--enable-logging=stderr", "--v=0",
         "--virtual-time-budget=2000", *flags, "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
    page.unlink()
    told = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not told, "\n".join(told)
    found = re.search(r'data-told="([^"]*)"', done.stdout)
    assert found, f"the page was not loaded: {done.stdout[:300]} {done.stderr[-300:]}"
    return done.stdout, html.unescape(found[1])

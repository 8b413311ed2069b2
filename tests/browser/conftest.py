"""A JupyterLab of our own and a browser to look at it. Slow, so `make test-browser` runs these."""

import contextlib
import json
import os
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

import nbformat
import pytest

from .chromium import Chromium, free_port, missing, until

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(config, items):
    here = Path(__file__).parent
    asked = any(Path(arg.split("::")[0]).resolve().is_relative_to(here) for arg in config.args)
    why = missing() if asked else "in a real browser, so they are asked for: make test-browser"
    for item in items:
        if why and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=why))


class Lab:
    """A running JupyterLab with a browser on it."""

    def __init__(self, folder, url, browser):
        self.folder, self.url, self.browser = folder, url, browser

    def show(self, cells, theme="Light"):
        """Run these cells in a new notebook; returns when all have run."""
        name = f"n{len(list(self.folder.glob('*.ipynb')))}.ipynb"
        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(made, self.folder / name)
        browser = self.browser
        browser.open(f"{self.url}lab/tree/{name}?reset")
        until(lambda: browser.run("return !!window.jupyterapp"), "JupyterLab")
        ready = "return !!document.querySelector('.jp-NotebookPanel .jp-Cell')"
        until(lambda: browser.run(ready), "the notebook")
        self.theme(theme)
        kernel_up = """
            const panel = window.jupyterapp.shell.currentWidget;
            const kernel = panel && panel.sessionContext && panel.sessionContext.session
                && panel.sessionContext.session.kernel;
            return !!kernel && kernel.status === 'idle'
        """
        until(lambda: browser.run(kernel_up), "the kernel")
        failed = browser.run_async(
            "const done = arguments[arguments.length - 1];"
            "window.jupyterapp.commands.execute('notebook:run-all-cells')"
            ".then(() => done(null), e => done(String(e)))"
        )
        assert failed is None
        return name

    def theme(self, name):
        light = "true" if name == "Light" else "false"
        if self.browser.run("return document.body.dataset.jpThemeLight") == light:
            return
        self.browser.run_async(
            "const done = arguments[arguments.length - 1];"
            "window.jupyterapp.commands.execute('apputils:change-theme',"
            " {theme: 'JupyterLab ' + arguments[0]}).then(() => done(1), e => done(String(e)))",
            name,
        )
        until(
            lambda: (
                self.browser.run(
                    "return !document.getElementById('jupyterlab-splash')"
                    " && document.body.dataset.jpThemeLight"
                )
                == light
            ),
            f"the theme {name}",
        )


@contextlib.contextmanager
def running_lab(folder, python=sys.executable, *more):
    """A JupyterLab server with settings of its own, and a browser. Kernels see the repository."""
    work = folder / "work"
    work.mkdir()
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False}), encoding="utf-8"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    url = f"http://127.0.0.1:{(port := free_port())}/"
    command = [str(python), "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
    command += [f"--ServerApp.root_dir={work}", *more]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=log)

    def is_up():
        if server.poll() is not None:
            raise RuntimeError((folder / "log").read_text()[-2000:])
        try:
            with urllib.request.urlopen(url + "api", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    browser = None
    try:
        until(is_up, "the JupyterLab server", 120)
        browser = Chromium()
        yield Lab(work, url, browser)
    finally:
        if browser:
            browser.close()
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab as this environment has it."""
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


SEVEN = (
    "ipywidgets==7.7.1",
    "jupyterlab_widgets==1.1.11",
    "widgetsnbextension==3.6.10",
    "ipython-genutils==0.2.0",
)


@pytest.fixture(scope="session")
def lab_seven(tmp_path_factory):
    """The same with ipywidgets 7.7, Colab's, in an environment of its own; the rest is shared."""
    folder = tmp_path_factory.mktemp("seven")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    python = folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", *SEVEN],
        capture_output=True,
        text=True,
    )
    if install.returncode:
        pytest.skip(f"ipywidgets 7.7 could not be installed: {install.stderr.strip()[-200:]}")
    (site,) = folder.glob("env/**/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    app = Path(sys.prefix, "share", "jupyter", "lab")
    with running_lab(folder, python, f"--app-dir={app}") as running:
        yield running


@pytest.fixture(scope="session")
def pictures():
    """Where screenshots go, to be looked at."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""Child processes: ended in order, and never left behind."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
from support.waiting import wait_for

import pipeline
from femtotango.stack.command import Command
from femtotango.stack.processes import Process, end


def python(name: str, code: str) -> Command:
    return Command(name, sys.executable, ("-c", textwrap.dedent(code)))


STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(60)
"""


def search_too(folder: Path) -> dict[str, str]:
    paths = [str(folder), os.environ.get("PYTHONPATH")]
    # An empty part of the path would be the working folder.
    return {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def ready(process: Process) -> bool:
    return "ready" in process.log.read_text()


def test_end_kills_what_ignores_sigterm(tmp_path: Path):
    gentle = Process(
        python("gentle", "print('ready', flush=True); input_ = 0\nimport time\ntime.sleep(60)"),
        tmp_path,
    )
    stubborn = Process(python("stubborn", STUBBORN), tmp_path)
    wait_for(lambda: ready(gentle) and ready(stubborn))
    end([gentle, stubborn], patience=0.5)
    assert gentle.exit_code == -signal.SIGTERM
    assert stubborn.exit_code == -signal.SIGKILL


def test_environment_and_output_arrive(tmp_path: Path):
    code = "import os; print(os.environ['COLOUR'])"
    process = Process(Command("child", sys.executable, ("-c", code), {"COLOUR": "blue"}), tmp_path)
    wait_for(lambda: not process.alive)
    assert process.exit_code == 0
    assert process.log.read_text() == "blue\n"


def test_epitaph_has_the_last_lines(tmp_path: Path):
    process = Process(python("child", "print('a line'); raise SystemExit('no money')"), tmp_path)
    wait_for(lambda: not process.alive)
    assert "child ended with 1" in process.epitaph()
    assert "no money" in process.epitaph()


def test_a_function_is_called_under_the_name_asked_for(tmp_path: Path):
    (tmp_path / "tool.py").write_text("import sys\ndef run(): print(sys.argv)\n")
    command = Command("tool", "Tool=tool:run", ("x",), search_too(tmp_path))
    process = Process(command, tmp_path)
    wait_for(lambda: not process.alive)
    assert process.log.read_text() == "['Tool', 'x']\n"


def test_a_class_that_does_not_load_ends_the_process(tmp_path: Path):
    process = Process(
        Command("worker", "time:sleep", (), {"FEMTOTANGO_NEEDS": "pipeline.nix:Worker"}), tmp_path
    )
    wait_for(lambda: not process.alive)
    assert process.exit_code == 1
    assert "pipeline.nix" in process.epitaph()


@pytest.mark.parametrize("name", ["pipeline", "femtotango", "json"])
def test_files_in_the_working_folder_are_not_imported(tmp_path: Path, monkeypatch, name: str):
    here, users = tmp_path / "here", tmp_path / "users"
    here.mkdir()
    users.mkdir()
    (here / f"{name}.py").write_text("raise SystemExit('a stranger')")
    (users / "own.py").write_text("import pipeline\ndef run(): print(pipeline.__file__)\n")
    monkeypatch.chdir(here)
    needs = {"FEMTOTANGO_NEEDS": "own:run", **search_too(users)}
    process = Process(Command("worker", "own:run", (), needs), tmp_path)
    wait_for(lambda: not process.alive)
    assert process.log.read_text().strip() == pipeline.__file__


PARENT = """
import sys, time
from pathlib import Path
from femtotango.stack.command import Command
from femtotango.stack.processes import Process
folder, code = sys.argv[1:]
child = Process(Command("child", sys.executable, ("-c", code)), Path(folder))
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_children_end_with_their_parent(tmp_path: Path, how: signal.Signals):
    line = [sys.executable, "-c", PARENT, str(tmp_path), textwrap.dedent(STUBBORN)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_for(lambda: "ready" in (tmp_path / "child.log").read_text())
        os.kill(parent.pid, how)
    wait_for(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie")

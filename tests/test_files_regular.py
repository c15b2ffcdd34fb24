"""Pipes, devices and full disks: what is read is a regular file, and what cannot be written is named."""

import errno
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import jaxnet
from jaxnet.cli import main
from jaxnet.data.atomic import atomic_file, check_file_place

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")


@needs_pipes
@pytest.mark.parametrize(
    "read", [jaxnet.load, jaxnet.read_metadata, jaxnet.Store], ids=["load", "read_metadata", "Store"]
)
def test_pipes_and_devices_are_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(jaxnet.InvalidInput, match=r"is no regular file \(a pipe or a device\?\)"):
            found = read(path)
            found.runs()  # a store is looked for when it is asked


@needs_pipes
@pytest.mark.parametrize(
    "command",
    ["inspect PIPE", "runs PIPE", "show PIPE a", "compare PIPE x", "export PIPE --out x.npz", "predict PIPE x.csv",
     "report PIPE", "plot PIPE cv --out x.png", "sweep --store PIPE --example diabetes", "sweep PIPE.csv --target y",
     "missing PIPE.csv", "inspect x.jaxnet --key-file PIPE"],
)  # fmt: skip
def test_no_command_waits_for_a_pipe(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(pipe := tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.csv")
    assert main(command.replace("PIPE", str(pipe)).split()) == 1
    assert "no regular file" in capsys.readouterr().err and sorted(os.listdir(tmp_path)) == ["pipe", "pipe.csv"]


@needs_pipes
def test_results_may_be_written_to_a_pipe(tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    check_file_place(pipe)  # neither waits for a reader, nor is taken by one for the end
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with atomic_file(pipe) as file:
        file.write(b"all of it")
    reader.join(10)
    assert read == [b"all of it"]


@needs_pipes
def test_dev_stdout_is_a_place_for_results(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.random.default_rng(0).normal(size=(30, 3)), y=np.arange(30.0))
    run, sweep = str(tmp_path / "run"), ["sweep", str(tmp_path / "t.npz"), "--rho", "1", "--alphas", "3", "--cv", "2"]
    assert main([*sweep, "--out", run, "--quiet"]) == 0
    command = [sys.executable, "-m", "jaxnet", "predict", run, str(tmp_path / "t.npz"), "--out", "/dev/stdout"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("prediction\n") and done.stdout.count("\n") == 31, (
        done.stderr
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_a_full_disk_is_said_with_the_name_of_the_file(tmp_path):
    with pytest.raises(OSError, match="No space left on device: '/dev/full'") as caught:
        jaxnet.save(np.zeros(100_000), "/dev/full")
    assert caught.value.errno == errno.ENOSPC
    path = tmp_path / "file"
    with pytest.raises(OSError, match=f"No space left on device: '{path}'"), atomic_file(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("path", ["a\0b", b"a", 3, None, 1.5])
def test_what_can_be_no_name_is_refused_in_a_sentence(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = jaxnet.sweep(np.eye(4), np.arange(4.0), rho=1, alphas=2, cv=2)
    for call in (lambda: jaxnet.save(1, path), lambda: jaxnet.load(path), lambda: jaxnet.Store(path).runs(),
                 lambda: jaxnet.fit_path(np.eye(4), np.arange(4.0), store=path or 0), lambda: result.to_html(path)):  # fmt: skip
        with pytest.raises(jaxnet.InvalidInput, match=r"cannot be the name of a file|is no path"):
            call()
    assert not os.listdir(tmp_path)


def test_the_command_line_refuses_nul(capsys):
    with pytest.raises(SystemExit):
        main(["inspect", "a\0b"])
    assert "an argument has a NUL in it" in capsys.readouterr().err

"""Runs the built commands as a user does. Each test is a function test_…(); ctest runs one by its
name: <file>.py --bin FOLDER [--fake-plugin FILE] [--counted-plugin FILE] test_name."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

options = None


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def says(self, code, *texts):
        """The exit code, and what the user reads on standard error, in one plain line."""
        assert self.code == code, f"exit code {self.code}, want {code}\n{self.out}\n{self.err}"
        for text in texts:
            assert text in self.err, f"'{text}' is not in: {self.err}"
        for bad in ("terminate called", "what():", "Traceback"):
            assert bad not in self.err, self.err
        return self

    def json(self):
        return json.loads(self.out)


def environment(plugin=None):
    """Without any GPU, unless a folder with a plugin is given."""
    env = dict(os.environ)
    env["RIDGE_PLUGIN_DIR"] = str(plugin or options.scratch)
    return env


def command(name, *arguments):
    return [str(options.bin / name), *map(str, arguments)]


def run(name, *arguments, plugin=None, timeout=120, env=None):
    """`env` goes over the environment."""
    return Result(subprocess.run(command(name, *arguments),
                                 env={**environment(plugin), **(env or {})}, text=True,
                                 capture_output=True, timeout=timeout, cwd=options.scratch,
                                 check=False))


def plugin_folder(library):
    folder = options.scratch / "plugin"
    folder.mkdir()
    shutil.copy(library, folder / "ridge_cuda.so")
    return folder


def fake_gpu():
    """A folder with a plugin whose device says that it is an NVIDIA A100-SXM4-80GB."""
    return plugin_folder(options.fake_plugin)


def counted_gpu():
    """The same of an NVIDIA H200 that runs rmsnorm in f32 and logs its launches and ranges."""
    return plugin_folder(options.counted_plugin)


def main(tests):
    global options
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--fake-plugin", type=pathlib.Path)
    parser.add_argument("--counted-plugin", type=pathlib.Path)
    parser.add_argument("test")
    options = parser.parse_args()
    options.bin = options.bin.resolve()
    with tempfile.TemporaryDirectory(prefix="ridge-programs-") as scratch:
        options.scratch = pathlib.Path(scratch)
        tests[options.test]()

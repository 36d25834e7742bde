"""What a case of tests/field works with: a folder of its own, the programs, and what it may assert."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time


class Failed(Exception):
    """A case's assertion does not hold."""


def check(holds, what):
    if not holds:
        raise Failed(what)


class Outcome:
    """A finished program."""

    def __init__(self, program):
        self.code = program.returncode
        self.out = program.stdout
        self.said = program.stderr  # warnings and errors
        lines = [line for line in self.out.splitlines() if line.startswith("{")]
        try:
            self.json = json.loads(lines[-1]) if lines else {}
        except json.JSONDecodeError:
            self.json = {}

    @property
    def refused(self):
        return self.code != 0

    def says(self, pattern):
        return re.search(pattern, self.said + self.out, re.IGNORECASE) is not None


def right(outcome, value, want, within=0.005):
    """The program ended well, and its JSON has the right value."""
    check(not outcome.refused, f"exit status {outcome.code}: {outcome.said.strip()[-400:]}")
    got = outcome.json.get(value)
    check(got is not None and abs(got - want) <= within, f"{value} is {got}, not {want}: {outcome.said.strip()[-400:]}")


def refused(outcome, pattern):
    """The program ended with an error that names the way out."""
    check(outcome.refused, f"exit status 0, but should be refused; said: {outcome.said.strip()[-400:]}")
    check("error" in outcome.said and outcome.says(pattern), f"the error does not match /{pattern}/: {outcome.said.strip()[-400:]}")
    check(outcome.code in range(1, 100), f"exit status {outcome.code}, which is no orderly end")


def right_or_refused(outcome, value, want, pattern, within=0.005):
    if outcome.refused:
        refused(outcome, pattern)
    else:
        right(outcome, value, want, within)


class World:
    def __init__(self, programs):
        self.programs = pathlib.Path(programs).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hedge_field_"))
        self.children = []

    def close(self):
        for child in self.children:
            child.kill()
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return self.folder / name

    def run(self, program, *arguments, timeout=100):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [str(self.programs / program), *map(str, arguments)]
        return Outcome(subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout, cwd=self.folder,
                                      env=environment, check=False))

    def hedge(self, *arguments):
        return self.run("hedge", *arguments)

    def predict(self, data, base, model_global, *arguments, out="predictions.table"):
        """One split; accuracies are `base_accuracy` and `global_accuracy`."""
        return self.hedge("predict", "--data", data, "--base", base, "--global", model_global, "--cache", "none", "--threads", 1, "--out",
                          self.path(out), *arguments)

    def tables(self, data, base, model_global, *arguments):
        """The three splits; the first outcome that is an error, or the last."""
        for split in ("train", "calibration", "test"):
            outcome = self.predict(f"{data}?split={split}", base, model_global, *arguments, out=f"{split}.table")
            if outcome.refused:
                break
        return outcome

    def fit(self, router="margin", coverage=0.7, *arguments):
        shutil.rmtree(self.path("hybrid"), ignore_errors=True)
        return self.hedge("fit", "--table", self.path("train.table"), "--calibration", self.path("calibration.table"), "--router", router,
                          "--coverage", coverage, "--threads", 1, "--out", self.path("hybrid"), *arguments)

    def policy(self):
        return json.loads((self.path("hybrid") / "policy.json").read_text())

    def judged(self):
        """The report of the fitted hybrid on the test table."""
        shutil.rmtree(self.path("report"), ignore_errors=True)
        outcome = self.hedge("eval", "--table", self.path("test.table"), "--hybrid", self.path("hybrid"), "--out", self.path("report"))
        check(not outcome.refused, f"hedge eval: {outcome.said}")
        return json.loads((self.path("report") / "report.json").read_text())

    def bundle(self, base, model_global, *arguments):
        shutil.rmtree(self.path("bundle"), ignore_errors=True)
        return self.hedge("bundle", "--base", base, "--global", model_global, "--hybrid", self.path("hybrid"), "--out", self.path("bundle"),
                          *arguments)

    def serve(self, model, *arguments):
        """The address of a cloud that serves the model; nothing where it refuses (`self.cloud_log`)."""
        port = self.path("port")
        port.unlink(missing_ok=True)
        self.cloud_log = self.path("cloud.log")
        with open(self.cloud_log, "w", encoding="utf-8") as log:
            command = [self.programs / "hedge-cloud", "serve", "--model", model, "--address", "127.0.0.1:0", "--threads", "1", "--port-file",
                       port, *arguments]
            child = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd=self.folder)
        self.children.append(child)
        while child.poll() is None:
            if port.exists() and port.read_text().strip():
                return f"127.0.0.1:{port.read_text().strip()}"
            time.sleep(0.05)
        return None

    def edge(self, data, address, *arguments):
        """Answers a data set with the bundle; the outcome's JSON is the summary: accuracy, cloud, fallback."""
        summary = self.path("summary.json")
        summary.unlink(missing_ok=True)
        cloud = ["--cloud", address] if address else []
        outcome = self.run("hedge-edge", "run", self.path("bundle"), "--input", data, *cloud, "--deadline-ms", 20000, "--threads", 1, "--out",
                           self.path("answers.jsonl"), "--summary", summary, *arguments)
        outcome.json = json.loads(summary.read_text()) if summary.exists() else {}
        return outcome

    def answers(self):
        return [json.loads(line) for line in self.path("answers.jsonl").read_text().splitlines()]

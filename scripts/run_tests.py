#!/usr/bin/env python3
"""Runs ctest, and fails where a test is skipped that must not be.

    scripts/run_tests.py BUILD_FOLDER [CTEST OPTION...]

Skips are counted wherever they happen: a whole ctest entry (skipped by its status or its output, or disabled) goes by ctest's name, a test inside a
GoogleTest program (GTEST_SKIP, DISABLED_) by PROGRAM/SUITE.TEST. tests/may_skip.txt lists what may be skipped, where, and why.
Exit status: ctest's where that is not 0; else 1 where a skip is not allowed, or where a line of the list names no test (so the options must select
all tests, as `make test` does); else 0.
"""

import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "tests" / "may_skip.txt"
ANYWHERE = "anywhere"
WITHOUT = "without="


def read_list(path):
    """[(pattern, condition, why)]; exits where a line is not `NAME CONDITION WHY`."""
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(maxsplit=2)
        if len(parts) < 3 or not (parts[1] == ANYWHERE or parts[1].removeprefix(WITHOUT) not in ("", parts[1])):
            sys.exit(f"{path}:{number}: expected a test's name, {ANYWHERE} or {WITHOUT}PATH, and why; got: {line}")
        entries.append(tuple(parts))
    return entries


def matches(pattern, name):
    return fnmatch.fnmatchcase(name, pattern)


def may_skip(name, entries):
    """The entry that lets this test be skipped on this machine, or None."""
    for pattern, condition, why in entries:
        if matches(pattern, name) and (condition == ANYWHERE or not (ROOT / condition.removeprefix(WITHOUT)).exists()):
            return why
    return None


def reason_of(case):
    """What a skipped <testcase> says: a line "skipped: ..." of its output, or what the element itself tells."""
    told = re.search(r"^skipped\b.*", case.findtext("system-out") or "", re.MULTILINE)
    mark = case.find("skipped")
    text = told[0] if told else mark.get("message", "") if mark is not None else ""
    return " ".join(text.split()) or "no reason given"


def read_results(folder):
    """All tests in the folder's reports as {name: why it was skipped, or None where it ran}. ctest.xml is ctest's; each other file is a
    GoogleTest program's (or of that form, as pytest's --junitxml)."""
    results = {}
    for path in sorted(folder.glob("*.xml")):
        of_ctest = path.name == "ctest.xml"
        try:
            cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
        except xml.etree.ElementTree.ParseError as error:
            sys.exit(f"{path}: not a report of tests: {error}")
        for case in cases:
            name = case.get("name") if of_ctest else f"{path.stem}/{case.get('classname')}.{case.get('name')}"
            skipped = case.find("skipped") is not None or case.get("status") in ("disabled", "notrun")
            results[name] = reason_of(case) if skipped else None
    return results


def judge(results, entries):
    """(a line for each skip that is allowed, a line for each that is not)"""
    allowed, wrong = [], []
    for name, reason in results.items():
        if reason is None:
            continue
        why = may_skip(name, entries)
        if why is None:
            wrong.append(f"skipped, and tests/may_skip.txt does not allow it here: {name}: {reason}")
        else:
            allowed.append(f"skipped, as tests/may_skip.txt allows: {name}: {why}")
    return allowed, wrong


def unused(results, entries):
    """A line for each entry of the list that names no test."""
    return [f"tests/may_skip.txt names no test: {pattern}" for pattern, _, _ in entries if not any(matches(pattern, name) for name in results)]


def main(build, options):
    entries = read_list(LIST)
    reports = pathlib.Path(build).resolve() / "test_reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    command = ["ctest", "--test-dir", build, "--output-junit", reports / "ctest.xml", *options]
    status = subprocess.run(command, env=dict(os.environ, GTEST_OUTPUT=f"xml:{reports}/")).returncode
    results = read_results(reports)
    allowed, wrong = judge(results, entries)
    if status == 0:  # else tests may be missing that could not be started
        wrong += unused(results, entries)
    for line in allowed:
        print(line)
    sys.stdout.flush()
    for line in wrong:
        print(line, file=sys.stderr)
    return status or (1 if wrong else 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))

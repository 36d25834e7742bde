"""scripts/run_tests.py with the real ctest, on entries and a GoogleTest program that skip in every way (HEDGE_SKIPPING_PROGRAM)."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "run_tests.py"
PROGRAM = os.environ["HEDGE_SKIPPING_PROGRAM"]


class RunTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "checkout"
        for name in ("scripts", "tests", "build"):
            (self.root / name).mkdir(parents=True)
        shutil.copy(SCRIPT, self.root / "scripts")

    def run_tests(self, *entries, may_skip="", options=()):
        """The script's run over ctest entries (name, command, properties) under a list."""
        lines = []
        for name, command, properties in entries:
            lines.append(f'add_test({name} {" ".join(f"[==[{word}]==]" for word in command)})')
            lines += [f"set_tests_properties({name} PROPERTIES {properties})"] if properties else []
        (self.root / "build" / "CTestTestfile.cmake").write_text("\n".join(lines))
        (self.root / "tests" / "may_skip.txt").write_text(may_skip)
        return subprocess.run([self.root / "scripts" / "run_tests.py", "build", *options], cwd=self.root, capture_output=True, text=True)

    @staticmethod
    def program(which):
        return ("program", [PROGRAM, f"--gtest_filter={which}"], "")

    def expect_unexpected_skip(self, done, name, reason):
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(f"skipped, and tests/may_skip.txt does not allow it here: {name}: {reason}", done.stderr)

    def test_passes_where_all_tests_run(self):
        done = self.run_tests(self.program("Sample.runs"), ("entry", ["true"], ""))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_a_skip_inside_a_googletest_program_fails(self):
        done = self.run_tests(self.program("Sample.runs:Sample.skips"))
        self.expect_unexpected_skip(done, "skipping_program/Sample.skips", "")
        self.assertIn("no such thing here", done.stderr)
        self.assertNotIn("Sample.runs", done.stderr)

    def test_a_skip_in_a_fixture_fails(self):
        done = self.run_tests(self.program("All/*"))
        self.expect_unexpected_skip(done, "skipping_program/All/SampleFixture.skips/0", "")
        self.assertIn("not for 7", done.stderr)

    def test_a_disabled_googletest_test_fails(self):
        self.expect_unexpected_skip(self.run_tests(self.program("*waits")), "skipping_program/Sample.DISABLED_waits", "no reason given")

    def test_a_skipped_entry_fails_whatever_the_mechanism(self):
        by_status = ("entry", ["sh", "-c", "echo skipped: no thing; exit 77"], "SKIP_RETURN_CODE 77")
        self.expect_unexpected_skip(self.run_tests(by_status), "entry", "skipped: no thing")
        by_words = ("entry", ["echo", "skipped: none"], 'SKIP_REGULAR_EXPRESSION "^skipped"')
        self.expect_unexpected_skip(self.run_tests(by_words), "entry", "skipped: none")
        silent = ("entry", ["sh", "-c", "exit 77"], "SKIP_RETURN_CODE 77")
        self.expect_unexpected_skip(self.run_tests(silent), "entry", "SKIP_RETURN_CODE=77")
        self.expect_unexpected_skip(self.run_tests(("entry", ["true"], "DISABLED ON")), "entry", "no reason given")

    def test_the_list_allows_a_skip_and_says_why(self):
        done = self.run_tests(self.program("Sample.*s:-*.fails"), may_skip="skipping_program/Sample.skips anywhere odd kernels\n")
        self.expect_unexpected_skip(done, "skipping_program/Sample.DISABLED_waits", "no reason given")
        self.assertIn("skipped, as tests/may_skip.txt allows: skipping_program/Sample.skips: odd kernels", done.stdout)
        done = self.run_tests(self.program("Sample.skips"), may_skip="# comment\n\nskipping_program/Sample.s* anywhere odd kernels\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_skip_allowed_without_a_path_fails_where_the_path_is(self):
        skips = ("entry", ["sh", "-c", "exit 77"], "SKIP_RETURN_CODE 77")
        may_skip = "entry without=../shared/models needs the models\n"
        self.assertEqual(self.run_tests(skips, may_skip=may_skip).returncode, 0)
        (self.root.parent / "shared" / "models").mkdir(parents=True)
        self.expect_unexpected_skip(self.run_tests(skips, may_skip=may_skip), "entry", "SKIP_RETURN_CODE=77")

    def test_a_line_that_names_no_test_fails(self):
        done = self.run_tests(("entry", ["true"], ""), may_skip="renamed anywhere once there\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("tests/may_skip.txt names no test: renamed", done.stderr)

    def test_a_line_that_is_none_is_refused(self):
        for line in ("entry", "entry anywhere", "entry without= why", "entry sometimes why"):
            done = self.run_tests(("entry", ["true"], ""), may_skip=line + "\n")
            self.assertEqual(done.returncode, 1, line)
            self.assertIn("may_skip.txt:1: expected", done.stderr)

    def test_a_failed_test_gives_ctests_status_and_old_reports_do_not_count(self):
        self.assertEqual(self.run_tests(self.program("Sample.skips")).returncode, 1)
        done = self.run_tests(self.program("Sample.fails"))
        self.assertEqual(done.returncode, 8, done.stdout)
        self.assertEqual(self.run_tests(("entry", ["true"], "")).returncode, 0)

    def test_options_go_to_ctest(self):
        entries = (("wanted", ["true"], "LABELS unit"), ("broken", ["false"], "LABELS slow"))
        self.assertEqual(self.run_tests(*entries, options=["-L", "unit"]).returncode, 0)
        self.assertNotEqual(self.run_tests(*entries, options=["-L", "none", "--no-tests=error"]).returncode, 0)


if __name__ == "__main__":
    unittest.main()

"""scripts/build.sh among stand-ins for CMake, Ninja and dpkg: when it configures, and when it does not."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "build.sh"
CMAKE = """#!/bin/sh
echo configured >>done
test ! -f broken || { echo "no compiler"; exit 1; }
touch build/release/build.ninja
"""
NINJA = '#!/bin/sh\necho "built $*" >>done\n'
DPKG = "#!/bin/sh\ncat installed\n"


class Build(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("scripts", "bin", ".venv", ".venv-torch2"):
            (self.root / name).mkdir()
        shutil.copy(SCRIPT, self.root / "scripts")
        for name, text in (("cmake", CMAKE), ("ninja", NINJA), ("dpkg-query", DPKG)):
            (self.root / "bin" / name).write_text(text)
            (self.root / "bin" / name).chmod(0o755)
        (self.root / "CMakePresets.json").write_text("{}")
        (self.root / "scripts" / "packages.txt").write_text("# comment\n[build] why\ncmake 3.25\n")
        (self.root / "installed").write_text("cmake installed 3.25\n")

    def build(self, *targets):
        """What one run did: the words of the stand-ins, in order."""
        (self.root / "done").write_text("")
        environment = dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}", JOBS="3")
        run = subprocess.run([self.root / "scripts" / "build.sh", "release", *targets], env=environment, capture_output=True, text=True)
        done = [line.split()[0] for line in (self.root / "done").read_text().splitlines()]
        return run, done

    def expect(self, *words):
        run, done = self.build()
        self.assertEqual((run.returncode, done), (0, list(words)), run.stderr)

    def test_configures_once(self):
        self.expect("configured", "built")
        self.expect("built")

    def test_configures_again_when_a_package_or_a_wheel_came(self):
        self.expect("configured", "built")
        (self.root / "installed").write_text("cmake installed 3.25\ngcc-arm-none-eabi installed 15:12\n")
        self.expect("configured", "built")
        for stamp in (".venv/.hedge-stamp-test", ".venv-torch2/.hedge-stamp-torch2"):
            (self.root / stamp).write_text("1\n")
            self.expect("configured", "built")
        self.expect("built")

    def test_configures_again_when_the_presets_changed(self):
        self.expect("configured", "built")
        (self.root / "CMakePresets.json").write_text('{"version": 6}')
        self.expect("configured", "built")
        self.expect("built")

    def test_a_failed_configuration_is_told_and_tried_again(self):
        self.expect("configured", "built")
        (self.root / "installed").write_text("cmake installed 3.26\n")
        (self.root / "broken").touch()
        for _ in range(2):
            run, done = self.build()
            self.assertEqual((run.returncode, done), (1, ["configured"]))
            self.assertIn("no compiler", run.stderr)
        (self.root / "installed").write_text("cmake installed 3.25\n")  # as it was when it went well
        (self.root / "broken").unlink()
        self.expect("configured", "built")

    def test_builds_the_targets_with_the_jobs(self):
        self.build("hedge", "hedge-edge")
        self.assertRegex((self.root / "done").read_text(), r"built -C build/release .*-j 3 hedge hedge-edge\n")


if __name__ == "__main__":
    unittest.main()

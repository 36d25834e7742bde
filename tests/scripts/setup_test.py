"""scripts/setup.sh among stand-ins for apt, dpkg and pip: libtorch 2 in its own virtual environment."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
PACKAGES = ".venv-torch2/lib/python3.11/site-packages"
KEPT = ("torch/include/torch/csrc/api/include/torch/torch.h", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1",
        "nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libcupti.so.13", "torch-2.dist-info/METADATA", "pip/__init__.py")
CUT = ("torch/include/google/protobuf/message.h", "torch/lib/libtorch_cuda.so", "torch/lib/libtorch_python.so", "torch/bin/protoc",
       "torch/__init__.py", "torchgen/api.py", "nvidia/cu13/lib/libnvperf_host.so", "nvidia/cu13/include/cuda.h")
PIP = """#!/bin/sh
echo "pip $*" >>done
for file in %s; do mkdir -p %s/$(dirname $file) && echo >%s/$file; done
"""
STAND_INS = {"dpkg-query": "cat installed", "dpkg": "exit 1", "apt-get": "exit 1", "uname": 'test "$1" = -m && cat machine'}


class SetUpTorch2(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "bin").mkdir()
        (self.root / "scripts").mkdir()
        for name in ("setup.sh", "packages.txt", "requirements-torch2.txt"):
            shutil.copy(SCRIPTS / name, self.root / "scripts")
        for name, text in STAND_INS.items():
            self.program(self.root / "bin" / name, f"#!/bin/sh\n{text}\n")
        self.program(self.root / ".venv-torch2" / "bin" / "python", PIP % (" ".join(KEPT + CUT), PACKAGES, PACKAGES))
        (self.root / "installed").write_text("".join(f"{name} installed 99999999:1\n" for name in ("ca-certificates", "python3", "python3-venv")))
        (self.root / "machine").write_text("x86_64\n")

    @staticmethod
    def program(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def set_up(self, group="torch2"):
        """The run, and the calls of pip."""
        (self.root / "done").write_text("")
        environment = dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}")
        run = subprocess.run([self.root / "scripts" / "setup.sh", group], env=environment, capture_output=True, text=True)
        return run, (self.root / "done").read_text().splitlines()

    def test_installs_once_without_what_the_wheels_ask_for(self):
        run, calls = self.set_up()
        self.assertEqual((run.returncode, len(calls)), (0, 1), run.stderr)
        for word in ("--no-deps", "--require-hashes", "-r scripts/requirements-torch2.txt"):
            self.assertIn(word, calls[0])
        self.assertIn("torch==2", run.stdout)
        run, calls = self.set_up()
        self.assertEqual((run.returncode, calls), (0, []), run.stderr)
        self.assertIn("everything is there", run.stdout)

    def test_leaves_what_programs_are_built_and_run_with(self):
        self.set_up()
        packages = self.root / PACKAGES
        self.assertEqual([name for name in KEPT if not (packages / name).exists()], [])
        self.assertEqual([name for name in CUT if (packages / name).exists()], [])

    def test_installs_again_for_another_version(self):
        self.set_up()
        with open(self.root / "scripts" / "requirements-torch2.txt", "a", encoding="utf-8") as file:
            file.write("# another\n")
        self.assertEqual(len(self.set_up()[1]), 1)

    def test_refuses_a_machine_that_the_wheel_is_not_for(self):
        (self.root / "machine").write_text("aarch64\n")
        run, calls = self.set_up()
        self.assertEqual((run.returncode, calls), (1, []))
        self.assertIn("HEDGE_TORCH_ROOT", run.stderr)

    def test_names_the_groups_where_one_is_unknown(self):
        run, calls = self.set_up("torch3")
        self.assertEqual((run.returncode, calls), (1, []))
        self.assertIn("torch2", run.stderr)


if __name__ == "__main__":
    unittest.main()

"""cmake/HedgeTorch.cmake with folders that are a libtorch, none, or one that cannot be linked."""

import pathlib
import subprocess
import tempfile
import unittest

MODULE = pathlib.Path(__file__).resolve().parents[2] / "cmake" / "HedgeTorch.cmake"
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(mini NONE)
include("%s")
get_target_property(libraries hedge_torch INTERFACE_LINK_LIBRARIES)
get_target_property(system hedge_torch INTERFACE_SYSTEM_INCLUDE_DIRECTORIES)
message(STATUS "libraries: ${libraries}; system: ${system}; rpath: ${CMAKE_INSTALL_RPATH}")
"""


class TorchRoot(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.torch = self.folder / "torch"
        (self.folder / "CMakeLists.txt").write_text(PROJECT % MODULE)
        self.put("include/torch/csrc/api/include/torch/torch.h", "")
        self.put("lib/libtorch_cpu.so", "")
        self.put("lib/libc10.so", "_ZN3c105ErrorC1ENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE\n")

    def put(self, name, text):
        (self.torch / name).parent.mkdir(parents=True, exist_ok=True)
        (self.torch / name).write_text(text)

    def configure(self):
        command = ["cmake", "-S", self.folder, "-B", self.folder / "build", f"-DHEDGE_TORCH_ROOT={self.torch}"]
        run = subprocess.run(command, capture_output=True, text=True)
        return run.returncode, " ".join((run.stdout + run.stderr).split())

    def test_links_what_computes_on_the_cpu_and_nothing_else(self):
        code, said = self.configure()
        self.assertEqual(code, 0, said)
        self.assertIn(f"libraries: {self.torch}/lib/libtorch_cpu.so;{self.torch}/lib/libc10.so;", said)
        self.assertIn(f"rpath: {self.torch}/lib", said)

    def test_a_folder_without_libtorch_is_refused(self):
        (self.torch / "lib" / "libtorch_cpu.so").unlink()
        code, said = self.configure()
        self.assertNotEqual(code, 0)
        self.assertIn("is no libtorch", said)
        self.assertIn("make setup TORCH=2", said)

    def test_a_libtorch_with_the_old_strings_is_refused(self):
        self.put("lib/libc10.so", "_ZN3c105ErrorC1ESs\n")
        code, said = self.configure()
        self.assertNotEqual(code, 0)
        self.assertIn("old ABI", said)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""The Python package as a stranger installs it: `pip install` into a fresh virtual environment, its own tests, its types, the example, and a
script that answers as hedge-edge does. Takes the installation and the hybrid that library_test.py made.

    python_test.py SOURCE BUILD FOLDER WHEELS
"""

import pathlib
import shutil
import sys

from world import Failed, World, check, clean_environment, hidden, run


# The loader does not find libtorch: the package still loads, and says what is missing where it is needed.
WITHOUT_LIBTORCH = """
import sys
sys.modules["hedge._workbench"] = None
import hedge
try:
    hedge.evaluate(None)
except ImportError as error:
    print(error)
"""


def main():
    world = World(*sys.argv[1:4])
    wheels = pathlib.Path(sys.argv[4]).resolve()
    check(any(wheels.glob("nanobind-*.whl")), f"no wheels in {wheels}: run `make setup`")
    venv = world.folder / "venv"
    shutil.rmtree(venv, ignore_errors=True)
    run([sys.executable, "-m", "venv", venv])
    python = venv / "bin" / "python"
    run([python, "-m", "pip", "install", "--disable-pip-version-check", "--no-index", "--find-links", wheels,
         f"--config-settings=cmake.define.HEDGE_BUILD_DIR={world.build}",
         f"--config-settings=build-dir={world.folder / 'python-build'}", f"{world.source / 'python'}[test]"],
        env=clean_environment())

    tests = world.folder / "python-tests"
    shutil.rmtree(tests, ignore_errors=True)
    shutil.copytree(world.source / "python" / "tests", tests)
    cover = hidden(world.source)
    print("the checkout is " + ("hidden" if cover else "not hidden: this kernel does not allow it"))
    print(run([*cover, python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, "--bundle", world.bundle, "--images", world.images,
               "--tables", world.folder],
              env=clean_environment(), cwd=world.folder))

    package = next((venv / "lib").glob("python3*/site-packages/hedge"))
    check((package / "py.typed").exists(), "the package has no py.typed")
    stubs = (package / "_native.pyi").read_text()
    for promised in ("class Runtime", "class Predictions", "def answer", "def threshold", "def promise"):
        check(promised in stubs, f"the type stubs lack {promised}")

    without_torch = run([python, "-c", WITHOUT_LIBTORCH], env=clean_environment())
    check("need libtorch" in without_torch, without_torch)

    with world.cloud() as address:
        script = world.source / "tests" / "install" / "stranger.py"
        copy = shutil.copy(script, world.folder / "stranger.py")
        world.compare("stranger.py", run([*cover, python, copy, world.bundle, address, *world.image_paths()], env=clean_environment()))
        example = shutil.copy(world.source / "examples" / "06_python" / "answer.py", world.folder / "answer.py")
        said = run([python, example, world.bundle, *world.image_paths()[:20], "--cloud", address, "--table", world.folder / "calibration.table"],
                   env=clean_environment())
        check("queried" in said and "threshold" in said and "coverage" in said, said)
    print("all passed")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))

#!/usr/bin/env python3
"""An installation as a stranger uses it: it names no path of the checkout, its library shows what is promised, and programs in C++ and C that
find it by CMake and pkg-config answer as hedge-edge does; so do the examples.

    library_test.py SOURCE BUILD FOLDER
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

from world import Failed, World, check, clean_environment, hidden, run


def is_elf(path):
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def installed_files(world):
    return [path for path in world.prefix.rglob("*") if path.is_file() and not path.is_symlink()]


def no_path_of_the_checkout_remains(world):
    folders = [str(world.source), str(world.build), os.path.realpath(world.source / ".venv")]
    # A path of its own: "/src" is not in "/home/openvino/src/core".
    named = [re.compile(rb"(?<![\w./-])" + re.escape(folder.encode()) + rb"(?![\w.-])") for folder in folders]
    for path in installed_files(world):
        content = path.read_bytes()
        for folder, pattern in zip(folders, named):
            check(not pattern.search(content), f"{path} names {folder}")
        if not is_elf(path):
            continue
        for line in run(["readelf", "-d", path]).splitlines():
            found = re.search(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", line)
            for part in found.group(1).split(":") if found else []:
                check(part.startswith("$ORIGIN"), f"{path} looks for libraries in {part}")


def shown_by(world, library, version):
    """The names that a library shows, each of which must be promised by an installed header."""
    headers = "\n".join(path.read_text() for path in (world.prefix / "include" / "hedge").glob("*.h"))
    words = set(re.findall(r"\w+", headers))
    shown = run(["nm", "-D", "--defined-only", "--demangle", world.prefix / "lib" / library]).splitlines()
    names = [line.split(maxsplit=2)[2] for line in shown]
    for name in names:
        bare = re.sub(r"@.*$", "", name)
        if bare == version:  # the version itself
            continue
        bare = re.sub(r"^(typeinfo name|typeinfo|vtable) for ", "", bare)
        bare = re.sub(r"\[abi:\w+\]", "", bare)
        check(re.match(r"hedge(::|_)", bare), f"{library} shows {name}")
        identifier = re.split(r"[(<]", re.sub(r"::operator\W+.*", "", bare))[0].split("::")[-1].lstrip("~")
        check(identifier in words, f"no installed header promises {name}")
    return names


def the_libraries_show_what_is_promised(world):
    runtime = shown_by(world, "libhedge.so", "HEDGE_0.2")
    check(len(runtime) > 60, f"libhedge.so shows {len(runtime)} symbols only")
    workbench = shown_by(world, "libhedge-workbench.so", "HEDGE_WORKBENCH_0.2")
    for names, promised in ((runtime, ("hedge_open", "hedge_answer_pixels", "hedge::Runtime::open(", "hedge::oip::start_server(",
                                       "hedge::routing::read_table(", "hedge::model::open_model(")),
                            (workbench, ("hedge::workflow::predict(", "hedge::workflow::fit(", "hedge::workflow::judge("))):
        for name in promised:
            check(any(shown.startswith(name) for shown in names), f"no library shows {name}")


def the_library_needs_no_libtorch(world):
    for name in ("lib/libhedge.so", "bin/hedge-edge", "bin/hedge-cloud", "bin/hedge-gateway"):
        needed = run(["ldd", world.prefix / name], env=clean_environment())
        check("not found" not in needed, f"{name} does not find all libraries:\n{needed}")
        check(not re.search(r"libtorch|libc10", needed), f"{name} needs libtorch")
    check("libopenvino" not in run(["ldd", world.program("hedge-gateway")]), "hedge-gateway needs OpenVINO")


def each_header_stands_alone(world):
    include = world.prefix / "include"
    headers = sorted((include / "hedge").glob("*.h"))
    check(len(headers) >= 12, f"{len(headers)} headers")
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", include]

    def compiles(header):
        run(["c++", "-std=c++20", *warnings, "-x", "c++", "-"], input=f"#include <hedge/{header.name}>\n")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(compiles, headers))
    run(["cc", "-std=c11", *warnings, "-x", "c", "-"], input="#include <hedge/c.h>\n")


def strangers_answer_as_hedge_edge(world):
    here = world.folder / "stranger"
    shutil.copytree(world.source / "tests" / "install", here, ignore=shutil.ignore_patterns("__pycache__"))
    lines = (here / "stranger.cc").read_text().splitlines()
    check(len(lines) <= 25, f"stranger.cc has {len(lines)} lines")
    run(["cmake", "-S", here, "-B", here / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={world.prefix}"])
    run(["cmake", "--build", here / "build"])
    environment = clean_environment() | {"PKG_CONFIG_PATH": str(world.prefix / "lib" / "pkgconfig")}
    flags = run(["pkg-config", "--cflags", "--libs", "hedge"], env=environment).split()
    check(run(["pkg-config", "--modversion", "hedge"], env=environment).strip() == "0.2.0", "pkg-config gives another version")
    run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", here / "stranger.c", *flags, "-o", here / "stranger_c"])

    # What the loader loads is listed too: it shows that no library comes out of the checkout, also where that cannot be hidden.
    cover = hidden(world.source)
    print("the checkout is " + ("hidden" if cover else "not hidden: this kernel does not allow it; the loader's list alone is checked"))
    loaded = here / "loaded"
    environment = clean_environment() | {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(loaded)}
    with world.cloud() as address:
        print(world.answer_with_hedge_edge(address))
        for program, library_path in ((here / "build" / "stranger", ""), (here / "stranger_c", str(world.prefix / "lib"))):
            words = [*cover, program, world.bundle, address, *world.image_paths()]
            world.compare(program.name, run(words, env=environment | {"LD_LIBRARY_PATH": library_path}))
    lists = "\n".join(path.read_text(errors="replace") for path in here.glob("loaded.*"))
    check("libopenvino_intel_cpu_plugin" in lists or "libopenvino_arm_cpu_plugin" in lists, "the loader's list is not whole")
    opened = set(re.findall(r"calling init: (\S+)", lists))
    for path in opened:
        for name in (str(world.source), os.path.realpath(world.source / ".venv")):
            check(not path.startswith(name + "/") or path.startswith(str(world.folder) + "/"), f"{path} is loaded out of the checkout")


def examples_run(world):
    here = world.folder / "examples"
    shutil.copytree(world.source / "examples", here)
    for path in here.rglob("*"):
        if path.suffix in (".cc", ".c", ".py"):
            check(len(path.read_text().splitlines()) <= 60, f"{path} has more than 60 lines")
    run([world.program("hedge"), "mcu", "export", world.bundle, "--calibrate", "fashion-mnist?split=calibration&limit=200", "--images", "64",
         "--target", "portable", "--threads", "1", "--out", world.folder / "mcu"])
    run(["cmake", "-S", here, "-B", here / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={world.prefix}",
         f"-DHEDGE_MCU_FOLDER={world.folder / 'mcu'}"])
    run(["cmake", "--build", here / "build"])
    images = world.image_paths()[:20]

    answers = run([here / "build" / "fit_router", world.folder / "base.onnx", world.folder / "global.onnx", "fashion-mnist?limit=1200",
                   world.folder / "fitted_by_example"])
    check("threshold" in answers and "hybrid" in answers, answers)
    check((world.folder / "fitted_by_example" / "report" / "report.html").exists(), "the example fit_router writes no report")

    serve = subprocess.Popen([here / "build" / "serve", world.folder / "global.onnx", "127.0.0.1:0"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    port = serve.stdout.readline().split()
    check(port[:1] == ["port"], f"the example serve says {port}")
    answers = run([here / "build" / "answer_images", world.bundle, "--cloud", f"127.0.0.1:{port[1]}", *images])
    serve.stdin.close()
    check(serve.wait() == 0, "the example serve fails")
    check("queried" in answers and "score<=threshold" in answers and "20 answered" in answers, answers)

    answers = run([here / "build" / "c_api", world.bundle, *images])
    check("20 answered" in answers, answers)

    raw = world.folder / "raw"
    raw.write_bytes(world.raw_images(20))
    answers = run([here / "build" / "microcontroller", raw])
    check("20 images" in answers and "arena" in answers, answers)


def main():
    world = World(*sys.argv[1:4])
    world.install()
    world.make_images()
    world.make_hybrid()
    for test in (no_path_of_the_checkout_remains, the_libraries_show_what_is_promised, the_library_needs_no_libtorch,
                 each_header_stands_alone, strangers_answer_as_hedge_edge, examples_run):
        print(test.__name__, flush=True)
        test(world)
    print("all passed")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))

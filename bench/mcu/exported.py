"""Builds and runs folders that "hedge mcu export" wrote, on this machine and in QEMU."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PLATFORM = ROOT / "src" / "micro" / "platform"
FLAGS = {"m4": ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16"], "m7": ["-mcpu=cortex-m7", "-mfpu=fpv5-sp-d16"], "m55": ["-mcpu=cortex-m55"]}
SCRIPT = {"m4": "mps2.ld", "m7": "mps2.ld", "m55": "an547.ld"}
COMMON = ["-std=c++20", "-O3", "-mthumb", "-mfloat-abi=hard", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
          "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra"]


def build_device(folder, target, main, elf, link=()):
    """The folder's program with `main` (a source) for QEMU's board of `target`; `link`: more linker flags, such as memory sizes."""
    folder = pathlib.Path(folder)
    subprocess.run(["arm-none-eabi-g++", *FLAGS[target], *COMMON, f"-I{folder}", f"-I{ROOT / 'src'}", folder / "hedge_model.cc", folder / "hedge_constants.cc",
                    main, PLATFORM / "startup.cc", "-nostartfiles", "-nostdlib", "-T", PLATFORM / SCRIPT[target], "-Wl,--gc-sections", *link, "-lc", "-lgcc",
                    "-o", elf], check=True)


def run_device(target, elf, arguments=()):
    """What the program wrote."""
    done = subprocess.run([ROOT / "scripts" / "qemu.sh", target, elf, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{elf} ended with status {done.returncode}:\n{done.stderr}")
    return done.stderr


def code_bytes(elf):
    """(kernels with the C library's memory functions, the generated steps and API), from the ELF's functions; constants are none of them."""
    out = subprocess.run(["arm-none-eabi-nm", "-CS", "--defined-only", elf], check=True, capture_output=True, text=True).stdout
    kernels = steps = 0
    for line in out.splitlines():
        parts = line.split(" ", 3)
        if len(parts) != 4 or parts[2] not in "tTwW" or "platform::" in parts[3]:
            continue
        size, name = int(parts[1], 16), parts[3]
        if "hedge::micro::" in name and not name.startswith("hedge_model::") or name in ("memcpy", "memset", "memmove"):
            kernels += size
        elif name.startswith("hedge_model::") and "::k" not in name:
            steps += size
    return kernels, steps

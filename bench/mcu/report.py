#!/usr/bin/env python3
"""Counts the kernels' instructions in QEMU and writes out/mcu/bench.json (docs/microcontroller_kernels.md, "Measured").

    bench/mcu/report.py --programs build/release/mcu --out out/mcu [--targets m4,m7,m55]

Runs PROGRAMS/mcu_layers_TARGET.elf for the `layers`; `networks` come from OUT/networks.json where that exists (a list, as its writer made it).
Prints each layer beside the figures of other engines (reference.json) and fails where two targets' bytes differ.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import cycles

HERE = pathlib.Path(__file__).resolve().parent
QEMU = HERE.parent.parent / "scripts" / "qemu.sh"


def symbols(elf):
    """name -> (address, bytes) of an ELF's functions, demangled."""
    out = subprocess.run(["arm-none-eabi-nm", "-CS", "--defined-only", elf], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in out.splitlines():
        parts = line.split(" ", 3)
        if len(parts) == 4 and parts[2] in "tTwW":
            found[parts[3]] = (int(parts[0], 16), int(parts[1], 16))
    return found


def run_layers(target, elf, log):
    """[{layer, target, instructions, macs, per_mac, model_cycles, mix, checksum}]"""
    functions = symbols(elf)
    ticks = next(where for name, where in functions.items() if name.endswith("platform::ticks()"))
    kernels = [where for name, where in functions.items()
               if "hedge::micro::" in name and "platform::" not in name and "(anonymous namespace)" not in name or name in ("memcpy", "memset")]
    ranges = ",".join(f"0x{at:x}+0x{size:x}" for at, size in [ticks, *kernels])
    program = subprocess.run([QEMU, target, elf, "-d", "exec,in_asm,nochain", "-dfilter", ranges, "-D", log], capture_output=True, text=True)
    if program.returncode != 0:
        sys.exit(f"mcu-bench: {elf} ended with status {program.returncode}:\n{program.stderr}")
    with open(log, encoding="ascii", errors="replace") as lines:
        mixes = cycles.stretches(lines, target, ticks[0])
    rows = [line.split("|") for line in program.stderr.splitlines() if line.startswith("layer|")]
    if len(mixes) != len(rows):
        sys.exit(f"mcu-bench: {len(rows)} layers but {len(mixes)} stretches in QEMU's log")
    return [{"layer": name, "target": target, "instructions": int(count), "macs": int(macs), "per_mac": int(count) / int(macs),
             "model_cycles": mix.cycles, "mix": dict(mix.kinds), "counted_by_log": mix.instructions, "checksum": int(checksum)}
            for (_, name, count, macs, checksum), mix in zip(rows, mixes)]


def check(layers):
    """Ends the program where a layer's bytes differ between targets, or where log and timer counted differently: the log lacks the 20 to 40
    instructions around the kernel."""
    bytes_of = {}
    for row in layers:
        missing = row["instructions"] - row.pop("counted_by_log")
        if not 0 <= missing <= 100:
            sys.exit(f"mcu-bench: {row['layer']} on {row['target']}: the log lacks {missing} of {row['instructions']} instructions")
        known = bytes_of.setdefault(row["layer"], row)
        if known["checksum"] != row["checksum"]:
            sys.exit(f"mcu-bench: {row['layer']}: {known['target']} and {row['target']} computed other bytes")


def show(layers, reference):
    engines = reference["engines"]
    print(f"{'instructions a MAC':30} {'core':5} {'ours':>7} {'cycles':>7} {'goal':>6} " + " ".join(f"{e:>14}" for e in engines))
    for row in layers:
        known = reference["layers"].get(row["layer"], {}).get("m55" if row["target"] == "m55" else "m4", {})
        figures = " ".join(f"{known.get(e, '-'):>14}" for e in engines)
        print(f"{row['layer']:30} {row['target']:5} {row['per_mac']:7.3f} {row['model_cycles'] / row['macs']:7.3f} {known.get('goal', '-'):>6} {figures}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--targets", default="m4,m7,m55")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    layers = []
    with tempfile.TemporaryDirectory() as folder:
        for target in options.targets.split(","):
            layers += run_layers(target, options.programs / f"mcu_layers_{target}.elf", os.path.join(folder, "log"))
    check(layers)
    networks_file = options.out / "networks.json"
    networks = json.loads(networks_file.read_text()) if networks_file.exists() else []
    result = {"layers": layers, "networks": networks}
    (options.out / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    show(layers, json.loads((HERE / "reference.json").read_text()))
    for network in networks:
        print(" ".join(f"{key}={value}" for key, value in network.items()))
    print(f"written: {options.out / 'bench.json'}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Counts whole networks' instructions in QEMU and writes OUT/networks.json, which report.py puts into bench.json.

    bench/mcu/networks.py --exporter build/release/bin/mcu_networks --out out/mcu [--only mcunet-vww1]

The exporter (networks.cc) writes each network of the zoo, quantised, as C++; weights are random, which no count depends on.
"""

import argparse
import json
import pathlib
import re
import subprocess

import exported

# name, targets, arena budget (0: the smallest arena), memory of the part at link time: RAM is the arena and the stack.
NETWORKS = [
    ("mcunet-vww1", ["m4", "m7", "m55"], 40000, {"RAM_SIZE": "48K", "STACK_SIZE": "4K", "FLASH_SIZE": "1M"}),
    ("mcunet-in3", ["m7"], 0, {"RAM_SIZE": "320K", "STACK_SIZE": "4K", "FLASH_SIZE": "1M"}),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exporter", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--only")
    options = parser.parse_args()
    rows = []
    for name, targets, budget, memory in NETWORKS:
        if options.only not in (None, name):
            continue
        checksums = set()
        for target in targets:
            folder = options.out / "networks" / f"{name}-{target}"
            subprocess.run([options.exporter, name, f"cortex-{target}", str(budget), folder], check=True)
            elf = folder / "count.elf"
            exported.build_device(folder, target, pathlib.Path(__file__).with_name("count.cc"), elf, [f"-Wl,--defsym={k}={v}" for k, v in memory.items()])
            instructions, router, stack, checksum = re.search(r"base (\d+) router (\d+) stack (\d+) checksum (\d+)", exported.run_device(target, elf)).groups()
            report = json.loads((folder / "report.json").read_text())
            kernels, steps = exported.code_bytes(elf)
            checksums.add(checksum)
            rows.append({"name": name, "target": target, "instructions": int(instructions), "macs": report["macs"], "arena_bytes": report["arena_bytes"],
                         "constant_bytes": report["constant_bytes"], "code_bytes": kernels, "step_bytes": steps, "stack_bytes": int(stack),
                         "estimated_instructions": report["estimated_instructions"], "router_instructions": int(router)})
            print(json.dumps(rows[-1]), flush=True)
        if len(checksums) > 1:
            raise SystemExit(f"networks.py: {name}: the targets computed other logits")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "networks.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

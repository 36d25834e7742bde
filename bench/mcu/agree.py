#!/usr/bin/env python3
"""Whether host and QEMU answer alike: the same label, the same bits of the score and the same decision, image by image.

    bench/mcu/agree.py --hedge build/release/bin/hedge --bundle out/demo/bundle --calibrate fashion-mnist?split=calibration \\
        --images /usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz --count 2000 --targets m4,m7,m55 --out out/mcu/agree

IMAGES: an IDX file of grey images of the base's size (.gz or plain). Prints a line a target; fails where one image differs.
"""

import argparse
import gzip
import pathlib
import subprocess

import exported


def first_images(path, count):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        header = file.read(16)
        pixels = int.from_bytes(header[8:12], "big") * int.from_bytes(header[12:16], "big")
        return file.read(pixels * count), pixels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--hedge", "--bundle", "--calibrate", "--images", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--targets", default="m4,m7,m55")
    options = parser.parse_args()
    out = pathlib.Path(options.out).resolve()
    main_source = pathlib.Path(__file__).resolve().with_name("agree.cc")
    answers = {}
    for target in ["host", *options.targets.split(",")]:
        folder = out / target
        name = "portable" if target == "host" else f"cortex-{target}"
        subprocess.run([options.hedge, "mcu", "export", options.bundle, "--calibrate", options.calibrate, "--target", name, "-o", folder], check=True)
        data, pixels = first_images(pathlib.Path(options.images), options.count)
        (folder / "images.bin").write_bytes(data)
        if target == "host":
            subprocess.run(["g++", "-std=c++20", "-O2", f"-I{folder}", folder / "hedge_model.cc", folder / "hedge_constants.cc", main_source, "-o", folder / "agree"],
                           check=True)
            text = subprocess.run([folder / "agree"], cwd=folder, check=True, capture_output=True, text=True).stderr
        else:
            exported.build_device(folder, target, main_source, folder / "agree.elf")
            done = subprocess.run([exported.ROOT / "scripts" / "qemu.sh", target, folder / "agree.elf"], cwd=folder, check=True, capture_output=True, text=True)
            text = done.stderr
        answers[target] = text.splitlines()
        if len(answers[target]) != len(data) // pixels:
            raise SystemExit(f"agree.py: {target}: {len(answers[target])} answers to {len(data) // pixels} images")
        same = sum(a == b for a, b in zip(answers["host"], answers[target]))
        queries = sum(line.endswith(" 1") for line in answers[target])
        print(f"{target}: {same} of {len(answers['host'])} answers as on the host; {queries} queries", flush=True)
        if same != len(answers["host"]):
            raise SystemExit(f"agree.py: {target} differs from the host")


if __name__ == "__main__":
    main()

"""What the tests of an installation share: an installation in a folder of its own, a small hybrid, a cloud, and how programs are run."""

import contextlib
import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import time
import zlib

IMAGES = 500
SIDE = 28
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
DEADLINE_MS = "20000"  # the machine of a test may be busy


class Failed(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failed(what)


def run(words, **options):
    """Runs to the end; gives standard output."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))[:400]}\nexit status {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def png(pixels):
    """A gray PNG."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + pixels[y * SIDE : (y + 1) * SIDE] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class World:
    """`folder` is made anew by install(), and found again by later tests."""

    def __init__(self, source, build, folder):
        self.source, self.build, self.folder = (pathlib.Path(path).resolve() for path in (source, build, folder))
        self.prefix = self.folder / "prefix"
        self.bundle = self.folder / "bundle"
        self.images = self.folder / "images"
        self.expected = self.folder / "expected.json"

    def image_paths(self):
        return sorted(self.images.iterdir())

    def program(self, name):
        return self.prefix / "bin" / name

    def install(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for component in ("runtime", "workbench"):
            run(["cmake", "--install", self.build, "--prefix", self.prefix, "--component", component])

    def raw_images(self, count):
        """Pixels, one image after another."""
        return gzip.decompress(FASHION.read_bytes())[16 : 16 + count * SIDE * SIDE]

    def make_images(self):
        pixels = self.raw_images(IMAGES)
        self.images.mkdir()
        for number in range(IMAGES):
            (self.images / f"{number:03}.png").write_bytes(png(pixels[number * SIDE * SIDE : (number + 1) * SIDE * SIDE]))

    def make_hybrid(self):
        """Models that are trained for seconds; half of the images are for the cloud."""

        def hedge(*words):
            run([self.program("hedge"), *words], cwd=self.folder)

        for name, net in (("base", "mobile:2,depth=1"), ("global", "mobile:4")):
            hedge("train", "--data", "fashion-mnist?split=train&limit=1500", "--net", net, "--epochs", "2", "--batch", "16",
                  "--threads", "1", "--precision", "f32", "--layout", "nchw", "--out", f"{name}.onnx")
        for split in ("train", "calibration", "test"):
            hedge("predict", "--data", f"fashion-mnist?split={split}&limit=1000", "--base", "base.onnx", "--global", "global.onnx",
                  "--threads", "1", "--out", f"{split}.table")
        hedge("fit", "--table", "train.table", "--calibration", "calibration.table", "--router", "gain", "--epochs", "1", "--coverage",
              "0.5", "--threads", "1", "--out", "fitted")
        hedge("bundle", "--base", "base.onnx", "--hybrid", "fitted", "--global", "global.onnx", "--out", "bundle")

    @contextlib.contextmanager
    def cloud(self):
        """The installed hedge-cloud; gives its address."""
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        words = [self.program("hedge-cloud"), "serve", "--model", self.folder / "global.onnx", "--address", "127.0.0.1:0", "--port-file", port_file]
        with subprocess.Popen([str(word) for word in words], stderr=subprocess.DEVNULL) as server:
            try:
                for _ in range(600):
                    if port_file.exists() or server.poll() is not None:
                        break
                    time.sleep(0.1)
                check(port_file.exists(), "hedge-cloud does not start")
                yield "127.0.0.1:" + port_file.read_text().strip()
            finally:
                server.terminate()
                server.wait()

    def answer_with_hedge_edge(self, address):
        """What every other program must answer: (label, source, score) an image."""
        lines = self.folder / "answers.jsonl"
        run([self.program("hedge-edge"), "run", self.bundle, "--input", self.images, "--cloud", address, "--deadline-ms", DEADLINE_MS,
             "--out", lines])
        answers = [json.loads(line) for line in lines.read_text().splitlines()]
        check([answer["id"] for answer in answers] == [path.name for path in self.image_paths()], "hedge-edge answers other images")
        expected = [[answer["label_index"], answer["source"], answer["score"]] for answer in answers]
        sources = {source: sum(answer[1] == source for answer in expected) for source in ("edge", "cloud", "edge-fallback")}
        check(sources["edge"] > IMAGES / 10 and sources["cloud"] > IMAGES / 10 and sources["edge-fallback"] == 0, f"a poor test: {sources}")
        self.expected.write_text(json.dumps(expected))
        return sources

    def compare(self, who, output):
        """Scores are f32: nine digits name one exactly."""

        def single(value):
            return struct.pack("<f", float(value))

        expected = json.loads(self.expected.read_text())
        answers = [line.split() for line in output.splitlines()]
        check(len(answers) == len(expected), f"{who} answers {len(answers)} of {len(expected)} images")
        for number, (got, right) in enumerate(zip(answers, expected)):
            same = int(got[0]) == right[0] and got[1] == right[1] and single(got[2]) == single(right[2])
            check(same, f"{who} answers image {number} with {got}, hedge-edge with {right}")


def hidden(source):
    """Words before a command that runs it where the checkout's files are not to be seen; none where the kernel does not let us."""
    for words in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        cover = words + ["sh", "-c", f"mount -t tmpfs none '{source}' && exec \"$@\"", "sh"]
        if subprocess.run(cover + ["test", "!", "-e", f"{source}/CMakeLists.txt"], capture_output=True, check=False).returncode == 0:
            return cover
    return []


def clean_environment():
    return {name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH")}

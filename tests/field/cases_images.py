"""Image files as cameras, scanners and the web make them."""

import struct
import zlib

from networks import Network, bmp, exif, halves, jpeg, levels, png, tiff
from world import check, refused, right, right_or_refused

CLASSES = ["a", "b", "c", "d"]
UP = [[200, 200], [40, 40]]  # blocks of 8x8
UPSIDE_DOWN = UP[::-1]
LEFT = [[200, 40], [200, 40]]  # what is up, turned by 90 degrees to the left


def pair_of_halves(world):
    """Two images of each class without any orientation, so that both classes exist."""
    for name in ("1", "2"):
        jpeg(world.path(f"D/up/{name}.jpg"), UP)
        jpeg(world.path(f"D/down/{name}.jpg"), UPSIDE_DOWN)
    return halves(world.path("halves.onnx")), f"folder:{world.path('D')}?split=all"


def upright(world, model, data):
    outcome = world.predict(data, model, model)
    right(outcome, "base_accuracy", 1.0)
    check(outcome.says("orientation"), "that images carry an orientation is not said")


def test_turned_by_180(world):
    """A JPEG with EXIF orientation 3, as a phone held upside down writes it.
    https://github.com/ultralytics/yolov5/issues/405"""
    model, data = pair_of_halves(world)
    jpeg(world.path("D/up/3.jpg"), UPSIDE_DOWN, orientation=3)
    jpeg(world.path("D/down/3.jpg"), UP, orientation=3)
    upright(world, model, data)


def test_turned_by_90(world):
    """Orientations 5 to 8 turn by 90 degrees, two of them mirror as well.
    https://github.com/davisking/dlib/issues/1706"""
    model, data = pair_of_halves(world)
    right_side = [row[::-1] for row in LEFT]
    for orientation, blocks in ((5, LEFT), (6, LEFT), (7, right_side), (8, right_side)):
        jpeg(world.path(f"D/up/{orientation}.jpg"), blocks, orientation=orientation)
    upright(world, model, data)


def test_mirrored(world):
    """Orientation 2 mirrors left and right, 4 upside down.
    https://github.com/coralnet/coralnet/issues/107"""
    model, data = pair_of_halves(world)
    jpeg(world.path("D/up/2.jpg"), UP, orientation=2)
    jpeg(world.path("D/up/4.jpg"), UPSIDE_DOWN, orientation=4)
    upright(world, model, data)


def test_orientation_of_other_formats(world):
    """PNG has EXIF in a chunk of its own, TIFF has the tag itself.
    https://github.com/tensorflow/tensorflow/issues/49834"""
    model, data = pair_of_halves(world)
    rows = [[40] * 16] * 8 + [[200] * 16] * 8
    tiff(world.path("D/up/5.tiff"), rows, orientation=3)
    path = png(world.path("D/up/6.png"), rows)
    content = path.read_bytes()
    chunk = b"eXIf" + exif(3)
    path.write_bytes(content[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + content[33:])
    upright(world, model, data)


def test_broken_exif(world):
    """Orientation 0 or 9, or a block that ends early, is no orientation: the image is taken as it is stored.
    https://github.com/opencv/opencv/issues/8854"""
    model, data = pair_of_halves(world)
    for orientation in (0, 9):
        jpeg(world.path(f"D/up/{orientation + 10}.jpg"), UP, orientation=orientation or 256)
    path = jpeg(world.path("D/up/20.jpg"), UP, orientation=3)
    path.write_bytes(path.read_bytes().replace(exif(3), exif(3)[:4] + b"\xff" * (len(exif(3)) - 4)))
    right(world.predict(data, model, model), "base_accuracy", 1.0)


def plain(world):
    levels(world.path("D"), CLASSES, spread=0.3)
    return Network(CLASSES).write(world.path("m.onnx")), f"folder:{world.path('D')}?split=all"


def test_twelve_bits(world):
    """16-bit PNGs whose values are 0 to 4095 become nearly black: said.
    https://github.com/torch/image/pull/75"""
    model, data = plain(world)
    for place, name in enumerate(CLASSES):
        for index in range(10):
            png(world.path(f"D/{name}/x{index}.png"), [[512 + 1023 * place + index] * 8] * 8, bits=16)
    outcome = world.predict(data, model, model)
    check(outcome.refused or outcome.says("16.bit|range|dark"), f"not said: {outcome.said}")
    check(outcome.said.count("\n") < 30, "a line for each image")


def test_sixteen_bits(world):
    """16-bit images that use their range are scaled to 8 bits, and there is nothing to say.
    https://github.com/solvespace/solvespace/pull/1181"""
    model, data = plain(world)
    for place, name in enumerate(CLASSES):
        png(world.path(f"D/{name}/x.png"), [[round((place + 0.5) / 4 * 65535)] * 4 + [round((place + 0.45) / 4 * 65535)] * 4] * 8, bits=16)
    outcome = world.predict(data, model, model)
    right(outcome, "base_accuracy", 1.0)


def test_twelve_bit_tiff(world):
    """The same in TIFF, as microscopes and X-ray machines write it.
    https://github.com/micasense/imageprocessing/issues/161"""
    model, data = plain(world)
    for place, name in enumerate(CLASSES):
        for index in range(10):
            tiff(world.path(f"D/{name}/x{index}.tif"), [[512 + 1023 * place + index] * 8] * 8, bits=16)
    outcome = world.predict(data, model, model)
    check(outcome.refused or outcome.says("16.bit|range|dark"), f"not said: {outcome.said}")


def test_transparent(world):
    """Fully transparent PNGs: what is stored under the transparency is used, and that is said.
    https://github.com/mflux-community/mflux/pull/722"""
    model, data = plain(world)
    for index in range(10):
        png(world.path(f"D/a/clear{index}.png"), [[200, 200, 200, 0] * 8] * 8, colour=6)
    outcome = world.predict(data, model, model)
    check(outcome.refused or outcome.says("transparent"), f"not said: {outcome.said}")


def test_bmp_and_tiff(world):
    """BMP and TIFF are read as PNG is.
    https://github.com/BiaPyX/BiaPy/issues/125"""
    model, data = plain(world)
    for place, name in enumerate(CLASSES):
        rows = [[round((place + 0.5) * 255 / 4)] * 8] * 8
        bmp(world.path(f"D/{name}/x.bmp"), rows)
        tiff(world.path(f"D/{name}/x.tif"), rows)
    outcome = world.predict(data, model, model)
    right(outcome, "base_accuracy", 1.0)
    right(outcome, "pictures", 168)


def unreadable_class(world, content, extension):
    levels(world.path("D"), ["a", "b", "c"])
    for index, path in enumerate(sorted(world.path("D/b").iterdir())):
        path.unlink()
        path.with_name(f"{index}.{extension}").write_bytes(content)
    return world.hedge("train", "--data", f"folder:{world.path('D')}", "--net", "mobile:1", "--size", 8, "--channels", 1, "--epochs", 1,
                       "--threads", 1, "--out", world.path("m.onnx"))


def test_unreadable_webp_class(world):
    """A class whose images are all damaged WebP: refused, with format and number.
    https://github.com/pytorch/vision/issues/735"""
    outcome = unreadable_class(world, b"RIFF\x24\0\0\0WEBPVP8 ", "webp")
    refused(outcome, "webp")
    check(outcome.said.count("\n") < 30, "a line for each image")


def test_heic_class(world):
    """A class in a format that is not read (HEIC, as phones write it), with the extension of another: named by its content.
    https://github.com/CertifaiAI/classifai/issues/394"""
    outcome = unreadable_class(world, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, "jpg")
    refused(outcome, "heic|heif")
    check(outcome.says("40"), "the number of images is not said")


def test_avif_class(world):
    """The same in AVIF.
    https://github.com/rhsimplex/image-match/issues/156"""
    refused(unreadable_class(world, b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + b"\0" * 64, "png"), "avif")


def test_some_unreadable(world):
    """Some files are no images: left out, counted, and said in a line or two.
    https://github.com/yostudios/Spritemapper/issues/10"""
    model, data = plain(world)
    for index in range(500):
        world.path(f"D/a/t{index}.jpg").write_bytes(b"<html>not found</html>")
    outcome = world.predict(data, model, model)
    right(outcome, "base_accuracy", 1.0)
    check(outcome.says("500"), "the number of files that were left out is not said")
    check(outcome.said.count("\n") < 30, "a line for each file")


def test_git_lfs(world):
    """The repository was cloned without Git LFS: its pointers are no images, and the way out is named.
    https://github.com/jinnovation/rainy-image-dataset/issues/2"""
    model, data = plain(world)
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
    for index in range(10):
        world.path(f"D/a/pointer{index}.jpg").write_bytes(pointer)
    outcome = world.predict(data, model, model)
    right(outcome, "base_accuracy", 1.0)
    check(outcome.says("git lfs pull"), f"not said: {outcome.said}")


def test_truncated(world):
    """JPEG and PNG that end early, as a broken download leaves them: left out, not filled up with grey.
    https://github.com/pytorch/vision/issues/138"""
    model, data = plain(world)
    noisy = [[(31 * row * column) % 256 for column in range(16)] for row in range(16)]
    for path in (jpeg(world.path("D/d/a.jpg"), noisy), png(world.path("D/d/b.png"), noisy)):
        content = path.read_bytes()
        path.write_bytes(content[:len(content) * 3 // 4])
    outcome = world.predict(data, model, model)
    right(outcome, "pictures", 160)
    check(outcome.says("truncated") and outcome.says(r"a\.jpg") and outcome.says(r"b\.png"), f"not said: {outcome.said}")


def test_extensions_of_another_format(world):
    """PNGs called .jpg, and capitals: the content counts.
    https://github.com/yostudios/Spritemapper/issues/10"""
    model, data = plain(world)
    for index, path in enumerate(sorted(world.path("D").rglob("*.png"))):
        path.rename(path.with_suffix(".jpg" if index % 2 else ".PNG"))
    outcome = world.predict(data, model, model)
    right(outcome, "base_accuracy", 1.0)
    right(outcome, "pictures", 160)


def test_bomb(world):
    """A PNG whose header promises 60 000 x 60 000 pixels: left out by name, before memory is taken.
    https://github.com/pnggroup/libpng/issues/561"""
    model, data = plain(world)
    path = png(world.path("D/a/bomb.png"), [[0] * 8] * 8)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60000, 60000)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    path.write_bytes(content)
    outcome = world.predict(data, model, model)
    right_or_refused(outcome, "base_accuracy", 1.0, r"bomb\.png")
    check(outcome.says(r"bomb\.png"), "the image that was left out is not named")

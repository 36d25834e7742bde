"""Data sets as people lay them out."""

import json
import os
import random

from networks import Network, levels, png
from world import check, refused, right

CLASSES = ["a", "b", "c"]


def shown(world, spec=None):
    outcome = world.hedge("data", spec or f"folder:{world.path('D')}")
    check(not outcome.refused, outcome.said.strip()[-300:])
    return json.loads(outcome.out), outcome


def splits_of(data):
    return {split: (sorted(data[split]["classes"]), data[split]["content_hash"]) for split in ("train", "calibration", "test")}


def as_without(world, *junk):
    """The data set has the same classes, splits and hashes with the junk as without it."""
    levels(world.path("D"), CLASSES, each=20)
    before = splits_of(shown(world)[0])
    for path in junk:
        place = world.path("D") / path
        if path.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
        elif path.endswith(".png"):
            png(place, [[7] * 8] * 8)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"\0\x05\x16\x07junk")
    data, outcome = shown(world)
    check(splits_of(data) == before, f"classes are {splits_of(data)['train'][0]}; the hash is {'' if before == splits_of(data) else 'not '}the same")
    check(outcome.said.count("\n") < 12, "a line for each file")


def test_mac_junk(world):
    """A folder that a Mac has packed: __MACOSX with a shadow of each file, .DS_Store.
    https://github.com/pytorch/vision/issues/109"""
    as_without(world, "__MACOSX/a/._00.png", "__MACOSX/._b", ".DS_Store", "a/.DS_Store", "a/._01.png")


def test_nas_junk(world):
    """Thumbnails of a network storage, at each level.
    https://github.com/BiaPyX/BiaPy/issues/125"""
    as_without(world, "@eaDir/", "a/@eaDir/00.png/SYNOPHOTO_THUMB_M.png", "#recycle/a/3.png")


def test_notebook_junk(world):
    """What notebooks and Python leave behind.
    https://github.com/pytorch/vision/issues/2831"""
    as_without(world, ".ipynb_checkpoints/00-checkpoint.png", "__pycache__/x.pyc", "a/.ipynb_checkpoints/01-checkpoint.png")


def test_windows_junk(world):
    """Thumbs.db and desktop.ini, the recycle bin and the volume's folder.
    https://github.com/tensorflow/tensorflow/issues/46595"""
    as_without(world, "Thumbs.db", "a/Thumbs.db", "b/desktop.ini", "$RECYCLE.BIN/x.png", "System Volume Information/tracking.log")


def test_linux_junk(world):
    """lost+found of a mounted disk, and an empty folder.
    https://github.com/open-mmlab/mmpretrain/issues/507"""
    as_without(world, "lost+found/", "empty/", "b/empty/")


def split_folders(world, train, test, prefix="D"):
    levels(world.path(f"{prefix}/{train}"), CLASSES, each=20, seed=1)
    levels(world.path(f"{prefix}/{test}"), CLASSES, each=10, seed=2)
    outcome = world.hedge("data", f"folder:{world.path('D')}")
    if outcome.refused:
        return refused(outcome, "split|train")
    data = json.loads(outcome.out)
    check(sorted(data["train"]["classes"]) == CLASSES, f"classes are {sorted(data['train']['classes'])}")
    check(sum(data["test"]["classes"].values()) == 30, f"the test split has {sum(data['test']['classes'].values())} images, not 30")
    return None


def test_capital_splits(world):
    """Train/ and Test/.
    https://github.com/ultralytics/ultralytics/issues/4310"""
    split_folders(world, "Train", "Test")


def test_long_splits(world):
    """training_set/ and test_set/.
    https://github.com/huggingface/datasets/issues/4839"""
    split_folders(world, "training_set", "test_set")


def test_intel_splits(world):
    """seg_train/seg_train/ and seg_test/seg_test/: the folder once more inside.
    https://github.com/roboflow/roboflow-python/issues/153"""
    split_folders(world, "seg_train/seg_train", "seg_test/seg_test")


def test_deeper_splits(world):
    """The archive's own folder around the splits.
    https://github.com/huggingface/datasets/issues/4895"""
    split_folders(world, "photos/TRAINING", "photos/Testing")


def test_validation_splits(world):
    """train/ and eval/.
    https://github.com/ultralytics/ultralytics/issues/1677"""
    split_folders(world, "train", "eval")


def test_splits_without_a_shared_class(world):
    """Folders called as splits, whose classes are not the same: refused.
    https://github.com/keras-team/keras-preprocessing/pull/254"""
    levels(world.path("D/Train"), ["a", "b"], each=5)
    levels(world.path("D/Test"), ["x", "y"], each=5)
    refused(world.hedge("data", f"folder:{world.path('D')}"), "split|train|class")


def numbered(world, names, model_names):
    """Folders that are class numbers, and a model whose outputs are in the numbers' order."""
    levels(world.path("D"), [str(number) for number in range(len(names))], each=6, spread=0.2, folders=names)
    model = Network([str(number) for number in range(len(names))], names=False, sharpness=4000.0).write(world.path("m.onnx"))
    arguments = []
    if model_names:
        world.path("names.txt").write_text("".join(f"{name}\n" for name in names))
        arguments = ["--labels", world.path("names.txt")]
    return world.predict(f"folder:{world.path('D')}?split=all", model, model, *arguments)


def test_numbers_as_folders(world):
    """Folders 0 to 11 are classes 0 to 11, not 0, 1, 10, 11, 2.
    https://github.com/pytorch/vision/issues/714"""
    right(numbered(world, [str(number) for number in range(12)], False), "base_accuracy", 1.0)


def test_numbers_with_zeros(world):
    """Zero padding changes nothing.
    https://github.com/modestyachts/ImageNetV2/issues/10"""
    right(numbered(world, [f"{number:04}" for number in range(12)], False), "base_accuracy", 1.0)


def test_numbers_from_one(world):
    """Folders 1 to 12: the numbers in their order are the classes in theirs.
    https://github.com/deeplearning4j/deeplearning4j/issues/3859"""
    outcome = numbered(world, [str(number) for number in range(1, 13)], False)
    if outcome.refused:
        refused(outcome, "number|labels")
    else:
        right(outcome, "base_accuracy", 1.0)


def test_numbers_with_names(world):
    """The model names its outputs as the folders are called.
    https://github.com/CSAILVision/places365/issues/22"""
    right(numbered(world, [str(number) for number in range(12)], True), "base_accuracy", 1.0)


def linked(world, make):
    levels(world.path("D"), CLASSES, each=10)
    levels(world.path("F"), CLASSES, each=30, seed=8)
    make()
    data, outcome = shown(world)
    count = sum(data[split]["classes"].get("a", 0) for split in ("train", "calibration", "test"))
    return count, outcome


def test_linked_subfolder(world):
    """A subfolder of a class is a symbolic link: followed, or named.
    https://github.com/Kaggle/kagglehub/pull/246"""
    count, outcome = linked(world, lambda: os.symlink(world.path("F/a"), world.path("D/a/more")))
    check(count == 40 or outcome.says("a/more"), f"{count} of 40 images, and no word")


def test_linked_loop(world):
    """A link that leads back to its own folder ends.
    https://github.com/huggingface/pytorch-image-models/pull/334"""
    count, _ = linked(world, lambda: os.symlink(world.path("D/a"), world.path("D/a/again")))
    check(count == 10, f"{count} images, not 10")


def test_linked_class(world):
    """A class folder is a link.
    https://github.com/huggingface/datasets/issues/5098"""
    levels(world.path("F"), ["z"], each=12)
    levels(world.path("D"), CLASSES, each=10)
    os.symlink(world.path("F/z"), world.path("D/z"))
    data, outcome = shown(world)
    check("z" in data["train"]["classes"] or outcome.says(r"\bz\b"), "the linked class is left out without a word")


def test_broken_link(world):
    """A link to nowhere is named or counted.
    https://github.com/CAMMA-public/Endoscapes/issues/1"""
    count, outcome = linked(world, lambda: os.symlink(world.path("gone.png"), world.path("D/a/gone.png")))
    check(count == 10 or outcome.says("gone"), f"{count} images")


def test_groups_leak(world):
    """Frames of one track lie in one split.
    https://github.com/UCSD-AI4H/COVID-CT/issues/11"""
    draw = random.Random(3)
    for name in CLASSES:
        for track in range(12):
            for frame in range(10):
                png(world.path(f"D/{name}/{track:05}_{frame:05}.png"), noise(draw))
    data, _ = shown(world, f"folder:{world.path('D')}?group=([a-z]/[0-9]+)_")
    for split in ("train", "calibration", "test"):
        counts = data[split]["classes"]
        check(sum(counts.values()) > 0, f"the {split} split is empty")
        check(all(count % 10 == 0 for count in counts.values()), f"{split} has parts of tracks: {counts}")


def test_group_pattern_matches_nothing(world):
    """A pattern that does not match: refused, with an example.
    https://github.com/fastai/fastai/issues/2724"""
    levels(world.path("D"), CLASSES, each=10)
    refused(world.hedge("data", f"folder:{world.path('D')}?group=(track[0-9]+)_"), "group")


def test_csv(world):
    """A list of paths, labels and splits, as a spreadsheet writes it: quotes, CRLF and a byte order mark.
    https://github.com/thadryanjs/DCD/issues/15"""
    levels(world.path("images"), CLASSES, each=10, spread=0.3)
    lines = [f'"images/{name}/{index:02}.png",{name},{"test" if index > 6 else "train" if index > 2 else "calibration"}'
             for name in CLASSES for index in range(10)]
    world.path("list.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(["path,label,split", *lines, ""]).encode())
    model = Network(CLASSES).write(world.path("m.onnx"))
    outcome = world.predict(f"csv:{world.path('list.csv')}?split=test", model, model)
    right(outcome, "base_accuracy", 1.0)
    right(outcome, "pictures", 9)


def noise(draw):
    return [[draw.randrange(256) for _ in range(8)] for _ in range(8)]


def test_exact_copies(world):
    """Images that are in two splits are counted.
    https://github.com/stefyste/RIAWELC/issues/2"""
    draw = random.Random(5)
    for name in CLASSES:
        for index in range(20):
            png(world.path(f"D/train/{name}/{index}.png"), noise(draw))
            png(world.path(f"D/test/{name}/{index}.png"), noise(draw))
        for index in range(5):
            pixels = noise(draw)
            for split in ("train", "test"):
                png(world.path(f"D/{split}/{name}/copy{index}.png"), pixels)
    outcome = world.hedge("data", f"folder:{world.path('D')}", "--overlap")
    check(not outcome.refused, outcome.said)
    shared = json.loads(outcome.out)["pictures_in_two_splits"]
    check(shared["train_and_test"] + shared["calibration_and_test"] == 15, f"15 copies are counted as {shared}")

import pathlib
import struct
import threading
import zlib

import numpy
import pytest

import hedge


@pytest.fixture(scope="module")
def runtime(bundle):
    return hedge.Runtime(bundle, threads=1)


def pixels_of(path: pathlib.Path) -> numpy.ndarray:
    """The pixels of a gray PNG whose rows are stored without a filter, as the tests write them."""
    data, position, packed = path.read_bytes(), 8, b""
    while position < len(data):
        (size,), kind = struct.unpack(">I", data[position : position + 4]), data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + size]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        if kind == b"IDAT":
            packed += body
        position += 12 + size
    rows = numpy.frombuffer(zlib.decompress(packed), numpy.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


def told(answer):
    return answer.label_index, answer.label, answer.source, answer.score, answer.wants_cloud, answer.reason


def test_a_path_bytes_and_pixels_are_answered_alike(runtime, images):
    for path in images:
        expected = told(runtime.answer(path))
        assert told(runtime.answer(str(path))) == expected
        assert told(runtime.answer(path.read_bytes())) == expected
        assert told(runtime.answer(bytearray(path.read_bytes()))) == expected
        pixels = pixels_of(path)
        assert not pixels.flags.c_contiguous
        for form in (pixels, numpy.ascontiguousarray(pixels), pixels[:, :, None], numpy.asfortranarray(pixels)):
            assert told(runtime.answer(form)) == expected


def test_rgb_has_three_channels(runtime, images):
    gray = pixels_of(images[0])
    rgb = numpy.repeat(gray[:, :, None], 3, axis=2)
    assert runtime.answer(rgb).label_index == runtime.answer(gray).label_index


def test_labels_and_answers_agree(runtime, images):
    answer = runtime.answer(images[0])
    assert runtime.labels[answer.label_index] == answer.label
    assert answer.times_ms.total >= answer.times_ms.base > 0
    assert answer.label in repr(answer)


def test_what_is_no_image_is_refused(runtime, tmp_path):
    with pytest.raises(TypeError, match="uint8"):
        runtime.answer(numpy.zeros((4, 4), numpy.float32))
    with pytest.raises(ValueError, match="height"):
        runtime.answer(numpy.zeros((1, 4, 4, 1), numpy.uint8))
    with pytest.raises(hedge.Error) as caught:
        runtime.answer(numpy.zeros((4, 4, 2), numpy.uint8))
    assert caught.value.code == "invalid_argument"
    with pytest.raises(hedge.Error) as caught:
        runtime.answer(b"no image")
    assert caught.value.code == "bad_format"
    with pytest.raises(hedge.Error) as caught:
        runtime.answer(tmp_path / "none.png")
    assert caught.value.code == "not_found"
    assert "none.png" in caught.value.where and "none.png" in str(caught.value)
    with pytest.raises(TypeError):
        runtime.answer(None)


def test_a_bundle_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(hedge.Error) as caught:
        hedge.Runtime(tmp_path)
    assert caught.value.code == "not_found"


def test_a_cloud_that_is_not_there_costs_fallbacks_and_is_told(bundle, images):
    told_log = []
    runtime = hedge.Runtime(bundle, cloud="127.0.0.1:1", deadline_ms=50, log=lambda level, text: told_log.append(text))
    assert len(told_log) == 1 and "127.0.0.1:1" in told_log[0]
    answers = [runtime.answer(path) for path in images]
    assert {answer.source for answer in answers} <= {"edge", "edge-fallback"}
    assert runtime.statistics.fallback == sum(answer.wants_cloud for answer in answers) > 0
    assert "no query has succeeded" in runtime.statistics.alarm


def test_threads_answer_at_once(bundle, images):
    runtime = hedge.Runtime(bundle, threads=1, throughput=True)
    encoded = [path.read_bytes() for path in images]
    threads = [threading.Thread(target=lambda: [runtime.answer(image) for image in encoded]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statistics = runtime.statistics
    assert statistics.answered == 4 * len(images) and statistics.errors == 0
    assert 0 <= statistics.coverage <= 1 and statistics.p50_ms <= statistics.p99_ms


def test_answering_lets_other_threads_run(runtime, images):
    """While one thread answers, another one counts: with the GIL held all along it could not."""
    image, counted, stop = images[0].read_bytes(), 0, threading.Event()

    def count():
        nonlocal counted
        while not stop.is_set():
            counted += 1

    large = numpy.zeros((3000, 3000), numpy.uint8)
    thread = threading.Thread(target=count)
    thread.start()
    try:
        runtime.answer(image)
        before = counted
        runtime.answer(large)
        assert counted > before
    finally:
        stop.set()
        thread.join()

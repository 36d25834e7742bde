import numpy
import pytest

import hedge

ROWS, CLASSES = 4000, 3


@pytest.fixture(scope="module")
def table():
    """A base that is right where its margin is large, and a global that is right nearly always."""
    random = numpy.random.default_rng(7)
    labels = random.integers(0, CLASSES, ROWS)
    margin = random.uniform(-0.5, 3, ROWS)
    base = numpy.zeros((ROWS, CLASSES), numpy.float32)
    base[numpy.arange(ROWS), labels] = margin
    cloud = numpy.zeros((ROWS, CLASSES), numpy.float32)
    cloud[numpy.arange(ROWS), labels] = random.uniform(-0.05, 3, ROWS)
    features = random.normal(size=(ROWS, 5)).astype(numpy.float32)
    return hedge.Predictions(labels, base, cloud, features, class_names=["a", "b", "c"], dataset="made?split=calibration")


def test_arrays_go_in_and_come_out(table, tmp_path):
    assert len(table) == ROWS and table.has_global
    assert table.labels.dtype == numpy.int64 and table.base_logits.dtype == numpy.float32
    assert table.base_features.shape == (ROWS, 5)
    assert table.class_names == ["a", "b", "c"]
    again = hedge.Predictions(table.labels, table.base_logits, table.global_logits, table.base_features)
    assert (again.base_logits == table.base_logits).all()
    table.write(tmp_path / "x.table")
    read = hedge.Predictions.read(tmp_path / "x.table")
    for name in ("labels", "base_logits", "global_logits", "base_features"):
        assert (getattr(read, name) == getattr(table, name)).all(), name
    assert read.dataset == "made?split=calibration" and read.class_names == table.class_names


def test_arrays_are_copies(table):
    table.labels[:] = 0
    assert table.labels.any()


def test_accuracies_are_those_of_numpy(table):
    assert table.base_accuracy == pytest.approx((table.base_logits.argmax(1) == table.labels).mean())
    assert table.global_accuracy == pytest.approx((table.global_logits.argmax(1) == table.labels).mean())


def test_the_margin_is_that_of_numpy(table):
    logits = table.base_logits.astype(numpy.float64)
    probabilities = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
    ordered = numpy.sort(probabilities, axis=1)
    numpy.testing.assert_allclose(table.score("margin"), 1 - (ordered[:, -1] - ordered[:, -2]), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="entropy"):
        table.score("certainty")
    with pytest.raises(ValueError):
        table.score("entropy", temperature=0)


def test_thresholds_are_exact(table):
    scores = table.score("margin")
    point = table.threshold(scores, coverage=0.8)
    covered = scores <= point.threshold
    assert point.coverage == pytest.approx(covered.mean()) and covered.mean() >= 0.8
    hybrid = numpy.where(covered, table.base_logits.argmax(1), table.global_logits.argmax(1))
    assert point.accuracy == pytest.approx((hybrid == table.labels).mean())
    assert table.threshold(scores, accuracy=0.95).accuracy >= 0.95
    risk = table.threshold(scores, risk=0.01)
    assert (table.base_logits.argmax(1) != table.labels)[scores <= risk.threshold].mean() <= 0.01
    with pytest.raises(ValueError):
        table.threshold(scores)
    with pytest.raises(ValueError):
        table.threshold(scores, coverage=0.8, risk=0.1)
    with pytest.raises(hedge.Error) as caught:
        table.threshold(scores, accuracy=1.0)
    assert caught.value.code == "unreachable"


def test_a_promise_costs_coverage(table):
    scores = table.score("margin")
    promised = table.promise(scores, "risk<=0.05", delta=0.1)
    assert promised.promise == "risk<=0.05" and promised.images == ROWS
    assert promised.bound <= 0.05 and promised.coverage_given_up >= 0
    assert promised.point.coverage == pytest.approx((scores <= promised.point.threshold).mean())
    with pytest.raises(hedge.Error) as caught:
        table.promise(scores, "speed>=3")
    assert caught.value.code == "invalid_argument"


def test_a_table_that_is_none_is_refused():
    labels, logits = numpy.array([0, 1]), numpy.zeros((2, 3), numpy.float32)
    assert not hedge.Predictions(labels, logits).has_global
    assert hedge.Predictions(labels, logits).global_accuracy is None
    for wrong in ((labels[:1], logits), (numpy.array([0, 3]), logits), (labels, logits * numpy.nan)):
        with pytest.raises(hedge.Error) as caught:
            hedge.Predictions(*wrong)
        assert caught.value.code in ("mismatch", "bad_data")

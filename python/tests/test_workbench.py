import json

import numpy
import pytest

import hedge

CLASSES = 3


def made(seed, split, rows=1500):
    """The global is right where the first feature is positive, the base elsewhere: a router can learn it."""
    random = numpy.random.default_rng(seed)
    labels = random.integers(0, CLASSES, rows)
    features = random.normal(size=(rows, 4)).astype(numpy.float32)
    wrong = (labels + 1) % CLASSES
    helps = features[:, 0] > 0
    base, cloud = numpy.zeros((2, rows, CLASSES), numpy.float32)
    base[numpy.arange(rows), numpy.where(helps, wrong, labels)] = 2
    cloud[numpy.arange(rows), numpy.where(helps, labels, wrong)] = 2
    return hedge.Predictions(labels, base, cloud, features, class_names=["a", "b", "c"], dataset=f"made?split={split}", split=split)


def test_a_router_learns_where_the_cloud_helps(tmp_path):
    fitted = hedge.fit(made(1, "train"), made(2, "calibration"), router="gain", coverage=0.5, threads=1, out=tmp_path / "hybrid")
    assert fitted.router == "gain" and fitted.helps > 0 and fitted.hurts > 0
    assert fitted.point.coverage >= 0.5 and fitted.point.accuracy > 0.9
    assert json.loads(fitted.policy_json)["router"] == "gain"
    assert (tmp_path / "hybrid" / "router.onnx").read_bytes() == fitted.router_onnx
    assert fitted.promised is None

    judged = hedge.evaluate(made(3, "test"), tmp_path / "hybrid", out=tmp_path / "report", resamples=100)
    assert judged.images == 1500 and (tmp_path / "report" / "report.html").exists()
    by_name = {method.name: method for method in judged.methods}
    at = judged.coverages.index(pytest.approx(0.5))
    assert by_name["hybrid"].accuracy[at].value > 0.9 > by_name["margin"].accuracy[at].value
    assert by_name["hybrid"].to_margin.low > 0
    assert judged.operating_point.threshold == fitted.point.threshold
    assert judged.verdict


def test_a_promise_and_several_routers_by_name(tmp_path):
    fitted = hedge.fit(made(1, "train"), made(2, "calibration"), router="margin", promise="coverage>=0.3", out=tmp_path / "margin")
    assert fitted.promised.promise == "coverage>=0.3" and fitted.point.coverage >= 0.3
    judged = hedge.evaluate(made(3, "test"), {"first": tmp_path / "margin", "second": "entropy"}, resamples=100)
    assert {"first", "second"} <= {method.name for method in judged.methods}


def test_tables_of_hedge_predict_are_taken(tables, tmp_path):
    read = {name: hedge.Predictions.read(path) for name, path in tables.items()}
    fitted = hedge.fit(read["train"], read["calibration"], router="linear", threads=1, out=tmp_path / "hybrid")
    assert fitted.macs > 0
    assert hedge.evaluate(read["test"], tmp_path / "hybrid", resamples=100).images == len(read["test"])


def test_a_model_at_chance_is_an_alarm():
    def shuffled(seed, split, rows=600):
        random = numpy.random.default_rng(seed)
        labels = random.integers(0, CLASSES, rows)
        base = random.normal(size=(rows, CLASSES)).astype(numpy.float32)  # it has not seen the labels
        cloud = numpy.eye(CLASSES, dtype=numpy.float32)[labels]
        return hedge.Predictions(labels, base, cloud, base, class_names=["a", "b", "c"], dataset=f"made?split={split}", split=split)

    with pytest.raises(hedge.Error) as caught:
        hedge.fit(shuffled(1, "train"), shuffled(2, "calibration"), router="margin")
    assert caught.value.code == "alarm"
    fitted = hedge.fit(shuffled(1, "train"), shuffled(2, "calibration"), router="margin", accept_risk=True)
    assert "not above chance" in json.loads(fitted.policy_json)["accepted_risks"][0]


def test_what_contradicts_itself_is_refused(tmp_path):
    table = made(1, "train")
    with pytest.raises(hedge.Error) as caught:
        hedge.fit(table, table, router="gain")
    assert caught.value.code == "mismatch"
    with pytest.raises(hedge.Error) as caught:
        hedge.fit(table, made(2, "calibration"), router="oracle")
    assert caught.value.code == "invalid_argument"
    with pytest.raises(hedge.Error) as caught:
        hedge.evaluate(made(3, "test"), tmp_path / "none", resamples=100)
    assert caught.value.code == "not_found"

import pathlib

import pytest


def pytest_addoption(parser):
    parser.addoption("--bundle", help="a bundle, for the tests of hedge.Runtime", required=True)
    parser.addoption("--images", help="a folder of images that the bundle takes", required=True)
    parser.addoption("--tables", help="a folder with train.table, calibration.table and test.table", required=True)


@pytest.fixture(scope="session")
def tables(request):
    folder = pathlib.Path(request.config.getoption("--tables"))
    return {name: folder / f"{name}.table" for name in ("train", "calibration", "test")}


@pytest.fixture(scope="session")
def bundle(request):
    return pathlib.Path(request.config.getoption("--bundle"))


@pytest.fixture(scope="session")
def images(request):
    return sorted(pathlib.Path(request.config.getoption("--images")).iterdir())[:40]

#!/usr/bin/env python3
"""Runs NVIDIA's tritonclient against a server of this project (docs/formats/open_inference_protocol.md).

Needs tritonclient (scripts/setup.sh test installs it into .venv). Usage: .venv/bin/python tritonclient_check.py HOST:PORT MODEL
or, which serves the file as long as the checks run: tritonclient_check.py --serve HEDGE_CLOUD MODEL.onnx
Exits with 0 where every check holds; prints one line a check.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

BATCH = 3
SERVER_START_S = 60


def check(what, holds):
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        sys.exit(1)


def refused(call, status):
    try:
        call()
    except InferenceServerException as error:
        print(f"        {error}")
        return status in str(error.status())
    return False


def make_input(spec, batch=BATCH):
    shape = [batch if size == -1 else size for size in spec.shape]
    values = numpy.random.default_rng(1).integers(0, 200, shape).astype(triton_to_np_dtype(spec.datatype))
    tensor = triton.InferInput(spec.name, shape, spec.datatype)
    tensor.set_data_from_numpy(values)
    return tensor


def main(address, model):
    client = triton.InferenceServerClient(address)
    check("live", client.is_server_live())
    check("ready", client.is_server_ready())
    check("model ready", client.is_model_ready(model))
    check("another model is not ready", not client.is_model_ready("no-such-model"))
    server = client.get_server_metadata()
    check(f"server metadata: {server.name} {server.version}", "classification" in server.extensions)
    metadata = client.get_model_metadata(model)
    check(f"model metadata: {[(i.name, i.datatype, list(i.shape)) for i in metadata.inputs]}", len(metadata.inputs) >= 1)
    check("an unknown model's metadata is NOT_FOUND", refused(lambda: client.get_model_metadata("no-such-model"), "NOT_FOUND"))

    inputs = [make_input(spec) for spec in metadata.inputs]
    names = [spec.name for spec in metadata.outputs]
    answer = client.infer(model, inputs, request_id="17")
    check("an inference without named outputs gives all", [o.name for o in answer.get_response().outputs] == names)
    check("the id is echoed", answer.get_response().id == "17")
    scores = answer.as_numpy(names[0])
    check(f"as_numpy gives {names[0]} {scores.shape} {scores.dtype}", scores.shape[0] == BATCH and scores.size > 0)
    again = client.infer(model, inputs, outputs=[triton.InferRequestedOutput(names[0])], priority=1, timeout=10_000_000,
                         client_timeout=20, compression_algorithm="gzip")
    check("gzip, priority and timeout are accepted, the answer is the same", numpy.array_equal(again.as_numpy(names[0]), scores))
    top = client.infer(model, inputs, outputs=[triton.InferRequestedOutput(names[0], class_count=2)]).as_numpy(names[0])
    best = [int(text.decode().split(":")[1]) for text in top[:, 0]]
    check(f"classification {top[0].tolist()}", best == numpy.argmax(scores.reshape(BATCH, -1), axis=1).tolist())

    wrong = make_input(metadata.inputs[0])
    wrong._input.name = "no-such-input"
    check("an unknown input is INVALID_ARGUMENT", refused(lambda: client.infer(model, [wrong]), "INVALID_ARGUMENT"))
    check("an unknown version is NOT_FOUND", refused(lambda: client.infer(model, inputs, model_version="999"), "NOT_FOUND"))
    done = []
    for _ in range(20):
        client.async_infer(model, inputs, lambda result, error: done.append((result, error)))
    limit = time.monotonic() + 20
    while len(done) < 20 and time.monotonic() < limit:
        time.sleep(0.01)
    check("20 asynchronous inferences", len(done) == 20 and all(error is None for _, error in done))


def serve_and_check(program, model):
    with tempfile.TemporaryDirectory() as folder:
        port = pathlib.Path(folder) / "port"
        server = subprocess.Popen([program, "serve", "--model", model, "--name", "model", "--address", "127.0.0.1:0", "--port-file", port])
        try:
            limit = time.monotonic() + SERVER_START_S
            while not port.exists() and server.poll() is None and time.monotonic() < limit:
                time.sleep(0.05)
            check(f"{program} serves {model}", port.exists())
            main(f"127.0.0.1:{port.read_text().strip()}", "model")
        finally:
            server.terminate()
            code = server.wait(SERVER_START_S)
        check("the server ends well when asked to", code == 0)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--serve":
        serve_and_check(*sys.argv[2:])
    elif len(sys.argv) == 3:
        main(*sys.argv[1:])
    else:
        sys.exit(__doc__)

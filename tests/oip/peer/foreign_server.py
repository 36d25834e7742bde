"""A small server of the Open Inference Protocol that is not Hedge's: it says neither which model it serves nor what its outputs are called.
Its model tells four gray levels, as model_of() in tests/cli/slow/levels.h: an output a letter of --order, logits or (--probabilities) their
softmax, of u8 images [N, 8, 8, 1]. Writes its port to a file when it is ready, and serves until a signal comes."""

import argparse
import os
import signal
from concurrent import futures

import grpc
import numpy
from tritonclient.grpc import service_pb2, service_pb2_grpc

SIDE = 8


class Levels(service_pb2_grpc.GRPCInferenceServiceServicer):
    def __init__(self, order, sharpness, probabilities):
        middles = numpy.array([(ord(name) - ord("a") + 0.5) / 4 for name in order])
        self.weights = (2 * sharpness * middles).astype(numpy.float32)
        self.bias = (-sharpness * middles**2).astype(numpy.float32)
        self.probabilities = probabilities

    def ModelMetadata(self, request, context):
        tensor = service_pb2.ModelMetadataResponse.TensorMetadata
        return service_pb2.ModelMetadataResponse(
            name=request.name,
            versions=["1"],
            platform="foreign",
            inputs=[tensor(name="pixels", datatype="UINT8", shape=[-1, SIDE, SIDE, 1])],
            outputs=[tensor(name="scores", datatype="FP32", shape=[-1, len(self.weights)])],
        )

    def ModelInfer(self, request, context):
        images = numpy.frombuffer(request.raw_input_contents[0], numpy.uint8).reshape(-1, SIDE * SIDE)
        levels = images.mean(axis=1, dtype=numpy.float64)[:, None] / 255
        scores = levels * self.weights + self.bias
        if self.probabilities:
            scores = numpy.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
        scores = scores.astype(numpy.float32)
        response = service_pb2.ModelInferResponse(model_name=request.model_name, model_version="1", id=request.id)
        response.outputs.add(name="scores", datatype="FP32", shape=scores.shape)
        response.raw_output_contents.append(scores.tobytes())
        return response


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--order", default="abcd")
    parser.add_argument("--sharpness", type=float, default=500)
    parser.add_argument("--probabilities", action="store_true")
    parser.add_argument("--port-file", required=True)
    flags = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    server = grpc.server(futures.ThreadPoolExecutor(2))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Levels(flags.order, flags.sharpness, flags.probabilities), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with open(flags.port_file + ".new", "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.rename(flags.port_file + ".new", flags.port_file)
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    server.stop(1).wait()


if __name__ == "__main__":
    main()

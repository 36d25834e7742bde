// dump_activations MODEL.tflite INPUT OUTPUT [exact|device]: runs one image (int8, [H, W, C]) through the model on the host and writes
// every activation: a line "NAME BYTES\n", then the bytes. With "device" each layer runs in the device arithmetic, from the exact inputs.
// For tests/codegen/exactness.py.
#include <cstdio>
#include <string>

#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/tflite.h"
#include "core/file.h"

namespace {

using hedge::codegen::Arithmetic;
using hedge::codegen::HostRunner;

/// Every layer's output in the device arithmetic, its inputs being the exact ones.
hedge::Result<std::vector<std::vector<std::int8_t>>> layer_by_layer(const hedge::codegen::Network& network,
                                                                    const std::vector<std::vector<std::int8_t>>& exact) {
  HEDGE_TRY(const auto device, HostRunner::create(network, Arithmetic::kDevice));
  auto made = exact;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    auto activations = exact;
    device.run_layer(i, activations);
    made[network.layers[i].output] = activations[network.layers[i].output];
  }
  return made;
}

hedge::Status dump(const std::string& model, const std::string& input, const std::string& output, bool device) {
  HEDGE_TRY(const auto graph, hedge::codegen::read_tflite(model));
  HEDGE_TRY(auto network, hedge::codegen::lower(graph));
  HEDGE_TRY(const auto runner, HostRunner::create(std::move(network), Arithmetic::kExact));
  HEDGE_TRY(const auto image, hedge::read_file(input));
  const auto& activations = runner.network().activations;
  if (static_cast<std::int64_t>(image.size()) != activations[runner.network().input].bytes())
    return hedge::Error{
        .code = hedge::ErrorCode::kMismatch, .what = "an image of another size", .where = input, .got = std::to_string(image.size())};
  auto made = runner.run({reinterpret_cast<const std::int8_t*>(image.data()), image.size()});
  if (device) {
    HEDGE_TRY(made, layer_by_layer(runner.network(), made));
  }
  std::string text;
  for (std::size_t i = 0; i < made.size(); ++i) {
    text += activations[i].name + " " + std::to_string(made[i].size()) + "\n";
    text.append(reinterpret_cast<const char*>(made[i].data()), made[i].size());
  }
  return hedge::write_file_atomic(output, text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: dump_activations MODEL.tflite INPUT OUTPUT [exact|device]\n");
    return 2;
  }
  const bool device = argc > 4 && std::string(argv[4]) == "device";
  const auto done = dump(argv[1], argv[2], argv[3], device);
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return static_cast<int>(done.error().code);
}

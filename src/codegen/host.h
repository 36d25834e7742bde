#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "codegen/network.h"
#include "hedge/executor.h"

namespace hedge::codegen {

/// Whose integers a host runner computes.
enum class Arithmetic {
  kExact,   ///< TFLite's reference kernels, bit for bit (micro/exact.h)
  kDevice,  ///< a microcontroller's, byte for byte: one rounding, ties upwards (micro/requantize.h, micro/pack.h)
};
const char* to_string(Arithmetic arithmetic);
/// "exact" or "device". Errors: kInvalidArgument.
Result<Arithmetic> arithmetic(const std::string& name);

namespace internal {
struct PreparedLayer;
}

/// An int8 network on the host. Order: create once, then run from any threads at once.
class HostRunner {
 public:
  /// Errors: those of check(network); kUnsupported a layer outside the device arithmetic (a scale that micro::can_pack() refuses, a mean
  /// with a scale of its own), named, with kDevice only.
  static Result<HostRunner> create(Network network, Arithmetic arithmetic);
  HostRunner(HostRunner&&) noexcept;
  HostRunner& operator=(HostRunner&&) noexcept;
  ~HostRunner();

  [[nodiscard]] const Network& network() const { return network_; }
  [[nodiscard]] Arithmetic arithmetic() const { return arithmetic_; }
  /// Every activation, int8 [height, width, channels], by its index. `input`: the network's, of that form. Precondition: its size.
  [[nodiscard]] std::vector<std::vector<std::int8_t>> run(std::span<const std::int8_t> input) const;
  /// Layer `index` alone: reads its inputs among `activations` and writes its output there.
  void run_layer(std::size_t index, std::vector<std::vector<std::int8_t>>& activations) const;

 private:
  HostRunner(Network network, Arithmetic arithmetic);

  Network network_;
  Arithmetic arithmetic_;
  std::vector<internal::PreparedLayer> layers_;
};

/// One f32 image [C, H, W] (or vector) as the integers of `activation`, channels last: round(x / scale) + zero point, ties away from
/// zero, saturated, as TFLite's Quantize. Precondition: as many values as the activation has.
std::vector<std::int8_t> quantize_image(std::span<const float> image, const Activation& activation);

/// The network as an Executor: its input f32 [N, C, H, W] ([N, F] for a vector) called `input_name`, its outputs by output_names,
/// dequantised, [N, F] or [N, C, H, W]. Errors: those of HostRunner::create.
Result<std::unique_ptr<Executor>> make_host_executor(Network network, Arithmetic arithmetic, const std::string& input_name = "image");

}  // namespace hedge::codegen

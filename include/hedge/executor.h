#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/api.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge {

/// Name, element type and shape of an input or output; -1 is a dynamic dimension (the batch, as a rule).
struct TensorSpec {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
};

/// A borrowed input of one run.
struct NamedView {
  std::string_view name;
  TensorView view;
};

/// The one interface of everything that computes a graph: reference, OpenVINO, libtorch, int8 host, remote.
///
/// Synchronous and inference only. Inputs are borrowed for the call; outputs are owned by the caller and come in the
/// order of outputs(). Every dimension that a spec gives as -1 may differ from call to call. `run` may be called from
/// several threads at once: an implementation that cannot overlap runs serialises them itself.
class HEDGE_API Executor {
 public:
  virtual ~Executor() = default;

  [[nodiscard]] virtual const std::vector<TensorSpec>& inputs() const = 0;
  [[nodiscard]] virtual const std::vector<TensorSpec>& outputs() const = 0;

  /// Computes all outputs.
  /// Errors: kNotFound a missing input; kInvalidArgument an unknown or repeated one; kMismatch a dtype or shape that
  /// does not fit its spec; kInternal a vendor's failure.
  [[nodiscard]] virtual Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const = 0;

  /// One line for logs and reports: the runner, its version, its precision.
  [[nodiscard]] virtual std::string description() const = 0;
};

/// The checks of Executor::run's contract, and the inputs in the order of `specs`.
HEDGE_API Result<std::vector<TensorView>> match_inputs(const std::vector<TensorSpec>& specs, std::span<const NamedView> inputs);

/// The index of the spec called `name`, or kNotFound with the names there are.
HEDGE_API Result<std::size_t> find_spec(const std::vector<TensorSpec>& specs, std::string_view name);

}  // namespace hedge

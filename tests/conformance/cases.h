#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "graph/graph.h"
#include "hedge/result.h"

namespace hedge::conformance {

/// A small graph around one operator; `build` draws its weights from the generator. Batches are tried as given.
struct OperatorCase {
  std::string op;    ///< the operator under test, as in the table
  std::string name;  ///< what of it is tested, a C identifier
  std::function<Result<graph::Graph>(Rng&)> build;
  std::vector<std::int64_t> batches = {1, 3};
};

/// All cases; at least one a row of the operator table.
const std::vector<OperatorCase>& operator_cases();

// The families behind it.
void add_elementwise_cases(std::vector<OperatorCase>& cases);
void add_window_cases(std::vector<OperatorCase>& cases);
void add_matrix_and_reduce_cases(std::vector<OperatorCase>& cases);
void add_layout_cases(std::vector<OperatorCase>& cases);
void add_quantize_cases(std::vector<OperatorCase>& cases);

}  // namespace hedge::conformance

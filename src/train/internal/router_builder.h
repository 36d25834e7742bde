#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "graph/builder.h"
#include "train/router_graph.h"

namespace hedge::train::internal {

/// Builds a router layer by layer: the base's logits (divided by the shape's temperature) and features come in, a score goes out.
/// Every method returns the name of a tensor. Holds the seed's stream of initial weights. Not thread-safe.
class RouterBuilder {
 public:
  RouterBuilder(const char* name, const RouterShape& shape, std::uint64_t seed);

  /// Entropy of the probabilities in nats, [N, 1].
  std::string entropy();
  /// ln sum exp of the (divided) logits, [N, 1].
  std::string log_sum_exp();
  /// The `k` largest of `of` [N, C], descending, [N, k].
  std::string top(const std::string& of, std::int64_t k);
  std::string columns(const std::string& of, std::int64_t from, std::int64_t to);
  std::string concat(std::vector<std::string> parts, const std::string& name);
  /// A fully connected layer with weights and bias uniform in +-1/sqrt(in).
  std::string dense(const std::string& x, const std::string& name, std::int64_t in, std::int64_t out);
  /// The same with zeros: adds nothing before it is trained.
  std::string silent(const std::string& x, const std::string& name, std::int64_t in, std::int64_t out);
  std::string relu(const std::string& x);
  /// (x - kInputMean) / kInputStd, clipped.
  std::string normalised(const std::string& x, std::int64_t width);
  std::string one_minus(const std::string& x);
  /// p_helps - p_hurts of the three classes' logits [N, 3].
  std::string helps_minus_hurts(const std::string& logits);

  graph::Builder& b() { return b_; }
  [[nodiscard]] const RouterShape& shape() const { return shape_; }
  [[nodiscard]] const std::string& features() const { return features_; }
  [[nodiscard]] const std::string& log_p() const { return log_p_; }
  [[nodiscard]] const std::string& p() const { return p_; }
  /// How many of the largest probabilities are looked at.
  [[nodiscard]] std::int64_t k() const;
  /// The graph, with `score` as its output. Ends the builder. Errors: those of graph::Builder::build.
  Result<graph::Graph> finish(const std::string& score);

 private:
  std::string gemm(const std::string& x, const std::string& name, Tensor weight, Tensor bias);

  graph::Builder b_;
  RouterShape shape_;
  Rng rng_;
  std::string logits_, features_, log_p_, p_;
};

}  // namespace hedge::train::internal

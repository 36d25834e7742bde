#include <cmath>
#include <map>
#include <set>

#include "graph/passes.h"
#include "graph/uses.h"

namespace hedge::graph {
namespace {

/// A BatchNormalization as y = scale * x + shift, a channel.
struct Affine {
  std::vector<float> scale;
  std::vector<float> shift;
};

class Folder {
 public:
  explicit Folder(Graph graph) : graph_(std::move(graph)), uses_(count_uses(graph_)) {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      for (const auto& output : graph_.nodes[i].outputs) maker_[output] = i;
  }

  Result<Graph> run() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (graph_.nodes[i].op == "BatchNormalization") HEDGE_CHECK(fold(i));
    std::vector<Node> kept;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (!folded_.contains(i)) kept.push_back(std::move(graph_.nodes[i]));
    graph_.nodes = std::move(kept);
    return prune_dead(std::move(graph_));
  }

 private:
  Status fold(std::size_t at) {
    const Node& norm = graph_.nodes[at];
    if (norm.inputs.size() != 5 || norm.outputs.size() != 1 || norm.integer("training_mode", 0) != 0) return {};
    const auto made = maker_.find(norm.inputs[0]);
    if (made == maker_.end() || uses_[norm.inputs[0]] != 1) return {};
    Node& product = graph_.nodes[made->second];
    if (product.op != "Conv" && product.op != "Gemm") return {};
    const Tensor* weight = product.inputs.size() > 1 ? constant(product.inputs[1]) : nullptr;
    const bool has_bias = product.inputs.size() > 2 && !product.inputs[2].empty();
    const Tensor* bias = has_bias ? constant(product.inputs[2]) : nullptr;
    if (weight == nullptr || (has_bias && bias == nullptr)) return {};
    const auto affine = affine_of(norm);
    if (!affine) return affine.error().code == ErrorCode::kNotFound ? Status{} : Status(affine.error());
    if (product.op == "Conv" ? !fold_conv(product, *weight, bias, *affine) : !fold_gemm(product, *weight, bias, *affine)) return {};
    product.outputs[0] = norm.outputs[0];
    maker_[norm.outputs[0]] = made->second;
    folded_.insert(at);
    return {};
  }

  const Tensor* constant(const std::string& name) const {
    const auto found = graph_.initializers.find(name);
    return found != graph_.initializers.end() && found->second.dtype() == DType::kF32 ? &found->second : nullptr;
  }

  /// kNotFound where a statistic is not constant; kBadData where a variance is negative.
  Result<Affine> affine_of(const Node& norm) const {
    const Tensor* parts[4];
    for (std::size_t i = 0; i < 4; ++i) {
      parts[i] = constant(norm.inputs[i + 1]);
      if (parts[i] == nullptr || parts[i]->shape() != parts[0]->shape()) return Error{.code = ErrorCode::kNotFound};
    }
    const auto gamma = parts[0]->data<float>(), beta = parts[1]->data<float>(), mean = parts[2]->data<float>(),
               variance = parts[3]->data<float>();
    const double epsilon = norm.number("epsilon", 1e-5F);
    Affine affine;
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      if (!(variance[c] + epsilon > 0))
        return Error{.code = ErrorCode::kBadData,
                     .what = "a variance is negative",
                     .where = "node " + norm.name + " (BatchNormalization), tensor " + norm.inputs[4],
                     .got = std::to_string(variance[c]) + " in channel " + std::to_string(c)};
      const double scale = gamma[c] / std::sqrt(variance[c] + epsilon);
      affine.scale.push_back(static_cast<float>(scale));
      affine.shift.push_back(static_cast<float>(beta[c] - scale * mean[c]));
    }
    return affine;
  }

  bool fold_conv(Node& conv, const Tensor& weight, const Tensor* bias, const Affine& affine) {
    const std::size_t channels = affine.scale.size();
    if (weight.shape().size() != 4 || weight.shape()[0] != static_cast<std::int64_t>(channels)) return false;
    if (bias != nullptr && bias->num_elements() != weight.shape()[0]) return false;
    Tensor scaled = weight;
    auto values = scaled.data<float>();
    const std::size_t each = channels > 0 ? values.size() / channels : 0;
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= affine.scale[i / each];
    set(conv, std::move(scaled), shifted(bias, affine, 1));
    return true;
  }

  bool fold_gemm(Node& gemm, const Tensor& weight, const Tensor* bias, const Affine& affine) {
    const auto channels = static_cast<std::int64_t>(affine.scale.size());
    const bool flipped = gemm.integer("transB", 0) != 0;
    if (weight.shape().size() != 2 || weight.shape()[flipped ? 0 : 1] != channels) return false;
    // Only a bias of one value a column: others would need a row's.
    if (bias != nullptr && (bias->shape().empty() || bias->num_elements() != channels || bias->shape().back() != channels)) return false;
    const auto each = static_cast<std::size_t>(flipped ? weight.shape()[1] : 1);
    Tensor scaled = weight;
    auto values = scaled.data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= affine.scale[i / each % affine.scale.size()];
    set(gemm, std::move(scaled), shifted(bias, affine, gemm.number("beta", 1)));
    gemm.attributes.erase("beta");
    return true;
  }

  static Tensor shifted(const Tensor* bias, const Affine& affine, float factor) {
    std::vector<float> values = affine.shift;
    if (bias != nullptr)
      for (std::size_t c = 0; c < values.size(); ++c) values[c] += affine.scale[c] * factor * bias->data<float>()[c];
    return Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values);
  }

  void set(Node& product, Tensor weight, Tensor bias) {
    product.inputs.resize(3);
    replace(product.inputs[1], product.name + ".weight", std::move(weight));
    replace(product.inputs[2], product.name + ".bias", std::move(bias));
  }

  /// Puts `tensor` in the place of the initializer `input`, or under a new name where that is shared or none.
  void replace(std::string& input, std::string name, Tensor tensor) {
    if (input.empty() || uses_[input] != 1) {
      while (graph_.initializers.contains(name) || maker_.contains(name) || uses_.contains(name)) name += "_";
      input = std::move(name);
      uses_[input] = 1;
    }
    graph_.initializers.insert_or_assign(input, std::move(tensor));
  }

  Graph graph_;
  std::map<std::string, int> uses_;
  std::map<std::string, std::size_t> maker_;
  std::set<std::size_t> folded_;
};

}  // namespace

Result<Graph> fold_batch_norm(Graph graph) { return Folder(std::move(graph)).run(); }

}  // namespace hedge::graph

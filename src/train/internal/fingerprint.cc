#include "train/internal/fingerprint.h"

#include <cstdio>
#include <type_traits>
#include <variant>

#include "core/sha256.h"

namespace hedge::train::internal {
namespace {

void hash_attribute(Sha256& hash, const graph::Attribute& attribute) {
  std::visit(
      [&hash](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          hash.update(value);
        } else if constexpr (std::is_same_v<T, Tensor>) {
          hash.update({reinterpret_cast<const char*>(value.bytes()), value.num_bytes()});
        } else if constexpr (std::is_arithmetic_v<T>) {
          hash.update(std::to_string(value));
        } else {
          for (const auto element : value) hash.update(std::to_string(element) + ",");
        }
      },
      attribute);
}

void hash_structure(Sha256& hash, const graph::Graph& graph) {
  const auto list = [&hash](const std::vector<std::string>& names) {
    for (const auto& name : names) hash.update(name + ";");
    hash.update("|");
  };
  for (const auto& node : graph.nodes) {
    hash.update(node.op + " " + node.name + " ");
    list(node.inputs);
    list(node.outputs);
    for (const auto& [key, attribute] : node.attributes) hash_attribute(hash.update(key + "="), attribute);
  }
  for (const auto* values : {&graph.inputs, &graph.outputs})
    for (const auto& value : *values) hash.update(value.name + hedge::to_string(value.shape));
}

}  // namespace

std::string fingerprint_of(const graph::Graph& graph, const data::Dataset& dataset, const data::Preprocess& recipe, const TrainOptions& options) {
  Sha256 hash;
  for (const auto& [name, tensor] : graph.initializers)
    hash.update(name).update({reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes()});
  hash_structure(hash, graph);
  hash.update(dataset.content_hash()).update(recipe.to_json());
  char text[256];
  std::snprintf(text, sizeof text, "%lld %lld %d %.17g %.17g %.17g %.17g %.17g %lld %d %llu %d %d", static_cast<long long>(options.epochs),
                static_cast<long long>(options.batch), static_cast<int>(options.optimizer), options.learning_rate, options.momentum,
                options.weight_decay, options.warmup_epochs, options.label_smoothing, static_cast<long long>(options.augmentation.pad_crop),
                options.augmentation.flip, static_cast<unsigned long long>(options.seed), static_cast<int>(options.precision),
                static_cast<int>(options.layout));
  return hash.update(text).hex();
}

}  // namespace hedge::train::internal

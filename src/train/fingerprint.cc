#include "train/fingerprint.h"

#include <cstdio>
#include <initializer_list>
#include <type_traits>
#include <variant>

#include "core/sha256.h"

namespace hedge::train {
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

void hash_graph(Sha256& hash, const graph::Graph& graph) {
  for (const auto& [name, tensor] : graph.initializers)
    hash.update(name).update({reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes()});
  hash_structure(hash, graph);
}

void hash_numbers(Sha256& hash, const char* name, const std::vector<float>& values) {
  hash.update(name).update({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

std::string text_of(std::initializer_list<double> values) {
  std::string text;
  for (const double value : values) {
    char number[32];
    std::snprintf(number, sizeof number, " %.17g", value);
    text += number;
  }
  return text;
}

void hash_objective(Sha256& hash, const Objective& objective) {
  for (const double weight : objective.output_weights) hash.update("output").update(text_of({weight}));
  hash_numbers(hash, "samples", objective.sample_weights);
  if (objective.teacher) {
    hash_graph(hash, objective.teacher->graph);
    hash.update(objective.teacher->recipe.to_json() + text_of({objective.teacher->weight, objective.teacher->temperature}));
    if (objective.teacher->cached) hash.update("cached");
    if (!objective.teacher->gate.empty()) hash_numbers(hash, "gate", objective.teacher->gate);
  }
  if (objective.deferring) {
    const auto& deferring = *objective.deferring;
    hash.update("deferring").update(text_of({static_cast<double>(deferring.kind), deferring.strength}));
    hash_numbers(hash, "thresholds", deferring.thresholds);
    hash_numbers(hash, "global_error", deferring.global_error);
  }
  if (objective.hybrid) {
    hash_numbers(hash, "global", objective.hybrid->global_loss);
    hash.update(text_of({objective.hybrid->coverage, objective.hybrid->penalty}));
  }
  if (objective.elastic) {
    const auto& elastic = *objective.elastic;
    hash.update("elastic").update(elastic.choices.kernels + " " + elastic.choices.expands + " " + elastic.choices.depths);
    hash.update(text_of({static_cast<double>(elastic.random), elastic.sandwich ? 1.0 : 0.0}));
    for (const double width : elastic.choices.widths) hash.update(text_of({width}));
    for (const auto side : elastic.sides) hash.update(text_of({static_cast<double>(side)}));
  }
  hash.update("only").update(objective.only);
  for (const auto& [name, rate] : objective.rates) hash.update("rate").update(name + text_of({rate}));
}

/// What came later, each part only where it is used, for the same reason. The start of the weights is in the weights.
void hash_recipe(Sha256& hash, const TrainOptions& o) {
  const auto add = [&hash](const char* name, std::initializer_list<double> values) { hash.update(name).update(text_of(values)); };
  const auto& a = o.augmentation;
  if (o.bias_rate != 1) add("bias_rate", {o.bias_rate});
  if (o.warmup_share != 0) add("warmup_share", {o.warmup_share});
  if (o.schedule != Schedule::kCosine) add("schedule", {static_cast<double>(o.schedule)});
  if (o.averaging != Averaging::kNone) add("averaging", {static_cast<double>(o.averaging)});
  if (o.mixup != 0 || o.cutmix != 0) add("mix", {o.mixup, o.cutmix});
  if (o.first_size != 1) add("first_size", {o.first_size});
  if (o.time_budget != 0) add("time_budget", {o.time_budget});
  if (a.reflect || a.alternate) add("flip", {a.reflect ? 1.0 : 0.0, a.alternate ? 1.0 : 0.0});
  if (a.erase != 0 || a.vary != 0) add("vary", {a.erase, static_cast<double>(a.vary)});
}

}  // namespace

std::string fingerprint_of(const graph::Graph& graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                           const TrainOptions& options, const Objective& objective) {
  Sha256 hash;
  hash_graph(hash, graph);
  hash.update(dataset.content_hash()).update(recipe.to_json());
  char text[256];
  std::snprintf(text, sizeof text, "%lld %lld %d %.17g %.17g %.17g %.17g %.17g %lld %d %llu %d %d", static_cast<long long>(options.epochs),
                static_cast<long long>(options.batch), static_cast<int>(options.optimizer), options.learning_rate, options.momentum,
                options.weight_decay, options.warmup_epochs, options.label_smoothing, static_cast<long long>(options.augmentation.pad_crop),
                options.augmentation.flip, static_cast<unsigned long long>(options.seed), static_cast<int>(options.precision),
                static_cast<int>(options.layout));
  hash.update(text);
  // A plain run's fingerprint is as it was before there was anything else, so that its old checkpoints stay good.
  if (options.first_epoch != 0 || options.schedule_epochs != 0)
    hash.update(text_of({static_cast<double>(options.first_epoch), static_cast<double>(options.schedule_epochs)}));
  if (options.augmentation.cutout != 0) hash.update(text_of({static_cast<double>(options.augmentation.cutout)}));
  hash_recipe(hash, options);
  if (!objective.plain()) hash_objective(hash, objective);
  return hash.hex();
}

}  // namespace hedge::train

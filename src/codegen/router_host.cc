#include "codegen/router_host.h"

#include <algorithm>
#include <cmath>

#include "codegen/emit.h"
#include "codegen/internal/logit_table.h"
#include "micro/router.h"

namespace hedge::codegen {
namespace {

float gain(const RouterProgram& router, const micro::LogitTable& table, std::int32_t classes, const std::int8_t* logits,
           const std::int8_t* features) {
  const auto stream = pack_layer(micro::kLayout, router.hidden, router.hidden.layers[0]);
  if (!stream) return 0;  // the emitter has refused such a router
  const auto& inputs = router.hidden.activations[0];
  const auto& hidden = router.hidden.activations[1];
  const micro::GainRouter device{
      .table = table,
      .classes = classes,
      .features = router.features,
      .top = router.top,
      .statistics = router.statistics.data(),
      .feature_lines = router.feature_lines.data(),
      .hidden = {.stream = stream->data(), .depth = inputs.channels, .channels = hidden.channels, .output_zero = -128},
      .output_weights = router.output_weights.data(),
      .output_lines = router.output_lines.data(),
      .straight_weights = router.straight_weights.data(),
      .straight_lines = router.straight_lines.data()};
  std::vector<std::int32_t> scratch(static_cast<std::size_t>(micro::gain_scratch_bytes(device)) / 4 + 1);
  return micro::gain_score(device, logits, features, scratch.data());
}

}  // namespace

float router_score(const RouterProgram& router, const Network& base, const std::vector<std::vector<std::int8_t>>& activations) {
  if (router.form == RouterForm::kNone) return 0;
  const auto& logits = activations[base.outputs[0]];
  const auto classes = static_cast<std::int32_t>(logits.size());
  const internal::LogitConstants constants(base.activations[base.outputs[0]], router.temperature);
  const auto table = constants.table();
  if (router.form == RouterForm::kGain)
    return gain(router, table, classes, logits.data(), router.features > 0 ? activations[base.outputs[1]].data() : nullptr);
  const auto statistics = micro::logit_statistics(table, logits.data(), classes);
  switch (router.form) {
    case RouterForm::kEntropy: return micro::entropy_score(table, statistics);
    case RouterForm::kMargin: return micro::margin_score(table, statistics);
    case RouterForm::kMaxProbability: return micro::max_probability_score(table, statistics);
    default: return micro::energy_score(table, statistics, static_cast<float>(router.temperature));
  }
}

std::vector<std::int8_t> quantise_u8(const Normalization& normalization, const Network& base, std::span<const std::uint8_t> image) {
  const auto& input = base.activations[base.input];
  std::vector<std::vector<std::int8_t>> tables;
  for (std::int32_t c = 0; c < input.channels; ++c) tables.push_back(input_table(normalization, input, c));
  std::vector<std::int8_t> values;
  for (std::size_t i = 0; i < image.size(); ++i) values.push_back(tables[i % tables.size()][image[i]]);
  return values;
}

}  // namespace hedge::codegen

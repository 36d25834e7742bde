#include "codegen/internal/emit_router.h"

#include <algorithm>
#include <vector>

#include "codegen/internal/emit_text.h"
#include "codegen/internal/logit_table.h"
#include "micro/router.h"

namespace hedge::codegen::internal {
namespace {

std::string num(std::int64_t value) { return std::to_string(value); }

/// An array's declaration and definition.
void array(RouterCode& code, const char* type, const char* name, std::size_t size, const std::string& values, std::int64_t bytes) {
  const std::string head = std::string("const ") + type + " " + name + "[" + std::to_string(size) + "]";
  code.declarations += "extern " + head + ";\n";
  code.definitions += std::string("alignas(4) ") + head + " = {\n" + values + "};\n";
  code.constant_bytes += bytes;
}
void words(RouterCode& code, const char* name, const std::vector<std::int32_t>& values) {
  array(code, "std::int32_t", name, values.size(), words_text(values), static_cast<std::int64_t>(values.size()) * 4);
}

/// micro::LogitTable of the base's logits.
void logit_table(const Program& program, RouterCode& code) {
  const LogitConstants constants(program.base.activations[program.base.outputs[0]], program.router.temperature);
  std::string values;
  for (std::size_t d = 0; d < constants.weights.size(); ++d)
    values += std::to_string(constants.weights[d]) + (d % 12 == 11 ? "U,\n" : "U,");
  array(code, "std::uint32_t", "kLogitWeights", constants.weights.size(), values, 1024);
  code.code += "constexpr LogitTable kLogitTable = {kLogitWeights, " + num(constants.bits) + ", " + num(constants.scale_q24) + ", " +
               num(constants.zero) + "};\n";
}

void free_score(const Program& program, RouterCode& code) {
  const bool energy = program.router.form == RouterForm::kEnergy;
  const std::string name = to_string(program.router.form);
  code.code += "float router_score() {\n  return " + name + "_score(kLogitTable, logit_statistics(kLogitTable, base::logits(), kClasses)" +
               (energy ? ", " + float_literal(static_cast<float>(program.router.temperature)) : "") + ");\n}\n";
}

/// The lowest 4-aligned offset of the arena where `bytes` fit beside the base's outputs; the arena grows where there is none.
std::int64_t place(const Program& program, const Plan& plan, std::int64_t bytes) {
  std::vector<const Buffer*> outputs;
  for (const auto output : program.base.outputs) outputs.push_back(&plan.buffers[*plan.buffer_of[output]]);
  std::sort(outputs.begin(), outputs.end(), [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; });
  std::int64_t offset = 0;
  for (const auto* buffer : outputs) {
    if (offset + bytes <= buffer->offset) break;
    offset = std::max(offset, (buffer->offset + buffer->bytes + 3) / 4 * 4);
  }
  return offset;
}

Status gain(const Program& program, const Plan& plan, Target target, RouterCode& code) {
  const auto& r = program.router;
  HEDGE_TRY(const auto stream, pack_layer(layout_of(target), r.hidden, r.hidden.layers[0]));
  words(code, "kRouterStream", stream);
  words(code, "kRouterStatistics", r.statistics);
  if (!r.feature_lines.empty()) words(code, "kRouterFeatures", r.feature_lines);
  words(code, "kRouterOutputs", r.output_lines);
  array(code, "std::int8_t", "kRouterOutputWeights", r.output_weights.size(), numbers(r.output_weights),
        static_cast<std::int64_t>(r.output_weights.size()));
  words(code, "kRouterStraight", r.straight_lines);
  array(code, "std::int8_t", "kRouterStraightWeights", r.straight_weights.size(), numbers(r.straight_weights),
        static_cast<std::int64_t>(r.straight_weights.size()));
  const auto& inputs = r.hidden.activations[0];
  const auto& hidden = r.hidden.activations[1];
  const micro::GainRouter sizes{.features = r.features, .top = r.top, .hidden = {.depth = inputs.channels, .channels = hidden.channels}};
  const std::int64_t scratch = micro::gain_scratch_bytes(sizes);
  const auto offset = place(program, plan, scratch);
  code.arena_bytes = std::max<std::int64_t>(offset + scratch - plan.arena_bytes, 0);
  // micro::GainRouter's members in their order.
  code.code += "constexpr GainRouter kRouter = {\n    kLogitTable, kClasses, " + num(r.features) + ", " + num(r.top) +
               ", kRouterStatistics, " + (r.feature_lines.empty() ? "nullptr" : "kRouterFeatures") + ",\n    {kRouterStream, " +
               num(inputs.channels) + ", " + num(hidden.channels) +
               ", -128},\n    kRouterOutputWeights, kRouterOutputs, kRouterStraightWeights, kRouterStraight};\n";
  code.code += "float router_score() { return gain_score(kRouter, base::logits(), " +
               std::string(r.features > 0 ? "base::features()" : "nullptr") + ", arena + " + num(offset) + "); }\n";
  return {};
}

}  // namespace

Result<RouterCode> router_code(const Program& program, const Plan& plan, Target target) {
  RouterCode code{.description = to_string(program.router.form)};
  if (program.router.form == RouterForm::kNone) {
    code.code = "float router_score() { return 0.0F; }\n";
    return code;
  }
  code.includes = "#include \"micro/router.h\"\n";
  logit_table(program, code);
  if (program.router.form == RouterForm::kGain)
    HEDGE_CHECK(gain(program, plan, target, code));
  else
    free_score(program, code);
  return code;
}

}  // namespace hedge::codegen::internal

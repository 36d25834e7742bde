#include "codegen/emit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "codegen/internal/emit_router.h"
#include "codegen/internal/emit_text.h"
#include "core/file.h"

namespace hedge::codegen {
namespace {

using internal::Places;

Error mismatch(const Program& program, std::string what, std::size_t got, std::int64_t expected) {
  return {.code = ErrorCode::kMismatch,
          .what = std::move(what),
          .where = program.name,
          .got = std::to_string(got),
          .expected = std::to_string(expected)};
}

/// What an emitted namespace cannot be called: words of C++ and C in lower case, and what the generated code uses itself.
constexpr const char* kTaken[] = {
    "alignas",  "alignof",   "and",      "asm",      "auto",    "bool",    "break",    "case",   "catch",    "char",      "class",
    "compl",    "concept",   "const",    "continue", "default", "delete",  "do",       "double", "else",     "enum",      "explicit",
    "export",   "extern",    "false",    "float",    "for",     "friend",  "goto",     "if",     "inline",   "int",       "long",
    "mutable",  "namespace", "new",      "noexcept", "not",     "nullptr", "operator", "or",     "private",  "protected", "public",
    "register", "requires",  "restrict", "return",   "short",   "signed",  "sizeof",   "static", "struct",   "switch",    "template",
    "this",     "throw",     "true",     "try",      "typedef", "typeid",  "typename", "union",  "unsigned", "using",     "virtual",
    "void",     "volatile",  "while",    "xor",      "std",     "hedge",   "base",     "micro",  "main",     "example"};

Status check_space(const std::string& space) {
  const bool words =
      std::all_of(space.begin(), space.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  const bool taken = std::find(std::begin(kTaken), std::end(kTaken), space) != std::end(kTaken);
  if (!space.empty() && space.size() <= 40 && words && space[0] >= 'a' && !taken && space.find("__") == std::string::npos) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "this cannot be the name of the generated code",
               .got = space,
               .expected = "at most 40 lower-case letters, digits and single underscores, a letter first, no word of C++"};
}

Status check_program(const Program& program) {
  HEDGE_CHECK(check(program.base));
  HEDGE_CHECK(check_kernels(program.base));
  const auto& input = program.base.activations[program.base.input];
  const auto& logits = program.base.activations[program.base.outputs[0]];
  if (static_cast<std::int64_t>(program.labels.size()) != logits.bytes())
    return mismatch(program, "there is not a label for each class", program.labels.size(), logits.bytes());
  for (const auto count : {program.normalization.mean.size(), program.normalization.std.size()})
    if (static_cast<std::int64_t>(count) != input.channels)
      return mismatch(program, "the recipe's normalisation is of other channels than the input", count, input.channels);
  return {};
}

/// What a compiler must have set, or must not have, for this layout of constants.
std::string guard_of(Target target) {
  const std::string vectors = "(defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1))";
  return layout_of(target) == micro::Layout::kVectors ? "!" + vectors : vectors;
}

std::string labels_text(const std::vector<std::string>& labels) {
  std::string text;
  for (const auto& label : labels) text += "    " + internal::string_literal(label) + ",\n";
  return text;
}

std::string table_text(const Program& program) {
  const auto& input = program.base.activations[program.base.input];
  std::string text;
  for (std::int32_t c = 0; c < input.channels; ++c) text += "{" + internal::numbers(input_table(program.normalization, input, c)) + "},\n";
  return text;
}

std::int64_t sum_of_macs(const Network& network) {
  std::int64_t sum = 0;
  for (const auto& layer : network.layers) sum += layer.macs;
  return sum;
}

/// The places that describe the model, whatever the target.
void describe(const Program& program, const Plan& plan, Places& places) {
  const auto& base = program.base;
  const auto& input = base.activations[base.input];
  const auto& logits = base.activations[base.outputs[0]];
  const auto offset = [&](std::size_t activation) { return std::to_string(plan.buffers[*plan.buffer_of[activation]].offset); };
  places["MADE_BY"] = program.made_by;
  places["NAME"] = program.name;
  places["HEIGHT"] = std::to_string(input.height);
  places["WIDTH"] = std::to_string(input.width);
  places["CHANNELS"] = std::to_string(input.channels);
  places["CLASSES"] = std::to_string(logits.bytes());
  places["LABELS"] = labels_text(program.labels);
  places["MACS"] = std::to_string(sum_of_macs(base));
  places["LOGITS_SCALE"] = internal::float_literal(logits.scale);
  places["LOGITS_ZERO"] = std::to_string(logits.zero_point);
  places["INPUT_OFFSET"] = offset(base.input);
  places["LOGITS_OFFSET"] = offset(base.outputs[0]);
  places["THRESHOLD"] = internal::float_literal(program.threshold);
  places["THRESHOLD_TEXT"] = std::isfinite(program.threshold) ? places["THRESHOLD"] : "infinite: nothing is queried";
  places["FEATURES_DECLARATION"] = places["FEATURES_DEFINITION"] = "";
  if (base.outputs.size() < 2) return;
  const auto& features = base.activations[base.outputs[1]];
  places["FEATURES_DECLARATION"] =
      "constexpr int kFeatures = " + std::to_string(features.bytes()) + ";\n" +
      "const std::int8_t* features();  ///< kFeatures values; real = " + internal::float_literal(features.scale) + " * (value - " +
      std::to_string(features.zero_point) + ")\n";
  places["FEATURES_DEFINITION"] = "const std::int8_t* features() { return arena + " + offset(base.outputs[1]) + "; }\n";
}

void describe_target(Target target, Places& places) {
  const auto flags = compiler_flags(target);
  places["TARGET"] = to_string(target);
  places["FLAGS"] = flags.empty() ? "any target's flags" : flags;
  places["GUARD"] = guard_of(target);
  places["TARGET_OPTIONS"] = flags.empty() ? "" : "target_compile_options(" + places["SPACE"] + " PUBLIC " + flags + ")\n";
  places["EXAMPLE_CONDITION"] = target == Target::kPortable ? "" : " AND FALSE";
}

}  // namespace

std::string compiler_flags(Target target) {
  switch (target) {
    case Target::kCortexM4: return "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16";
    case Target::kCortexM7: return "-mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-sp-d16";
    case Target::kCortexM55: return "-mcpu=cortex-m55 -mthumb -mfloat-abi=hard";
    case Target::kPortable: break;
  }
  return "";
}

std::vector<std::int8_t> input_table(const Normalization& normalization, const Activation& input, std::int32_t channel) {
  const auto c = static_cast<std::size_t>(channel);
  std::vector<std::int8_t> table;
  for (int u = 0; u < 256; ++u) {
    // In f32 and in this order, as data::normalize_into and QuantizeLinear compute it.
    const float real = (static_cast<float>(u) / 255.0F - normalization.mean[c]) / normalization.std[c];
    const float quantised = std::nearbyint(real / input.scale) + static_cast<float>(input.zero_point);
    table.push_back(static_cast<std::int8_t>(std::clamp(quantised, -128.0F, 127.0F)));
  }
  return table;
}

Result<Generated> emit(const Program& program, const Plan& plan, const EmitOptions& options) {
  const auto target = options.target;
  HEDGE_CHECK(check_space(options.space));
  HEDGE_CHECK(check_program(program));
  HEDGE_TRY(const auto steps, internal::step_code(program.base, plan, options));
  HEDGE_TRY(const auto router, internal::router_code(program, plan, target));
  const auto& input = program.base.activations[program.base.input];
  Generated generated{
      .constant_bytes = static_cast<std::int64_t>(steps.stream.size()) * 4 + input.channels * std::int64_t{256} + router.constant_bytes,
      .arena_bytes = plan.arena_bytes + router.arena_bytes};
  Places places;
  places["SPACE"] = options.space;
  describe(program, plan, places);
  describe_target(target, places);
  places["ARENA_BYTES"] = std::to_string(generated.arena_bytes);
  places["CONSTANT_BYTES"] = std::to_string(generated.constant_bytes);
  places["WORDS"] = std::to_string(steps.stream.size());
  places["STEP_CONSTANTS"] = steps.constants;
  places["STEPS"] = steps.calls;
  places["STREAM"] = internal::words_text(steps.stream);
  places["TABLE"] = table_text(program);
  places["ROUTER"] = router.description;
  const bool has_compact = steps.calls.find("depthwise_compact") != std::string::npos;
  places["ROUTER_INCLUDES"] = (has_compact ? "#include \"micro/depthwise_compact.h\"\n" : "") + router.includes;
  places["ROUTER_CODE"] = router.code;
  places["ROUTER_CONSTANTS"] = router.declarations;
  places["ROUTER_DEFINITIONS"] = router.definitions;
  const std::string& space = options.space;
  const std::string constants = space == EmitOptions().space ? "hedge_constants" : space + "_constants";
  places["CONSTANTS"] = constants;
  for (const auto& [path, from] : {std::pair{space + ".h", "hedge_model.h.in"},
                                   {space + ".cc", "hedge_model.cc.in"},
                                   {constants + ".h", "hedge_constants.h.in"},
                                   {constants + ".cc", "hedge_constants.cc.in"},
                                   {std::string("CMakeLists.txt"), "CMakeLists.txt.in"},
                                   {std::string("README.md"), "README.md.in"},
                                   {std::string("example/main.cc"), "main.cc.in"}})
    generated.files.push_back({path, internal::fill(internal::embedded_file(from), places)});
  for (const auto& [path, text] : internal::micro_headers({generated.files[1].content}))
    generated.files.push_back({path, std::string(text)});
  return generated;
}

Status write_generated(const Generated& generated, const std::filesystem::path& folder) {
  for (const auto& file : generated.files) HEDGE_CHECK(write_file_atomic(folder / file.path, file.content));
  return {};
}

}  // namespace hedge::codegen

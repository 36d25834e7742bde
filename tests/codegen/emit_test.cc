#include "codegen/emit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/planned_networks.h"
#include "codegen/report.h"

namespace hedge::codegen {
namespace {

using ::testing::HasSubstr;

Program program_of(const Network& network) {
  const auto channels = static_cast<std::size_t>(network.activations[network.input].channels);
  Program program{.name = network.name, .made_by = "a test", .base = network, .router = {.form = RouterForm::kMargin}, .threshold = 0.5F};
  program.normalization = {.mean = std::vector<float>(channels, 0.5F), .std = std::vector<float>(channels, 0.25F)};
  for (std::int64_t i = 0; i < network.activations[network.outputs[0]].bytes(); ++i) program.labels.push_back("class " + std::to_string(i));
  return program;
}

struct Emitted {
  Plan plan;
  Generated generated;
  Report report;
};
Emitted emitted(const Program& program, EmitOptions options) {
  Emitted e;
  e.plan = plan_memory(program.base, {.target = options.target, .compact = options.compact}, {}).value();
  e.generated = emit(program, e.plan, options).value();
  e.report = make_report(program, e.plan, e.generated, options);
  return e;
}

std::string file(const Generated& generated, const std::string& path) {
  for (const auto& f : generated.files)
    if (f.path == path) return f.content;
  return "";
}

TEST(Emit, WritesASelfContainedFolder) {
  const auto e = emitted(program_of(testing::random_mobile(1)), {.target = Target::kCortexM4});
  for (const auto* path : {"hedge_model.h", "hedge_model.cc", "hedge_constants.h", "hedge_constants.cc", "CMakeLists.txt", "README.md",
                           "example/main.cc", "micro/kernels.h"})
    EXPECT_NE(file(e.generated, path), "") << path;
  EXPECT_THAT(file(e.generated, "hedge_model.h"), HasSubstr("kArenaBytes = " + std::to_string(e.plan.arena_bytes)));
  EXPECT_THAT(file(e.generated, "CMakeLists.txt"), HasSubstr("-mcpu=cortex-m4"));
  EXPECT_EQ(file(e.generated, "micro/frame.h"), "") << "a header that nothing includes";
}

TEST(Emit, TheDeviceTreatsAScoreOnTheThresholdAsTheHostDoes) {
  const auto e = emitted(program_of(testing::random_mobile(1)), {.target = Target::kCortexM4});
  EXPECT_THAT(file(e.generated, "hedge_model.cc"), HasSubstr("score > current_threshold"));
}

TEST(Emit, TheSameInputGivesTheSameBytes) {
  const auto program = program_of(testing::random_mobile(2));
  const auto a = emitted(program, {.target = Target::kCortexM7}), b = emitted(program, {.target = Target::kCortexM7});
  ASSERT_EQ(a.generated.files.size(), b.generated.files.size());
  for (std::size_t i = 0; i < a.generated.files.size(); ++i) EXPECT_EQ(a.generated.files[i].content, b.generated.files[i].content);
}

TEST(Emit, CompactConstantsAreSmaller) {
  const auto program = program_of(testing::mcunet_vww1());
  const auto wide = emitted(program, {.target = Target::kCortexM4}),
             compact = emitted(program, {.target = Target::kCortexM4, .compact = true});
  EXPECT_LT(compact.generated.constant_bytes, wide.generated.constant_bytes * 9 / 10);
}

TEST(Emit, RefusesLabelsOfOtherClasses) {
  auto program = program_of(testing::random_mobile(3));
  program.labels.pop_back();
  const auto plan = plan_memory(program.base, {.target = Target::kPortable}, {});
  const auto generated = emit(program, *plan, {});
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.error().code, ErrorCode::kMismatch);
}

TEST(Emit, NamesALayerWhoseScaleNoMultiplierHolds) {
  auto program = program_of(testing::random_mobile(4));
  program.base.layers[0].weight_scales[0] = 100;
  const auto plan = plan_memory(program.base, {.target = Target::kPortable}, {});
  const auto generated = emit(program, *plan, {});
  ASSERT_FALSE(generated);
  EXPECT_EQ(generated.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(generated.error().message(), HasSubstr(program.base.layers[0].name));
}

TEST(Report, StepsAddUpToTheNetwork) {
  const auto program = program_of(testing::mcunet_vww1());
  const auto e = emitted(program, {.target = Target::kCortexM4});
  EXPECT_EQ(e.report.macs, 11578816);
  std::int64_t peak = 0;
  for (const auto& step : e.report.steps) peak = std::max(peak, step.arena_bytes);
  EXPECT_EQ(peak, e.report.arena_lower_bound);
  EXPECT_EQ(to_json(e.report).at("steps").size(), e.report.steps.size());
  EXPECT_THAT(to_text(e.report), HasSubstr("(by rows)"));
  const auto svg = memory_svg(program.base, e.plan);
  EXPECT_EQ(std::count(svg.begin(), svg.end(), '\n') > static_cast<std::ptrdiff_t>(e.plan.buffers.size()), true);
}

TEST(Report, ABudgetThatIsTooSmallNamesTheLayerAndWhatWouldMendIt) {
  const auto program = program_of(testing::mcunet_vww1());
  const auto e = emitted(program, {.target = Target::kCortexM4});
  const auto ram = check_budget(e.report, program.base, e.plan, {.ram_bytes = 16384});
  ASSERT_FALSE(ram);
  EXPECT_EQ(ram.error().code, ErrorCode::kUnreachable);
  EXPECT_THAT(ram.error().where, HasSubstr(program.base.layers[3].name));
  EXPECT_THAT(ram.error().hint, HasSubstr("images of about"));
  const auto flash = check_budget(e.report, program.base, e.plan, {.flash_bytes = 400000});
  ASSERT_FALSE(flash);
  EXPECT_THAT(flash.error().message(), HasSubstr("weights must go"));
  EXPECT_TRUE(check_budget(e.report, program.base, e.plan, {.ram_bytes = 40000, .flash_bytes = 1 << 20}));
}

TEST(Report, ReadsSizesAsPeopleWriteThem) {
  EXPECT_EQ(*parse_bytes("320K"), 327680);
  EXPECT_EQ(*parse_bytes("1M"), 1048576);
  EXPECT_EQ(*parse_bytes("65536"), 65536);
  for (const auto* wrong : {"", "K", "-1", "12Q", "99999999999999999999", "0"}) EXPECT_FALSE(parse_bytes(wrong)) << wrong;
}

}  // namespace
}  // namespace hedge::codegen

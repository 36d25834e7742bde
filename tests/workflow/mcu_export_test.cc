#include "workflow/mcu_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "codegen/host.h"
#include "codegen/router_host.h"
#include "core/sha256.h"
#include "edge/testing.h"
#include "hedge/dataset.h"
#include "train/router_graph.h"
#include "workflow/tiny_model.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

class McuExportTest : public ::testing::Test {
 protected:
  /// A bundle of the tiny model and the margin, whose policy keeps the share `coverage` on the device.
  std::string bundle(double coverage) {
    auto parts = edge::testing::tiny_parts(read_file(model_).value());
    const auto router = train::build_router(train::RouterKind::kMargin, {.classes = 3}, 1).value();
    parts.router_onnx = graph::serialize_onnx(router).value();
    parts.policy.router = "margin";
    parts.policy.router_sha256 = sha256_hex(parts.router_onnx);
    parts.policy.chosen = {.target_coverage = coverage, .threshold = 0.123F, .coverage = coverage, .accuracy = 0.9};
    parts.base.preprocess = testing::tiny_recipe();
    parts.base.features = "";
    parts.policy.features = "";
    const auto written = edge::write_bundle(folder_ / "bundle", parts);
    EXPECT_TRUE(written.ok()) << written.error().message();
    return (folder_ / "bundle").string();
  }
  /// The share of the images whose score the program keeps on the device.
  double kept(const codegen::Program& program) {
    const auto runner = codegen::HostRunner::create(program.base, codegen::Arithmetic::kDevice).value();
    const auto opened = data::open_dataset(images_).value();
    std::size_t count = 0;
    for (std::size_t i = 0; i < opened.dataset->size(); ++i) {
      const auto fitted = data::fit_image(opened.dataset->image(i).value(), testing::tiny_recipe()).value();
      const auto values = runner.run(codegen::quantise_u8(program.normalization, program.base, fitted.pixels));
      count += codegen::router_score(program.router, program.base, values) <= program.threshold ? 1U : 0U;
    }
    return static_cast<double>(count) / static_cast<double>(opened.dataset->size());
  }

  hedge::testing::TemporaryFolder folder_{"workflow_mcu"};
  std::string images_ = testing::make_images(folder_, 8);
  std::string model_ = testing::make_model(folder_);
};

TEST_F(McuExportTest, moves_a_bundles_threshold_to_where_the_int8_hybrid_keeps_the_policys_share) {
  std::string said;
  const RunContext context{.log = [&](LogLevel, const std::string& message) { said += message; }};
  const auto program = read_mcu_program({.model = bundle(0.75), .calibrate = images_, .threads = 1}, context);
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_DOUBLE_EQ(kept(*program), 0.75);
  EXPECT_THAT(said, HasSubstr("the threshold of the float base, 0.123"));
  const auto none = read_mcu_program({.model = bundle(0), .calibrate = images_, .threads = 1}, {});
  ASSERT_TRUE(none.ok()) << none.error().message();
  EXPECT_DOUBLE_EQ(kept(*none), 0);
  const auto all = read_mcu_program({.model = bundle(1), .calibrate = images_, .threads = 1}, {});
  ASSERT_TRUE(all.ok()) << all.error().message();
  EXPECT_DOUBLE_EQ(kept(*all), 1);
}

TEST_F(McuExportTest, asks_for_images_where_the_base_is_in_floats_and_stops_on_request) {
  const auto without = read_mcu_program({.model = model_}, {});
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(without.error().message(), HasSubstr("--calibrate"));
  const auto stopped = read_mcu_program({.model = model_, .calibrate = images_}, {.should_stop = [] { return true; }});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST_F(McuExportTest, a_model_alone_queries_nothing_and_becomes_a_folder) {
  const auto made = export_mcu({.source = {.model = model_, .calibrate = images_, .threads = 1}}, {});
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_TRUE(std::isinf(made->program.threshold));
  EXPECT_EQ(made->program.labels, (std::vector<std::string>{"class0", "class1", "class2"}));
  ASSERT_TRUE(write_mcu(*made, folder_ / "program").ok());
  EXPECT_EQ(read_json(folder_ / "program" / "report.json").value(), codegen::to_json(made->report));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "program" / "memory.svg"));
}

TEST_F(McuExportTest, keeps_within_the_budget_or_names_what_does_not_fit) {
  const McuSource source{.model = model_, .calibrate = images_, .threads = 1};
  const auto tight = export_mcu({.source = source, .budget = {.ram_bytes = 64}}, {});
  ASSERT_FALSE(tight.ok());
  EXPECT_EQ(tight.error().code, ErrorCode::kUnreachable);
  const auto wide = export_mcu({.source = source, .budget = {.ram_bytes = 64 * 1024}}, {});
  ASSERT_TRUE(wide.ok()) << wide.error().message();
  EXPECT_LE(wide->report.arena_bytes, 64 * 1024);
}

const std::string kTflite = std::string(HEDGE_SOURCE_DIR) + "/tests/fuzz/seeds/fuzz_tflite/small.tflite";

TEST(McuProgram, takes_a_tflite_file_without_a_detour_and_asks_for_its_recipe) {
  const auto without = read_mcu_program({.model = kTflite}, {});
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(without.error().message(), HasSubstr("--recipe"));
  const auto program = read_mcu_program({.model = kTflite, .recipe = "crop=12x11"}, {});
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_EQ(program->labels, (std::vector<std::string>{"0", "1", "2", "3"}));
  const auto other = read_mcu_program({.model = kTflite, .recipe = "crop=12"}, {});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(other.error().message(), HasSubstr("12 x 11"));
}

TEST(McuProgram, is_written_under_the_name_that_is_asked_for_if_it_can_be_one) {
  McuOptions options{.source = {.model = kTflite, .recipe = "crop=12x11"}, .space = "door_camera"};
  const auto made = export_mcu(options, {});
  ASSERT_TRUE(made.ok()) << made.error().message();
  std::vector<std::string> paths;
  for (const auto& file : made->generated.files) paths.push_back(file.path);
  EXPECT_THAT(paths, ::testing::IsSupersetOf({"door_camera.h", "door_camera.cc", "door_camera_constants.cc"}));
  for (const auto* name : {"", "Door", "2nd", "class", "a b", "std", "a__b", "x;"}) {
    options.space = name;
    const auto refused = export_mcu(options, {});
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << name;
  }
}

TEST(McuProgram, of_a_bundle_has_the_bundles_recipe) {
  const hedge::testing::TemporaryFolder temporary("mcu_recipe");
  const auto folder = temporary / "bundle";
  ASSERT_TRUE(edge::write_bundle(folder, edge::testing::tiny_parts()).ok());
  EXPECT_EQ(read_mcu_program({.model = folder.string(), .recipe = "crop=12"}, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST(McuProgram, refuses_a_policy_of_fused_answers_which_the_device_does_not_make) {
  auto parts = edge::testing::tiny_parts();
  parts.policy.fusion = routing::Fusion{.adopted = true, .top_k = 2};
  const hedge::testing::TemporaryFolder temporary("mcu_program");
  const auto folder = temporary / "bundle";
  ASSERT_TRUE(edge::write_bundle(folder, parts).ok());
  const auto program = read_mcu_program({.model = folder.string()}, {});
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::kUnsupported) << program.error().message();
}

TEST(McuProgram, refuses_a_base_with_a_background_whose_output_it_would_take_for_a_class) {
  auto parts = edge::testing::tiny_parts();
  parts.base.outputs = 4;
  parts.base.columns = {1, 2, 3};
  const hedge::testing::TemporaryFolder temporary("mcu_program");
  const auto folder = temporary / "bundle";
  ASSERT_TRUE(edge::write_bundle(folder, parts).ok());
  const auto program = read_mcu_program({.model = folder.string()}, {});
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::kUnsupported) << program.error().message();
  EXPECT_NE(program.error().hint.find("background"), std::string::npos);
}

}  // namespace
}  // namespace hedge::workflow

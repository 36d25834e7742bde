#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "graph/once_for_all.h"
#include "graph/onnx/onnx_io.h"
#include "workflow/extract.h"
#include "workflow/tiny_model.h"
#include "workflow/train.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

class Supernet : public ::testing::Test {
 protected:
  Supernet() {
    options_.data = testing::make_images(folder_, 12);
    options_.net = "ofa-mbv3:width=0.1,kernel=5,expand=4,depth=3,halvings=2";
    options_.out = folder_ / "super.onnx";
    options_.supernet = SupernetOptions{.random = 1};
    options_.training.epochs = 1;
    options_.training.batch = 12;
    options_.training.threads = 1;
    options_.training.precision = train::Precision::kF32;
    options_.training.layout = train::Layout::kNchw;
  }

  [[nodiscard]] Result<ExtractedNetwork> extract(const std::string& network) const {
    return extract_network({.supernet = options_.out, .network = network, .out = folder_ / "sub.onnx", .images = 24, .threads = 1});
  }

  hedge::testing::TemporaryFolder folder_{"workflow_supernet"};
  TrainOptions options_;
};

TEST_F(Supernet, is_trained_and_gives_its_networks_as_plain_models) {
  const auto trained = train(options_);
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  const auto part = extract("kernel=3,depth=23222");
  ASSERT_TRUE(part.ok()) << part.error().message();
  EXPECT_EQ(part->network, "ofa-mbv3:width=0.1,kernel=3,expand=4,depth=23222,halvings=2");
  EXPECT_LT(part->macs, trained->macs);
  EXPECT_LT(part->parameters, trained->parameters);
  const auto graph = graph::read_onnx(folder_ / "sub.onnx").value();
  EXPECT_TRUE(graph.metadata.contains(graph::kPreprocessKey));
  EXPECT_THAT(graph.metadata.at(graph::kLabelsKey), HasSubstr("class2"));
  EXPECT_FALSE(graph.metadata.contains(graph::kSupernetKey));
  EXPECT_EQ(extract("ofa-mbv3:width=0.1,kernel=3,expand=4,depth=23222,halvings=2")->sha256, part->sha256);
}

TEST_F(Supernet, shrinks_progressively_and_goes_on_where_it_was) {
  options_.supernet->method = SupernetOptions::Method::kProgressive;
  const auto trained = train(options_);
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  ASSERT_TRUE(std::filesystem::exists(options_.out.string() + ".checkpoint.5"));
  const auto again = train(options_);  // all stages are done
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again->sha256, trained->sha256);
  EXPECT_EQ(again->summary.resumed_from_epoch, 1);
  EXPECT_TRUE(extract("kernel=3,expand=3,depth=2").ok());
}

TEST_F(Supernet, what_cannot_be_is_refused) {
  const auto refused = [&](const char* where) {
    const auto result = train(options_);
    return !result.ok() && result.error().code == ErrorCode::kInvalidArgument && result.error().message().find(where) != std::string::npos;
  };
  options_.net = "mobile:4";
  EXPECT_TRUE(refused("Once-for-All"));
  options_.net = "ofa-mbv3:width=0.1,depth=23232,halvings=2";
  EXPECT_TRUE(refused("one digit each"));
  options_.net = "ofa-mbv3:width=0.1,depth=2,halvings=2";
  options_.supernet->widths = {0.5};
  EXPECT_TRUE(refused("at most 0.1"));
  options_.supernet->widths = {};
  options_.supernet->method = SupernetOptions::Method::kProgressive;
  options_.training.time_budget = 60;
  EXPECT_TRUE(refused("time_budget"));
}

TEST_F(Supernet, a_plain_model_and_a_larger_network_are_refused) {
  options_.supernet.reset();
  options_.net = "mobile:4";
  ASSERT_TRUE(train(options_).ok());
  EXPECT_THAT(extract("kernel=3").error().message(), HasSubstr("no supernet"));
  options_.net = "ofa-mbv3:width=0.1,depth=2,halvings=2";
  options_.supernet = SupernetOptions{.random = 1};
  options_.training.fresh = true;
  ASSERT_TRUE(train(options_).ok());
  EXPECT_THAT(extract("depth=3").error().message(), HasSubstr("lacks a weight"));
  EXPECT_THAT(extract("kernel=9").error().message(), HasSubstr("kernel"));
}

}  // namespace
}  // namespace hedge::workflow

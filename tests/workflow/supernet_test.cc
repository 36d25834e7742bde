#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "graph/once_for_all.h"
#include "graph/onnx/onnx_io.h"
#include "workflow/extract.h"
#include "workflow/supernet_search.h"
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
  EXPECT_TRUE(refused("below 0.1"));
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

class SupernetSearching : public Supernet {
 protected:
  SupernetSearching() {
    options_.held_share = search_.held_share = 0.4;
    search_.supernet = options_.out;
    search_.data = options_.data;
    search_.out = folder_ / "search";
    search_.judged = 16;
    search_.proposed = 3;
    search_.population = 8;
    search_.generations = 2;
    search_.images = 24;
    search_.threads = 1;
  }

  SupernetSearchOptions search_;
};

TEST_F(SupernetSearching, finds_a_network_within_the_limits_and_judges_none_twice) {
  ASSERT_TRUE(train(options_).ok());
  const auto first = search_supernet(search_);
  ASSERT_TRUE(first.ok()) << first.error().message();
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(search_.out / "judged"), std::filesystem::directory_iterator());
  };
  const auto judged = files();
  EXPECT_GE(judged, 16);
  EXPECT_LE(judged, 19);
  const auto model = graph::read_onnx(first->base.path).value();
  EXPECT_EQ(model.metadata.at(graph::kSubNetworkKey), graph::parse_ofa(first->base.entrant.trial.candidate.net).value().spec());
  EXPECT_EQ(first->predictor->judged, 16);
  EXPECT_GE(first->base_judged->high, first->base_judged->low);
  const auto json = read_json(search_.out / "search.json").value();
  EXPECT_EQ(json.at("predictor").at("judged"), 16);
  EXPECT_EQ(json.at("base").at("network"), first->base.entrant.trial.candidate.net);
  EXPECT_THAT(read_file(search_.out / "search.html").value(), HasSubstr("Kendall"));
  // With a limit, in the same folder: what was drawn is judged already, and the base keeps it.
  search_.limits.macs = first->base.entrant.costs.macs - 1;
  const auto second = search_supernet(search_);
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_LE(second->base.entrant.costs.macs, *search_.limits.macs);
  EXPECT_LE(files(), judged + 3);
  search_.limits.macs = 1000;
  EXPECT_EQ(search_supernet(search_).error().code, ErrorCode::kUnreachable);
}

TEST_F(SupernetSearching, refuses_images_that_the_supernet_has_seen) {
  options_.held_share = 0;
  ASSERT_TRUE(train(options_).ok());
  const auto seen = search_supernet(search_);
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(seen.error().message(), HasSubstr("--held-out"));
  search_.judged = 5;
  EXPECT_THAT(search_supernet(search_).error().message(), HasSubstr("16 networks"));
}

TEST_F(SupernetSearching, refuses_a_folder_of_another_supernet) {
  ASSERT_TRUE(train(options_).ok());
  ASSERT_TRUE(search_supernet(search_).ok());
  options_.training.seed = 2;
  options_.training.fresh = true;
  ASSERT_TRUE(train(options_).ok());
  EXPECT_THAT(search_supernet(search_).error().message(), HasSubstr("another search"));
}

}  // namespace
}  // namespace hedge::workflow

#include "workflow/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "workflow/tiny_model.h"
#include "workflow/train.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

class SearchTest : public ::testing::Test {
 protected:
  SearchTest() {
    options_.data = testing::make_images(folder_, 30);
    options_.out = folder_ / "search";
    options_.base_spaces = {search::Space::parse("mobile:width=3|4|6,expand=2,depth=1,stem=4,head=32").value()};
    options_.base = {.population = 3, .generations = 0, .first_epochs = 1, .epochs = 2, .finalists = 2};
    options_.global = options_.base;
    options_.held_share = 0.3;
    options_.training.threads = 1;
    options_.training.batch = 16;
    options_.training.warmup_epochs = 0.2;
    options_.recipe = train::Recipe::kPlain;
  }

  [[nodiscard]] RunContext counting() {
    return {.log = [this](LogLevel, const std::string& text) {
      trainings_ += text.find("of the held-out images") != std::string::npos ? 1 : 0;
    }};
  }

  hedge::testing::TemporaryFolder folder_{"workflow_search"};
  SearchOptions options_;
  int trainings_ = 0;
};

TEST_F(SearchTest, finds_a_base_writes_it_and_trains_nothing_twice) {
  const auto report = search_networks(options_, counting());
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(trainings_, 3 + 2);
  ASSERT_EQ(report->bases.size(), 3U);
  EXPECT_EQ(report->bases[0].trial.epochs, 2);
  EXPECT_EQ(report->bases[2].trial.epochs, 1);
  EXPECT_GE(report->bases[0].accuracy, report->bases[1].accuracy);
  EXPECT_TRUE(graph::read_onnx(report->base.path).ok());
  const auto json = read_json(options_.out / "search.json").value();
  EXPECT_EQ(json.at("base").at("network"), report->bases[0].trial.candidate.net);
  EXPECT_EQ(json.at("bases").size(), 3U);
  EXPECT_THAT(read_file(options_.out / "search.html").value(), HasSubstr(report->bases[0].trial.candidate.net));
  ASSERT_TRUE(search_networks(options_, counting()).ok());
  EXPECT_EQ(trainings_, 3 + 2) << "a second run finds all results";
}

TEST_F(SearchTest, keeps_a_latency_by_a_table_of_parts) {
  options_.base_limits.latency_ms = 1e6;
  const auto report = search_networks(options_);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_TRUE(report->base.entrant.costs.latency_ms.has_value());
  EXPECT_TRUE(std::filesystem::exists(options_.out / "latency.json"));
  options_.base_limits.latency_ms = 1e-9;
  EXPECT_EQ(search_networks(options_).error().code, ErrorCode::kUnreachable);
}

TEST_F(SearchTest, others_can_do_its_trainings) {
  auto pending = pending_trials(options_);
  ASSERT_TRUE(pending.ok()) << pending.error().message();
  ASSERT_EQ(pending->size(), 3U);
  for (const auto& trial : *pending) {
    ASSERT_TRUE(run_trial(options_, trial.to_string(), counting()).ok());
    ASSERT_TRUE(run_trial(options_, trial.to_string(), counting()).ok()) << "safe to repeat";
  }
  EXPECT_EQ(trainings_, 3);
  pending = pending_trials(options_);
  ASSERT_EQ(pending->size(), 2U);
  EXPECT_EQ((*pending)[0].trial.epochs, 2);
  const auto unknown = run_trial(options_, "base mobile:5 1 epochs seed 1");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(unknown.error().message(), HasSubstr((*pending)[0].to_string()));
}

TEST_F(SearchTest, a_result_that_was_cut_is_made_again) {
  const auto trial = pending_trials(options_).value()[0].to_string();
  ASSERT_TRUE(run_trial(options_, trial).ok());
  for (const auto& entry : std::filesystem::directory_iterator(options_.out / "trials"))
    if (entry.path().extension() == ".json") std::filesystem::resize_file(entry.path(), 10);
  EXPECT_EQ(pending_trials(options_)->size(), 3U);
  EXPECT_TRUE(run_trial(options_, trial, counting()).ok());
  EXPECT_EQ(trainings_, 1);
}

TEST_F(SearchTest, chooses_a_pair_by_both_models_answers) {
  options_.global_spaces = {search::Space::parse("pooled:first=8,second=16,third=16,stem=4|8").value()};
  options_.mean_cost = {.kind = MeanCost::Kind::kMacs, .value = 1e9};
  const auto report = search_networks(options_, counting());
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(trainings_, 5 + 4);
  ASSERT_TRUE(report->pair && report->global);
  EXPECT_TRUE(std::filesystem::exists(report->global->path));
  EXPECT_GE(report->pair->chosen.accuracy, report->pair->separate.accuracy);
  EXPECT_LE(report->pair->chosen_judged.low, report->pair->chosen_judged.high);
  const auto json = read_json(options_.out / "search.json").value();
  EXPECT_EQ(json.at("pair").at("chosen").at("base"), report->base.entrant.trial.candidate.to_string());
  EXPECT_FALSE(json.at("pair").at("front").empty());
}

TEST_F(SearchTest, refuses_another_searchs_folder_and_limits_that_nothing_keeps) {
  ASSERT_TRUE(pending_trials(options_).ok());
  auto other = options_;
  other.held_share = 0.2;
  const auto mixed = pending_trials(other);
  ASSERT_FALSE(mixed.ok());
  EXPECT_EQ(mixed.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(mixed.error().message(), HasSubstr("held_share"));
  options_.base_limits.ram_bytes = 10;
  const auto unreachable = pending_trials(options_);
  ASSERT_FALSE(unreachable.ok());
  EXPECT_EQ(unreachable.error().code, ErrorCode::kUnreachable);
  EXPECT_THAT(unreachable.error().message(), HasSubstr("KiB of RAM"));
}

TEST_F(SearchTest, limits_of_the_device_are_kept) {
  options_.base_limits.ram_bytes = 600;
  const auto pending = pending_trials(options_);
  ASSERT_TRUE(pending.ok()) << pending.error().message();
  EXPECT_EQ(pending->size(), 2U);
}

TEST_F(SearchTest, training_says_what_it_gets_right_of_held_out_images) {
  TrainOptions train{
      .data = options_.data, .net = "mobile:3,depth=1", .out = folder_ / "model.onnx", .held_share = 0.3, .training = options_.training};
  train.training.epochs = 1;
  const auto model = workflow::train(train);
  ASSERT_TRUE(model.ok()) << model.error().message();
  ASSERT_TRUE(model->held_out);
  EXPECT_EQ(model->held_out->labels.size(), 21U);
  EXPECT_EQ(model->held_out->logits.shape(), (Shape{21, 3}));
  EXPECT_GE(model->held_out->accuracy(), 0);
  train.held_share = 0.7;
  EXPECT_EQ(workflow::train(train).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::workflow

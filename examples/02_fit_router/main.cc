// Fits a router on what base and global say of images, promises a coverage for new images, and judges the hybrid on others.
//   fit_router BASE GLOBAL DATASET OUT, e.g. fit_router base.onnx global.onnx "fashion-mnist?limit=2000" hybrid
#include <hedge/workflow.h>

#include <cstdio>
#include <string>

namespace {

using namespace hedge;

Status run(const std::string& base, const std::string& global, const std::string& dataset, const std::string& out) {
  const workflow::RunContext context{.log = [](LogLevel, const std::string& message) { std::fprintf(stderr, "%s\n", message.c_str()); },
                                     .progress =
                                         [](const ProgressUpdate& update) {
                                           std::fprintf(stderr, "\r%s %3.0f %%", update.what.c_str(), 100 * update.done / update.total);
                                         }};

  // Predicts the train split to learn from, the calibration split for the threshold, and the test split into OUT/test.table.
  workflow::FitOptions fitting{.data = dataset, .out = out};
  fitting.pair.base.path = base;
  fitting.pair.global.path = global;
  fitting.router = train::RouterKind::kGain;
  HEDGE_TRY(fitting.point.promise, routing::parse_promise("coverage>=0.6", 0.05));
  HEDGE_TRY(const auto fitted, workflow::fit(fitting, context));
  std::printf("\nthe cloud helps on %lld images and hurts on %lld; threshold %g\n", static_cast<long long>(fitted.figures.helps),
              static_cast<long long>(fitted.figures.hurts), static_cast<double>(fitted.policy.chosen.threshold));

  workflow::EvaluateOptions judging{.table = fitted.test_table, .out = out + "/report"};
  judging.methods = {{.name = "hybrid", .router = out}};
  HEDGE_TRY(const auto judgement, workflow::judge(judging, context));
  std::printf("base %.2f %%", 100 * judgement.base_accuracy.value);
  if (judgement.global_accuracy) std::printf(", global %.2f %%", 100 * judgement.global_accuracy->value);
  if (judgement.operating_point)
    std::printf(", hybrid %.2f %% at coverage %.1f %%", 100 * judgement.operating_point->accuracy.value,
                100 * judgement.operating_point->coverage.value);
  std::printf("\n%s\n", judgement.verdict.c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: fit_router BASE GLOBAL DATASET OUT\n");
    return 2;
  }
  const auto status = run(argv[1], argv[2], argv[3], argv[4]);
  if (status) return 0;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return static_cast<int>(status.error().code);
}

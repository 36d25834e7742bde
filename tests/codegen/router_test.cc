#include "codegen/router_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "codegen/router_host.h"
#include "core/rng.h"
#include "hedge/router.h"

namespace hedge::codegen {
namespace {

/// Scores of the same probabilities, in integers and in double: log_q24 and the table's rounding.
constexpr float kFreeTolerance = 2e-5F;
/// The gain router in int8 against the same in double, on the average. Single images may be further off: these logits and features are
/// uniform over int8, so that some sums leave the 4.5 deviations that the hidden layer's range holds.
constexpr double kGainMeanTolerance = 0.02;
constexpr double kGainTolerance = 0.1;

/// A base of two outputs, logits and features, without layers: all that a router looks at.
Network base_of(std::int32_t classes, std::int32_t features) {
  Network base;
  base.activations = {{.name = "logits", .channels = classes, .scale = 0.11F, .zero_point = 7},
                      {.name = "features", .channels = features, .scale = 0.02F, .zero_point = -128}};
  base.outputs = {0, 1};
  base.output_names = {"logits", "features"};
  return base;
}

std::vector<std::vector<std::int8_t>> random_activations(const Network& base, Rng& rng) {
  std::vector<std::vector<std::int8_t>> values;
  for (const auto& a : base.activations) {
    values.emplace_back();
    for (std::int64_t i = 0; i < a.bytes(); ++i) values.back().push_back(static_cast<std::int8_t>(static_cast<int>(rng.below(256)) - 128));
  }
  return values;
}

double real(const Activation& a, std::int8_t value) { return static_cast<double>(a.scale) * (value - a.zero_point); }

/// A gain router's graph as far as make_router reads it.
graph::Graph gain_graph(std::int64_t statistics, std::int64_t features, std::int64_t hidden, Rng& rng) {
  const std::int64_t width = statistics + features;
  graph::Graph graph{.name = "gain router", .inputs = {{.name = "logits"}, {.name = "features"}}};
  const auto put = [&](const char* name, Shape shape, double centre, double spread) {
    Tensor tensor(DType::kF32, std::move(shape));
    for (float& v : tensor.data<float>()) v = static_cast<float>(centre + spread * (2 * rng.uniform() - 1));
    graph.initializers.emplace(name, std::move(tensor));
  };
  put("router_mean", {width}, 0, 1);
  put("router_std", {width}, 1.5, 0.5);
  put("hidden.weight", {hidden, width}, 0, 0.3);
  put("hidden.bias", {hidden}, 0, 0.2);
  put("correction.weight", {3, hidden}, 0, 0.3);
  put("correction.bias", {3}, 0, 0.2);
  put("straight.weight", {3, statistics}, 0, 0.3);
  put("straight.bias", {3}, 0, 0.2);
  return graph;
}

/// The float router on these logits and features, as docs/formats/policy.md and train's graph say it.
double gain_in_double(const graph::Graph& g, std::vector<double> logits, const std::vector<double>& features, std::size_t top) {
  const auto of = [&](const char* name) { return g.initializers.at(name).data<float>(); };
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0, entropy = 0;
  for (const double z : logits) sum += std::exp(z - most);
  const double energy = most + std::log(sum);
  for (const double z : logits) entropy -= std::exp(z - energy) * (z - energy);
  std::sort(logits.rbegin(), logits.rend());
  std::vector<double> x;
  for (std::size_t i = 0; i < top; ++i) x.push_back(std::max(logits[i] - energy, -20.0));
  for (std::size_t i = 1; i < top; ++i) x.push_back(std::exp(logits[0] - energy) - std::exp(logits[i] - energy));
  x.push_back(entropy);
  x.push_back(energy);
  x.insert(x.end(), features.begin(), features.end());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::clamp((x[i] - of("router_mean")[i]) / of("router_std")[i], -5.0, 5.0);
  std::vector<double> p(of("correction.bias").begin(), of("correction.bias").end());
  const std::size_t statistics = 2 * top + 1;
  for (std::size_t o = 0; o < 3; ++o) {
    p[o] += static_cast<double>(of("straight.bias")[o]);
    for (std::size_t i = 0; i < statistics; ++i) p[o] += static_cast<double>(of("straight.weight")[o * statistics + i]) * x[i];
  }
  for (std::size_t h = 0; h < of("hidden.bias").size(); ++h) {
    double value = of("hidden.bias")[h];
    for (std::size_t i = 0; i < x.size(); ++i) value += of("hidden.weight")[h * x.size() + i] * x[i];
    for (std::size_t o = 0; o < 3; ++o) p[o] += of("correction.weight")[o * of("hidden.bias").size() + h] * std::max(value, 0.0);
  }
  const double all = std::exp(p[0]) + std::exp(p[1]) + std::exp(p[2]);
  return (std::exp(p[0]) - std::exp(p[2])) / all;
}

TEST(Router, FreeScoresAreThoseOfTheDequantisedLogits) {
  const std::pair<const char*, routing::FreeScore> kForms[] = {{"entropy", routing::FreeScore::kEntropy},
                                                               {"margin", routing::FreeScore::kMargin},
                                                               {"max_probability", routing::FreeScore::kMaxProbability},
                                                               {"energy", routing::FreeScore::kEnergy}};
  for (const std::int32_t classes : {2, 10, 1000})
    for (const double temperature : {1.0, 1.7})
      for (const auto& [name, score] : kForms) {
        const auto base = base_of(classes, 1);
        const auto router = make_router(name, {}, base, temperature);
        ASSERT_TRUE(router);
        Rng rng(static_cast<std::uint64_t>(classes));
        for (int i = 0; i < 20; ++i) {
          const auto values = random_activations(base, rng);
          std::vector<float> logits;
          for (const auto v : values[0]) logits.push_back(static_cast<float>(real(base.activations[0], v)));
          const auto expected = routing::free_score(score, Tensor::of<float>({1, classes}, logits), temperature)[0];
          EXPECT_NEAR(router_score(*router, base, values), expected, kFreeTolerance * std::max(1.0F, std::abs(expected)))
              << name << ", " << classes << " classes";
        }
      }
}

TEST(Router, GainInInt8StaysNearTheFloatRouter) {
  Rng rng(5);
  const auto base = base_of(10, 24);
  const auto graph = gain_graph(2 * 10 + 1, 24, 32, rng);
  const auto router = make_router("gain", graph, base);
  ASSERT_TRUE(router) << router.error().message();
  EXPECT_EQ(router->macs(), 45 * 32 + 3 * 32 + 3 * 21);
  double worst = 0, sum = 0;
  for (int i = 0; i < 200; ++i) {
    const auto values = random_activations(base, rng);
    std::vector<double> logits, features;
    for (const auto v : values[0]) logits.push_back(real(base.activations[0], v));
    for (const auto v : values[1]) features.push_back(real(base.activations[1], v));
    const double error = std::abs(static_cast<double>(router_score(*router, base, values)) - gain_in_double(graph, logits, features, 10));
    worst = std::max(worst, error);
    sum += error;
  }
  EXPECT_LE(worst, kGainTolerance);
  EXPECT_LE(sum / 200, kGainMeanTolerance);
}

TEST(Router, RefusesWhatHasNoDeviceForm) {
  const auto base = base_of(10, 24);
  EXPECT_EQ(make_router("selective_query", {}, base).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(make_router("gain", {}, base).error().code, ErrorCode::kNotFound);
  Rng rng(5);
  EXPECT_EQ(make_router("gain", gain_graph(11, 1, 8, rng), base).error().code, ErrorCode::kMismatch);
}

}  // namespace
}  // namespace hedge::codegen

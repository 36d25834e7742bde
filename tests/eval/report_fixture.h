#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "core/json.h"

/// A report as `hedge eval` makes it, with invented figures: a hybrid that is a little better than entropy.
namespace hedge::eval {

inline Json interval_json(double value, double half_width, double sd = -1) {
  Json out{{"value", value}, {"low", value - half_width}, {"high", value + half_width}};
  if (sd >= 0) out["sd"] = sd;
  return out;
}

inline Json sample_curve() {
  Json curve = Json::array();
  for (int percent = 30; percent <= 100; percent += 5) {
    const double c = percent / 100.0;
    const double queried = 1 - c;
    const auto reach = [&](double sharpness) {
      return 0.8795 + 0.0482 * (1 - std::exp(-sharpness * queried)) / (1 - std::exp(-sharpness));
    };
    Json row{{"coverage", c}, {"macs", 431000.0 + 9800 + queried * 36.4e6}};
    row["hybrid"] = interval_json(std::min(reach(6.8), 0.9277), 0.0051, 0.0005);
    row["poster_router"] = interval_json(reach(4.9), 0.0053, 0.0011);
    row["entropy"] = interval_json(reach(5.7), 0.0052);
    row["margin"] = interval_json(reach(6.3), 0.0052);
    row["max_probability"] = interval_json(reach(6.1), 0.0052);
    row["upper_bound"] = interval_json(std::min(0.8795 + queried, 0.951), 0.0042);
    curve.push_back(row);
  }
  return curve;
}

inline Json sample_areas() {
  Json areas = Json::array();
  const auto add = [&](const char* method, double area, double to_entropy, double to_margin) {
    Json row = interval_json(area, 0.0048);
    row["method"] = method;
    row["to_entropy"] = interval_json(to_entropy, 0.0006);
    row["to_margin"] = interval_json(to_margin, 0.0005);
    row["gap_closed_percent"] = interval_json(100 * to_entropy / 0.0261, 2.4);
    areas.push_back(row);
  };
  add("hybrid", 0.9174, 0.0013, 0.0006);
  add("poster_router", 0.9148, -0.0013, -0.0020);
  add("entropy", 0.9161, 0, -0.0007);
  add("margin", 0.9168, 0.0007, 0);
  add("max_probability", 0.9165, 0.0004, -0.0003);
  add("upper_bound", 0.9422, 0.0261, 0.0254);
  return areas;
}

inline Json sample_bins(double optimism) {
  Json bins = Json::array();
  for (int i = 3; i <= 9; ++i) {
    const double confidence = 0.1 * i + 0.055;
    bins.push_back({{"confidence", confidence},
                    {"accuracy", std::min(1.0, confidence - optimism * (1 - confidence) * 2)},
                    {"count", 40 + (i - 2) * (i - 2) * (i - 2) * 24}});
  }
  return bins;
}

inline Json sample_pictures() {
  const char* top =
      "iVBORw0KGgoAAAANSUhEUgAAAA4AAAAOCAAAAAA6I3INAAAAnElEQVR42k3ONRICURRE0R/2/gPcGXRwK9zd3d2dLfDnFQGd3eRUM8BgcXqBdKHaAhhMNpc/"
      "ApTqneEMTHB4gtFUvtLsjRfbExN94XimWGsPpqv95ckCSObKje5ovjneoGQAN/qT5e78kEkUJGN9uL4UWkoy7h+VXqAkQ64xWkVKbryVOrPdHaDkhlp6FopRcoOe"
      "JbKU3Pg9o/zfFwOGanhjZWUNAAAAAElFTkSuQmCC";
  const char* boot =
      "iVBORw0KGgoAAAANSUhEUgAAAA4AAAAOCAAAAAA6I3INAAAAiklEQVR42mPgQAEMEGr3gaOnziO4h46fuXgNwT157vKNuwjuhau37j9BcK/fefjs9TQY9+a9xy/e"
      "zpgL4V67/eDpq/ez5i8BcYFmPHr+ZvqchctWA7kgM16+mzlv8Yq1m4BcsBmzFyxdtX7LTiAXbMai5Ws2btt9AMh9xTGLYwnHOo4dQJfB7YUBADkUTVMLh5gHAAAA"
      "AElFTkSuQmCC";
  Json pictures = Json::array();
  for (int i = 0; i < 12; ++i) {
    const bool shirt = i % 3 != 1;
    const bool helped = i % 4 != 3;
    const char* label = shirt ? "Shirt" : "Ankle boot";
    const char* wrong = shirt ? "T-shirt/top" : "Sneaker";
    pictures.push_back({{"png", shirt ? top : boot},
                        {"id", "test/" + std::to_string(417 * i + 12)},
                        {"label", label},
                        {"base", i == 7 ? label : wrong},
                        {"base_confidence", 0.41 + 0.01 * i},
                        {"global", helped ? label : wrong},
                        {"score", 0.71 - 0.02 * i},
                        {"helped", helped}});
  }
  return pictures;
}

inline Json sample_report() {
  Json report{
      {"schema", 1},
      {"title", "Fashion-MNIST on a small edge"},
      {"dataset", "fashion-mnist"},
      {"split", "test"},
      {"pictures", 10000},
      {"classes", {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}},
      {"executor", "OpenVINO 2024.6, CPU, f32, 2 threads"},
      {"base", {{"name", "small-cnn w0.5"}, {"macs", 431000}, {"parameters", 28600}, {"accuracy", interval_json(0.8795, 0.0063)}}},
      {"global", {{"name", "resnet 3x48"}, {"macs", 36400000}, {"parameters", 1240000}, {"accuracy", interval_json(0.9277, 0.0051)}}},
      {"router", {{"name", "gain router, 64 units"}, {"macs", 9800}}},
      {"seeds", 3}};
  report["curve"] = sample_curve();
  report["areas"] = sample_areas();
  report["area_difference_to_entropy"] = interval_json(0.0013, 0.0006);
  report["operating_point"] = {{"target_coverage", 0.8},
                               {"threshold", 0.18734},
                               {"coverage", interval_json(0.8034, 0.0078)},
                               {"accuracy", interval_json(0.9148, 0.0055)},
                               {"predicted_coverage", interval_json(0.8, 0.0135)},
                               {"predicted_accuracy", interval_json(0.9166, 0.0094)},
                               {"inside", true}};
  report["reliability"] = {{"base", {{"ece", 0.0312}, {"bins", sample_bins(0.09)}}},
                           {"global", {{"ece", 0.0187}, {"bins", sample_bins(0.05)}}}};
  report["pictures_queried"] = sample_pictures();
  report["live"] = {{"coverage", 0.8034}, {"accuracy", 0.9148}, {"answered", 10000}, {"total", 10000}, {"edge", 8034},
                    {"cloud", 1961},      {"fallback", 5},      {"p50_ms", 0.42},    {"p99_ms", 11.8}, {"agreement_with_table", 0.9995}};
  report["notes"] = {"Margin is printed beside entropy: entropy alone flatters a router.",
                     "The router was fitted on predictions for the training set."};
  report["verdict"] =
      "A hybrid is worth it here. At 80 % coverage it answers 91.5 % of the pictures rightly, 3.5 points more than the base alone, and "
      "asks the "
      "cloud for one picture in five.";
  return report;
}

}  // namespace hedge::eval

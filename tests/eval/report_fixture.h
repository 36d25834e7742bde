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
    row["selective_query"] = interval_json(reach(4.9), 0.0053, 0.0011);
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
  add("selective_query", 0.9148, -0.0013, -0.0020);
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

inline Json sample_images() {
  const char* top =
      "iVBORw0KGgoAAAANSUhEUgAAAA4AAAAOCAAAAAA6I3INAAAAnElEQVR42k3ONRICURRE0R/2/gPcGXRwK9zd3d2dLfDnFQGd3eRUM8BgcXqBdKHaAhhMNpc/"
      "ApTqneEMTHB4gtFUvtLsjRfbExN94XimWGsPpqv95ckCSObKje5ovjneoGQAN/qT5e78kEkUJGN9uL4UWkoy7h+VXqAkQ64xWkVKbryVOrPdHaDkhlp6FopRcoOe"
      "JbKU3Pg9o/zfFwOGanhjZWUNAAAAAElFTkSuQmCC";
  const char* boot =
      "iVBORw0KGgoAAAANSUhEUgAAAA4AAAAOCAAAAAA6I3INAAAAiklEQVR42mPgQAEMEGr3gaOnziO4h46fuXgNwT157vKNuwjuhau37j9BcK/fefjs9TQY9+a9xy/e"
      "zpgL4V67/eDpq/ez5i8BcYFmPHr+ZvqchctWA7kgM16+mzlv8Yq1m4BcsBmzFyxdtX7LTiAXbMai5Ws2btt9AMh9xTGLYwnHOo4dQJfB7YUBADkUTVMLh5gHAAAA"
      "AElFTkSuQmCC";
  Json images = Json::array();
  for (int i = 0; i < 12; ++i) {
    const bool shirt = i % 3 != 1;
    const bool helped = i % 4 != 3;
    const char* label = shirt ? "Shirt" : "Ankle boot";
    const char* wrong = shirt ? "T-shirt/top" : "Sneaker";
    images.push_back({{"png", shirt ? top : boot},
                      {"id", "test/" + std::to_string(417 * i + 12)},
                      {"label", label},
                      {"base", i == 7 ? label : wrong},
                      {"base_confidence", 0.41 + 0.01 * i},
                      {"global", helped ? label : wrong},
                      {"score", 0.71 - 0.02 * i},
                      {"helped", helped}});
  }
  return images;
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
  report["pictures_queried"] = sample_images();
  report["live"] = {{"coverage", 0.8034}, {"accuracy", 0.9148}, {"answered", 10000}, {"total", 10000}, {"edge", 8034},
                    {"cloud", 1961},      {"fallback", 5},      {"p50_ms", 0.42},    {"p99_ms", 11.8}, {"agreement_with_table", 0.9995}};
  report["notes"] = {"Margin is printed beside entropy: entropy alone flatters a router.",
                     "The router was fitted on predictions for the training set."};
  report["verdict"] =
      "A hybrid is worth it here. At 80 % coverage it answers 91.5 % of the images rightly, 3.5 points more than the base alone, and "
      "asks the "
      "cloud for one image in five.";
  return report;
}

/// Scores in ascending order with a few runs of equal ones, and answers of three classes.
inline Json sample_explorer(std::size_t images) {
  Json explorer = {{"method", "hybrid"}, {"fused", false}, {"pictures", images}};
  for (const char* key : {"rows", "scores", "labels", "base", "global"}) explorer[key] = Json::array();
  for (std::size_t i = 0; i < images; ++i) {
    const auto label = static_cast<int>(i % 3);
    explorer["rows"].push_back((i * 7919) % images);
    explorer["scores"].push_back(static_cast<float>(i / 3 * 3) / 10000.0F - 0.05F);
    explorer["labels"].push_back(label);
    explorer["base"].push_back((i * 37) % 100 < 100 * i / images ? (label + 1) % 3 : label);
    explorer["global"].push_back((i * 53) % 100 < 8 ? (label + 2) % 3 : label);
  }
  return explorer;
}

inline Json sample_plan() {
  const auto point = [](double coverage, double accuracy, double ms) {
    return Json{{"coverage", coverage},
                {"accuracy", accuracy},
                {"low", accuracy - 0.01},
                {"high", accuracy + 0.01},
                {"macs", 4e5 + (1 - coverage) * 36e6},
                {"latency_ms", ms},
                {"energy_mj", ms / 10},
                {"measured_ms", ms / 1000}};
  };
  const auto line = [](const char* name, const char* variant, const Json& points) {
    return Json{{"name", name}, {"variant", variant}, {"points", points}};
  };
  const auto profile = [](const char* name) { return Json{{"name", name}, {"about", "for tests"}, {"source", "invented"}}; };
  Json plan = {
      {"schema", 1},
      {"setting", {{"device", profile("mcu")}, {"link", profile("radio")}, {"cloud", profile("server")}}},
      {"query_bytes", 3072},
      {"measured", {{"executor", "OpenVINO"}, {"base_ms", 0.1}, {"router_ms", 0.02}, {"global_ms", 2.5}}},
      {"explorer", {{"latency_ms", {{"fixed", 200.0}, {"per_query", 2000.0}}}, {"energy_mj", {{"fixed", 20.0}, {"per_query", 200.0}}}}}};
  plan["lines"] = {line("hybrid", "", {point(0.3, 0.927, 1600), point(0.8, 0.915, 600), point(1, 0.8795, 200)}),
                   line("entropy", "", {point(0.3, 0.925, 1600), point(0.8, 0.91, 600), point(1, 0.8795, 200)}),
                   line("split_int8", "conv3", {point(0.5, 0.9, 1300), point(1, 0.86, 300)}),
                   line("split_int8", "conv5", {point(0.5, 0.905, 1200), point(1, 0.87, 500)}),
                   line("on_cloud", "", Json::array({point(0, 0.9277, 2000)}))};
  const Json ranked = {{{"name", "hybrid"}, {"accuracy", 0.91}, {"low", 0.9}, {"high", 0.92}},
                       {{"name", "split_int8"}, {"accuracy", 0.87}, {"low", nullptr}, {"high", nullptr}}};
  plan["order"] = {
      {"source", "the paper"},
      {"rows", Json::array({Json{
                   {"relative", 0.44}, {"latency_ms", 1000.0}, {"poster_latency_ms", 1000.0}, {"here", ranked}, {"poster", ranked}}})}};
  return plan;
}

/// sample_report with everything that a report of several routers has besides.
inline Json full_report() {
  Json report = sample_report();
  report["default_method"] = "hybrid";
  const auto method = [](const char* name, const char* kind, double router_macs) {
    return Json{{"name", name},
                {"kind", kind},
                {"router", name},
                {"protocol", "held-out predictions"},
                {"seeds", 3},
                {"router_macs", router_macs},
                {"base_macs", 431000},
                {"global_macs", 36400000},
                {"base_accuracy", 0.8795},
                {"global_accuracy", 0.9277}};
  };
  report["methods"] = {method("hybrid", "router", 9800), method("linear", "router", 300), method("hybrid_fused", "fused", 9800),
                       method("entropy", "free_score", 0), method("upper_bound", "upper_bound", 0)};
  for (Json& row : report["curve"]) {
    row["linear"] = row["margin"];
    row["hybrid_fused"] = row["hybrid"];
  }
  report["areas"].push_back(report["areas"][3]);
  report["areas"].back()["method"] = "linear";
  report["paired"] = {{"coverages", {0.5, 0.8}},
                      {"rows",
                       {{{"a", "hybrid"},
                         {"b", "linear"},
                         {"area", interval_json(0.001, 0.0005)},
                         {"at", Json::array({interval_json(0.001, 0.001), interval_json(0.002, 0.001)})}},
                        {{"a", "linear"},
                         {"b", "entropy"},
                         {"area", interval_json(0.001, 0.0005)},
                         {"at", Json::array({interval_json(0.001, 0.001), interval_json(0.002, 0.001)})}}}}};
  report["choice"] = {{"chosen", "gain"},
                      {"why", "Its area on held-out predictions is the largest."},
                      {"candidates",
                       {{{"name", "gain"}, {"macs", 9800}, {"gap_closed_percent", interval_json(8, 2)}},
                        {{"name", "margin"}, {"macs", 0}, {"gap_closed_percent", interval_json(3, 2)}}}}};
  report["operating_point"]["promise"] = {{"kind", "accuracy"},
                                          {"target", 0.91},
                                          {"delta", 0.05},
                                          {"pictures", 5000},
                                          {"bound", 0.911},
                                          {"exact", {{"threshold", 0.2}, {"coverage", 0.82}, {"accuracy", 0.915}}},
                                          {"accuracy_given_up", -0.002},
                                          {"coverage_given_up", 0.02},
                                          {"measured", 0.9148},
                                          {"kept", true}};
  report["per_class"] = {{"coverage", 0.8034},
                         {"threshold", 0.18734},
                         {"method", "hybrid"},
                         {"balanced",
                          {{"base", interval_json(0.88, 0.006)},
                           {"global", interval_json(0.93, 0.005)},
                           {"hybrid", interval_json(0.915, 0.005)},
                           {"hybrid_over_base", interval_json(0.035, 0.004)},
                           {"hybrid_over_global", interval_json(-0.01, 0.003)}}},
                         {"rows", Json::array({Json{{"class", 0},
                                                    {"pictures", 1000},
                                                    {"base", 0.8},
                                                    {"global", 0.9},
                                                    {"hybrid", 0.87},
                                                    {"coverage", 0.7},
                                                    {"helped", 90},
                                                    {"hurt", 20},
                                                    {"over_base", interval_json(0.07, 0.02)}}})}};
  report["abstention"] = {{"coverages", {0.9, 0.8}},
                          {"methods", Json::array({Json{{"method", "entropy"},
                                                        {"at", Json::array({interval_json(0.92, 0.006), interval_json(0.95, 0.005)})},
                                                        {"aurc", interval_json(0.03, 0.002)},
                                                        {"e_aurc", interval_json(0.02, 0.002)}}})},
                          {"curve", {{{"coverage", 0.5}, {"entropy", 0.02}}, {{"coverage", 1.0}, {"entropy", 0.12}}}}};
  report["fusion"] = {{"adopted", true},
                      {"why", "It is more accurate on held-out predictions."},
                      {"top_k", 5},
                      {"base_weight", 0.3},
                      {"global_weight", 0.9},
                      {"held_out_gain", interval_json(0.004, 0.002)},
                      {"test_gain", interval_json(0.003, 0.002)},
                      {"bytes_a_query", 30}};
  report["baselines"] = {{"picture_bytes", 3072},
                         {"rows", Json::array({Json{{"name", "split_int8"},
                                                    {"variant", "conv5"},
                                                    {"where", "edge-cloud"},
                                                    {"coverage", 0.5},
                                                    {"accuracy", interval_json(0.9, 0.005)},
                                                    {"to_hybrid", interval_json(-0.01, 0.003)},
                                                    {"device_macs", 2e6},
                                                    {"cloud_macs", 1.7e7},
                                                    {"bytes_sent", 512}}})}};
  report["explorer"] = sample_explorer(900);
  report["explorer_pictures"] = sample_images();
  for (std::size_t i = 0; i < report["explorer_pictures"].size(); ++i)
    report["explorer_pictures"][i]["score"] = static_cast<float>(75 * i) / 10000.0F - 0.05F;
  report["operating_point"]["threshold"] = report["explorer"]["scores"][719];
  report["plan"] = sample_plan();
  return report;
}

}  // namespace hedge::eval

#include "edge/tally.h"

#include <algorithm>
#include <cmath>

namespace hedge::edge {
namespace {

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

}  // namespace

void Tally::add(const Row& row) {
  if (!row.answer) {
    ++summary_.errors;
    return;
  }
  const Answer& answer = *row.answer;
  ++summary_.answered;
  ++count_of(answer.source);
  if (!answer.wants_cloud) ++covered_;
  if (row.truth) {
    ++summary_.with_truth;
    if (*row.truth == answer.label_index) ++right_;
  }
  total_ms_.push_back(answer.times_ms.total);
  if (answer.source == Source::kCloud) cloud_ms_.push_back(answer.times_ms.cloud);
}

Summary Tally::finish() {
  const auto answered = static_cast<double>(summary_.answered);
  if (summary_.answered > 0) {
    summary_.coverage = static_cast<double>(covered_) / answered;
    double sum = 0;
    for (const double ms : total_ms_) sum += ms;
    summary_.mean_ms = sum / answered;
  }
  if (summary_.with_truth > 0) summary_.accuracy = static_cast<double>(right_) / static_cast<double>(summary_.with_truth);
  summary_.p50_ms = percentile(total_ms_, 0.50);
  summary_.p99_ms = percentile(total_ms_, 0.99);
  if (!cloud_ms_.empty()) summary_.cloud_p50_ms = percentile(cloud_ms_, 0.50);
  return summary_;
}

std::size_t& Tally::count_of(Source source) {
  switch (source) {
    case Source::kEdge: return summary_.edge;
    case Source::kCloud: return summary_.cloud;
    case Source::kEdgeFallback: break;
  }
  return summary_.fallback;
}

}  // namespace hedge::edge

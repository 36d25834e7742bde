#include "edge/json_lines.h"

namespace hedge::edge {
namespace {

Json times_json(const AnswerTimes& times) {
  return {{"preprocess", times.preprocess}, {"base", times.base}, {"router", times.router}, {"cloud", times.cloud}, {"total", times.total}};
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

Json to_json(const Row& row, const std::vector<std::string>& labels) {
  Json json = {{"id", row.id}};
  if (row.answer) {
    const Answer& answer = *row.answer;
    json["label"] = answer.label;
    json["label_index"] = answer.label_index;
    json["source"] = to_string(answer.source);
    json["score"] = answer.score;
    json["reason"] = answer.reason;
  } else {
    json["error"] = row.answer.error().message();
    json["code"] = to_string(row.answer.error().code);
  }
  if (row.truth) {
    json["truth"] = labels.at(static_cast<std::size_t>(*row.truth));
    json["truth_index"] = *row.truth;
  }
  if (row.answer) json["times_ms"] = times_json(row.answer->times_ms);
  return json;
}

std::string to_text(const Json& line) { return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string to_json_line(const Row& row, const std::vector<std::string>& labels) { return to_text(to_json(row, labels)); }

Json to_json(const Summary& summary) {
  return {{"coverage", summary.coverage},
          {"accuracy", or_null(summary.accuracy)},
          {"answered", summary.answered},
          {"total", summary.total},
          {"errors", summary.errors},
          {"edge", summary.edge},
          {"cloud", summary.cloud},
          {"fallback", summary.fallback},
          {"with_truth", summary.with_truth},
          {"p50_ms", summary.p50_ms},
          {"p99_ms", summary.p99_ms},
          {"mean_ms", summary.mean_ms},
          {"cloud_p50_ms", or_null(summary.cloud_p50_ms)},
          {"seconds", summary.seconds},
          {"stopped", summary.stopped}};
}

}  // namespace hedge::edge

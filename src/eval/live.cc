#include "eval/live.h"

#include "core/json.h"
#include "hedge/router.h"

namespace hedge::eval {

Result<LiveComparison> compare_live(std::string_view lines, const routing::PredictionTable& table, std::span<const float> scores,
                                    float threshold) {
  const auto base = routing::argmax_rows(table.base_logits);
  const auto global = routing::argmax_rows(table.global_logits);
  LiveComparison result;
  std::size_t row = 0;
  for (std::size_t line = 1; !lines.empty(); ++line) {
    const auto end = lines.find('\n');
    const auto text = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (text.empty()) continue;
    const std::string where = "line " + std::to_string(line);
    HEDGE_TRY(const auto json, parse_json(text, where));
    if (json.contains("error")) continue;
    HEDGE_TRY(const auto label, get_field<std::int64_t>(json, "label_index", where));
    HEDGE_TRY(const auto source, get_field<std::string>(json, "source", where));
    if (row >= table.size() || row >= scores.size() || row >= global.size())
      return Error{.code = ErrorCode::kMismatch,
                   .what = "more answers than the table has rows",
                   .where = where,
                   .expected = std::to_string(table.size())};
    const bool query = scores[row] > threshold;
    const bool same_source = source == (query ? "cloud" : "edge");
    const bool same_label = label == (query ? global[row] : base[row]);
    ++row, ++result.compared;
    result.agreeing += same_source && same_label;
    result.other_source += !same_source;
    result.other_label += same_source && !same_label;
  }
  if (row != table.size())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "fewer answers than the table has rows",
                 .got = std::to_string(row),
                 .expected = std::to_string(table.size())};
  return result;
}

}  // namespace hedge::eval

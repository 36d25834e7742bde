#include "apps/labels.h"

#include "core/json.h"

namespace hedge::apps {

Result<std::vector<std::string>> parse_labels(std::string_view text, const std::string& where) {
  HEDGE_TRY(const auto json, parse_json(text, where));
  std::vector<std::string> labels;
  bool fits = json.is_array();
  if (fits)
    for (const auto& label : json) {
      fits = fits && label.is_string();
      if (fits) labels.push_back(label.get<std::string>());
    }
  if (!fits) return Error{.code = ErrorCode::kBadFormat, .what = "the labels are not an array of strings", .where = where};
  return labels;
}

}  // namespace hedge::apps

#include "eval/report/html.h"

#include <array>
#include <string_view>
#include <utility>

#include "eval/report/internal/assets.h"
#include "eval/report/internal/pack.h"
#include "eval/report/internal/schema.h"

namespace hedge::eval {
namespace {

/// Text as it may stand in HTML, in an element or a quoted attribute.
std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

/// JSON as it may stand in a <script> element: ASCII only (so U+2028 and U+2029 are escapes, and bytes that are no UTF-8 became
/// U+FFFD), and without <, > and &, which occur only inside strings, where they may be written as escapes: neither "</script" nor
/// "<!--" can end or change the element.
std::string script_json(const Json& json) {
  const std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      default: out += c;
    }
  }
  return out;
}

using Part = std::pair<std::string_view, std::string_view>;

/// `page` with each {{name}} replaced, in one pass: what is put in is not looked at again.
template <std::size_t N>
Result<std::string> fill(std::string_view page, const std::array<Part, N>& parts) {
  std::string out;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t open = page.find("{{", at);
    out += page.substr(at, open == std::string_view::npos ? open : open - at);
    if (open == std::string_view::npos) break;
    const std::size_t close = page.find("}}", open);
    const std::string_view name = close == std::string_view::npos ? page.substr(open) : page.substr(open + 2, close - open - 2);
    bool found = false;
    for (const auto& [key, value] : parts) {
      if (key != name) continue;
      out += value;
      found = true;
    }
    if (!found) return Error{.code = ErrorCode::kInternal, .what = "the page's template names an unknown part", .got = std::string(name)};
    at = close + 2;
  }
  return out;
}

/// A text field, or `otherwise` where it is missing, null or empty. Bytes that are no UTF-8 become U+FFFD.
std::string text_of(const Json& report, const char* key, std::string_view otherwise) {
  const auto field = report.find(key);
  if (field == report.end() || !field->is_string() || field->get_ref<const std::string&>().empty()) return std::string(otherwise);
  const std::string quoted = field->dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted, nullptr, false).get<std::string>();
}

}  // namespace

Result<std::string> render_html(const Json& report) {
  HEDGE_CHECK(check_report(report));
  const std::string title = escape_html(text_of(report, "title", "Hedge report"));
  const std::string verdict = escape_html(text_of(report, "verdict", "This report holds no verdict."));
  const std::string data = script_json(pack_explorer(report));
  return fill(assets::page(), std::to_array<Part>({{"title", title},
                                                   {"verdict", verdict},
                                                   {"data", data},
                                                   {"style", assets::style()},
                                                   {"library", assets::library()},
                                                   {"dom_script", assets::dom_script()},
                                                   {"charts_script", assets::charts_script()},
                                                   {"sections_script", assets::sections_script()},
                                                   {"judging_script", assets::judging_script()},
                                                   {"plan_script", assets::plan_script()},
                                                   {"explorer_script", assets::explorer_script()},
                                                   {"report_script", assets::report_script()}}));
}

}  // namespace hedge::eval

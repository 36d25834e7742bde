#include "data/spec.h"

#include <charconv>
#include <set>

namespace hedge::data {
namespace {

constexpr std::string_view kFashionMnistName = "fashion-mnist";
constexpr std::string_view kFolderPrefix = "folder:";

Error bad_spec(std::string what, std::string_view spec, std::string_view got, std::string expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = std::move(what),
               .where = std::string(spec),
               .got = std::string(got),
               .expected = std::move(expected),
               .hint =
                   "a data set is fashion-mnist or folder:PATH, then ?split=train|calibration|test|all&classes=A-B&limit=N, "
                   "for example \"folder:photos?split=test&limit=500\""};
}

template <typename Number>
bool parse_whole(std::string_view text, Number& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size();
}

Status apply_option(std::string_view spec, std::string_view option, DatasetSpec& parsed) {
  const auto equals = option.find('=');
  const auto key = option.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view{} : option.substr(equals + 1);
  if (key == "split") {
    HEDGE_TRY(parsed.split, parse_split(value));
    return {};
  }
  if (key == "classes") {
    const auto dash = value.find('-');
    ClassRange range;
    if (dash == std::string_view::npos || !parse_whole(value.substr(0, dash), range.first) ||
        !parse_whole(value.substr(dash + 1), range.last) || range.first < 0 || range.last <= range.first)
      return bad_spec("the data set's classes are no range", spec, value, "the first and the last class's number, such as 0-6");
    parsed.classes = range;
    return {};
  }
  if (key != "limit") return bad_spec("the data set has an unknown option", spec, key, "split, classes or limit");
  std::size_t limit = 0;
  if (!parse_whole(value, limit) || limit == 0)
    return bad_spec("the data set's limit is no count", spec, value, "an integer of at least 1");
  parsed.limit = limit;
  return {};
}

Status apply_options(std::string_view spec, std::string_view options, DatasetSpec& parsed) {
  std::set<std::string_view> seen;
  while (true) {
    const auto end = options.find('&');
    const auto option = options.substr(0, end);
    if (!seen.insert(option.substr(0, option.find('='))).second)
      return bad_spec("the data set gives an option twice", spec, option, "each option once");
    HEDGE_CHECK(apply_option(spec, option, parsed));
    if (end == std::string_view::npos) return {};
    options.remove_prefix(end + 1);
  }
}

}  // namespace

const char* to_string(Split split) {
  switch (split) {
    case Split::kTrain: return "train";
    case Split::kCalibration: return "calibration";
    case Split::kTest: return "test";
    case Split::kAll: return "all";
  }
  return "unknown";
}

Result<Split> parse_split(std::string_view name) {
  for (const auto split : {Split::kTrain, Split::kCalibration, Split::kTest, Split::kAll})
    if (name == to_string(split)) return split;
  return bad_spec("the data set has no such split", "", name, "train, calibration, test or all");
}

Result<DatasetSpec> parse_spec(std::string_view spec) {
  DatasetSpec parsed;
  const auto question = spec.rfind('?');
  const auto name = spec.substr(0, question);
  if (name.starts_with(kFolderPrefix)) {
    parsed.source = Source::kFolder;
    parsed.path = std::string(name.substr(kFolderPrefix.size()));
    while (parsed.path.size() > 1 && parsed.path.back() == '/') parsed.path.pop_back();
    if (parsed.path.empty()) return bad_spec("the data set names no folder", spec, "folder:", "folder:PATH");
  } else if (name != kFashionMnistName) {
    return bad_spec("there is no such data set", spec, name, "fashion-mnist or folder:PATH");
  }
  if (question != std::string_view::npos) HEDGE_CHECK(apply_options(spec, spec.substr(question + 1), parsed));
  return parsed;
}

std::string to_string(const DatasetSpec& spec) {
  std::string text = spec.source == Source::kFolder ? std::string(kFolderPrefix) + spec.path : std::string(kFashionMnistName);
  text += std::string("?split=") + to_string(spec.split);
  if (spec.classes) text += "&classes=" + std::to_string(spec.classes->first) + "-" + std::to_string(spec.classes->last);
  if (spec.limit) text += "&limit=" + std::to_string(*spec.limit);
  return text;
}

Result<std::string> spec_with_split(std::string_view spec, std::string_view split) {
  HEDGE_TRY(auto parsed, parse_spec(spec));
  HEDGE_TRY(parsed.split, parse_split(split));
  return to_string(parsed);
}

}  // namespace hedge::data

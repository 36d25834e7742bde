#include "data/spec.h"

#include <array>
#include <charconv>
#include <set>

namespace hedge::data {
namespace {

struct SourceName {
  Source source;
  std::string_view prefix;  ///< with the colon where a path follows
};
constexpr std::array kSources = {SourceName{Source::kFashionMnist, "fashion-mnist"},
                                 SourceName{Source::kFolder, "folder:"},
                                 SourceName{Source::kCsv, "csv:"},
                                 SourceName{Source::kIdx, "idx:"},
                                 SourceName{Source::kCifar, "cifar:"},
                                 SourceName{Source::kFlat, "flat:"}};
constexpr const char* kSourceGrammar = "fashion-mnist, folder:PATH, csv:FILE, idx:PATH, cifar:FOLDER or flat:FOLDER";

Error bad_spec(std::string what, std::string_view spec, std::string_view got, std::string expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = std::move(what),
               .where = std::string(spec),
               .got = std::string(got),
               .expected = std::move(expected),
               .hint = std::string("a data set is ") + kSourceGrammar +
                       ", then ?split=train|calibration|test|all&classes=A-B&limit=N&corrupt=KIND:STRENGTH and options of its own "
                       "(docs/formats/datasets.md), for example \"folder:photos?split=test&limit=500\""};
}

template <typename Number>
bool parse_whole(std::string_view text, Number& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size();
}

/// What would end a value or begin an escape is written as "%" and two digits.
std::string escaped(const std::string& value) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%' || c == '&' || c == '?' || byte < 0x20) {
      text += '%';
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15U];
    } else {
      text += c;
    }
  }
  return text;
}

/// Nothing where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> unescaped(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      value += text[i];
      continue;
    }
    unsigned byte = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || problem != std::errc{} || end != digits.data() + 2) return std::nullopt;
    value += static_cast<char>(byte);
    i += 2;
  }
  return value;
}

/// A set of sources, a bit each.
using Sources = std::uint32_t;
constexpr Sources of(Source source) { return Sources{1} << static_cast<unsigned>(source); }
constexpr bool among(Source source, Sources sources) { return (of(source) & sources) != 0; }

constexpr Sources kListed = of(Source::kFolder) | of(Source::kCsv) | of(Source::kFlat);
constexpr Sources kNumbered = of(Source::kCsv) | of(Source::kIdx) | of(Source::kFlat);
constexpr Sources kValidated = of(Source::kFolder);

/// An option whose value is text.
struct TextOption {
  std::string_view key;
  std::string DatasetSpec::*field;
  Sources sources;
};
constexpr std::array kTextOptions = {
    TextOption{"group", &DatasetSpec::group, kListed},
    TextOption{"root", &DatasetSpec::root, of(Source::kCsv)},
    TextOption{"list", &DatasetSpec::list, of(Source::kFlat)},
    TextOption{"labels", &DatasetSpec::labels, of(Source::kIdx) | of(Source::kCifar)},
    TextOption{"names", &DatasetSpec::names, of(Source::kCsv) | of(Source::kIdx) | of(Source::kFlat)},
};

std::string keys_of(Source source) {
  std::string keys = "split, classes, limit, corrupt";
  for (const auto& option : kTextOptions)
    if (among(source, option.sources)) keys += ", " + std::string(option.key);
  if (among(source, kListed)) keys += ", order";
  if (among(source, kNumbered)) keys += ", first";
  if (among(source, kValidated)) keys += ", val";
  return keys;
}

bool known_key(std::string_view key) {
  for (const std::string_view one : {"split", "classes", "limit", "corrupt", "order", "first", "val"})
    if (key == one) return true;
  for (const auto& option : kTextOptions)
    if (key == option.key) return true;
  return false;
}

/// Where the options begin: a regular expression among them may hold a '?' itself.
std::size_t options_at(std::string_view spec) {
  for (auto at = spec.rfind('?'); at != std::string_view::npos; at = at == 0 ? std::string_view::npos : spec.rfind('?', at - 1)) {
    const auto equals = spec.find('=', at);
    if (equals != std::string_view::npos && known_key(spec.substr(at + 1, equals - at - 1))) return at;
  }
  return spec.rfind('?');
}

Status apply_text(std::string_view spec, const TextOption& option, std::string_view value, DatasetSpec& parsed) {
  auto text = unescaped(value);
  const std::string name(option.key);
  if (!text || text->find('\0') != std::string::npos)
    return bad_spec("the data set's " + name + " holds a \"%\" that begins no escape", spec, value, "%25 for %, %26 for &, %3F for ?");
  if (text->empty()) return bad_spec("the data set's " + name + " is empty", spec, "", "a value");
  if (parsed.source == Source::kCifar && *text != "fine" && *text != "coarse")
    return bad_spec("CIFAR has no such labels", spec, value, "fine or coarse");
  parsed.*option.field = std::move(*text);
  return {};
}

Status apply_choice(std::string_view spec, std::string_view key, std::string_view value, DatasetSpec& parsed) {
  if (key == "order" && among(parsed.source, kListed)) {
    if (value != "name" && value != "number") return bad_spec("there is no such order of classes", spec, value, "name or number");
    parsed.order = value == "name" ? ClassOrder::kName : ClassOrder::kNumber;
  } else if (key == "first" && among(parsed.source, kNumbered)) {
    if (value != "0" && value != "1") return bad_spec("the first class's label is none", spec, value, "0 or 1");
    parsed.first = value == "1" ? 1 : 0;
  } else if (key == "val" && among(parsed.source, kValidated)) {
    if (value != "calibration") return bad_spec("val/ cannot be used as that", spec, value, "calibration");
    parsed.val_calibrates = true;
  } else {
    return bad_spec("the data set has an unknown option", spec, key, keys_of(parsed.source));
  }
  return {};
}

Status apply_option(std::string_view spec, std::string_view option, DatasetSpec& parsed) {
  const auto equals = option.find('=');
  const auto key = option.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view{} : option.substr(equals + 1);
  if (key == "split") {
    HEDGE_TRY(parsed.split, parse_split(value));
    return {};
  }
  if (key == "corrupt") {
    auto corruption = parse_corruption(value);
    if (!corruption) return bad_spec(corruption.error().what, spec, value, corruption.error().expected);
    parsed.corrupt = *corruption;
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
  for (const auto& text : kTextOptions)
    if (key == text.key && among(parsed.source, text.sources)) return apply_text(spec, text, value, parsed);
  if (key != "limit") return apply_choice(spec, key, value, parsed);
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

/// Errors: kInvalidArgument.
Status parse_source(std::string_view spec, std::string_view name, DatasetSpec& parsed) {
  for (const auto& [source, prefix] : kSources) {
    const bool has_path = prefix.ends_with(':');
    if (has_path ? !name.starts_with(prefix) : name != prefix) continue;
    parsed.source = source;
    if (!has_path) return {};
    parsed.path = std::string(name.substr(prefix.size()));
    while (parsed.path.size() > 1 && parsed.path.back() == '/') parsed.path.pop_back();
    if (parsed.path.empty() || parsed.path.find('\0') != std::string::npos)
      return bad_spec("the data set names no file or folder", spec, prefix, std::string(prefix) + "PATH");
    return {};
  }
  return bad_spec("there is no such data set", spec, name, kSourceGrammar);
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
  const auto question = options_at(spec);
  HEDGE_CHECK(parse_source(spec, spec.substr(0, question), parsed));
  if (question != std::string_view::npos) HEDGE_CHECK(apply_options(spec, spec.substr(question + 1), parsed));
  if (parsed.source == Source::kFlat && parsed.list.empty())
    return bad_spec("a flat folder needs the list of its labels", spec, "no list", "flat:FOLDER?list=FILE");
  return parsed;
}

std::string to_string(const DatasetSpec& spec) {
  std::string text;
  for (const auto& [source, prefix] : kSources)
    if (source == spec.source) text = std::string(prefix) + spec.path;
  text += std::string("?split=") + to_string(spec.split);
  if (spec.classes) text += "&classes=" + std::to_string(spec.classes->first) + "-" + std::to_string(spec.classes->last);
  if (spec.limit) text += "&limit=" + std::to_string(*spec.limit);
  for (const auto& option : kTextOptions)
    if (!(spec.*option.field).empty()) text += "&" + std::string(option.key) + "=" + escaped(spec.*option.field);
  if (spec.order) text += *spec.order == ClassOrder::kName ? "&order=name" : "&order=number";
  if (spec.first) text += "&first=" + std::to_string(*spec.first);
  if (spec.val_calibrates) text += "&val=calibration";
  if (spec.corrupt) text += "&corrupt=" + to_string(*spec.corrupt);
  return text;
}

Result<std::string> spec_with_split(std::string_view spec, std::string_view split) {
  HEDGE_TRY(auto parsed, parse_spec(spec));
  HEDGE_TRY(parsed.split, parse_split(split));
  return to_string(parsed);
}

}  // namespace hedge::data

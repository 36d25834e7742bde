#include "data/internal/class_order.h"

#include <algorithm>

#include "data/internal/text.h"

namespace hedge::data::internal {
namespace {

constexpr std::int64_t kMostNumber = 100000;

struct Numbered {
  std::int64_t number = 0;
  std::string name;
};

/// By number. Nothing where a name is no number.
std::optional<std::vector<Numbered>> as_numbers(const std::vector<std::string>& names) {
  std::vector<Numbered> all;
  for (const auto& name : names) {
    const auto number = as_number(name);
    if (!number) return std::nullopt;
    all.push_back({.number = *number, .name = name});
  }
  std::stable_sort(all.begin(), all.end(), [](const Numbered& a, const Numbered& b) { return a.number < b.number; });
  return all;
}

std::vector<std::string> names_of(const std::vector<Numbered>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  return names;
}

/// The number with as many digits as all names have, where they all have as many.
std::string like_others(std::int64_t number, const std::vector<Numbered>& all) {
  auto text = std::to_string(number);
  const auto width = all.front().name.size();
  const bool padded = std::all_of(all.begin(), all.end(), [width](const Numbered& one) { return one.name.size() == width; });
  if (padded && text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

Result<OrderedClasses> fill_gaps(const std::vector<Numbered>& all, const std::string& where) {
  if (all.back().number > kMostNumber)
    return Error{.code = ErrorCode::kBadData,
                 .what = "a class's number is too large",
                 .where = where,
                 .got = all.back().name,
                 .expected = "at most " + std::to_string(kMostNumber),
                 .hint = "order=name takes the numbers as names"};
  OrderedClasses classes;
  for (const auto& one : all) {
    while (static_cast<std::int64_t>(classes.names.size()) < one.number)
      classes.names.push_back(like_others(static_cast<std::int64_t>(classes.names.size()), all));
    classes.names.push_back(one.name);
  }
  return classes;
}

/// "0, 1, 10, 2"
std::string begin_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 4; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return text + (names.size() > 4 ? ", …" : "");
}

Result<OrderedClasses> order_numbers(const std::vector<Numbered>& all, std::vector<std::string> bytes, const std::string& where) {
  auto numeric = names_of(all);
  const bool same = numeric == bytes;
  const auto first = all.front().number;
  const bool whole = first <= 1 && all.back().number - first + 1 == static_cast<std::int64_t>(all.size());
  if (!whole && !same)
    return Error{.code = ErrorCode::kBadData,
                 .what = "the classes are numbers with gaps, so their order is not known",
                 .where = where,
                 .got = begin_of(numeric) + ", or in byte order " + begin_of(bytes),
                 .hint =
                     "say order=number (class N is number N, the missing ones have no image) or order=name (numbers are names, in byte "
                     "order as torchvision and Keras read folders)"};
  OrderedClasses classes{.names = std::move(numeric), .notes = {}};
  if (whole && !same)
    classes.notes.push_back({.text = "the classes are numbers and stand in their order, " + begin_of(classes.names) +
                                     "; readers of folders in torchvision and Keras, and Hedge before 0.3, have " + begin_of(bytes) +
                                     " (order=name): a model whose outputs have no names must have this order too"});
  if (whole && first == 1)
    classes.notes.push_back({.text = "the classes are numbers from 1 on: class 1 is a model's first output, unless it has names for them"});
  if (!whole)
    classes.notes.push_back({.text = "the classes are numbers with gaps (" + begin_of(classes.names) +
                                     ") and are taken as names, the first as a model's first output; order=number makes class N number N"});
  return classes;
}

}  // namespace

Result<OrderedClasses> order_classes(std::vector<std::string> names, std::optional<ClassOrder> order, const std::string& where) {
  std::sort(names.begin(), names.end());
  const auto numbers = as_numbers(names);
  if (order == ClassOrder::kName || names.empty()) return OrderedClasses{.names = std::move(names), .notes = {}};
  if (!numbers) {
    if (order == ClassOrder::kNumber) {
      const auto bad = std::find_if(names.begin(), names.end(), [](const auto& name) { return !as_number(name); });
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "order=number needs classes whose names are numbers",
                   .where = where,
                   .got = *bad,
                   .hint = "leave order= out, or use order=name"};
    }
    auto natural = names;
    std::sort(natural.begin(), natural.end(), natural_less);
    OrderedClasses classes{.names = std::move(names), .notes = {}};
    if (natural != classes.names) {
      const auto differs = std::mismatch(natural.begin(), natural.end(), classes.names.begin());
      classes.notes.push_back({.level = LogLevel::kWarning,
                               .text = "the classes stand in byte order, so " + *differs.second + " comes before " + *differs.first +
                                       ": a model whose outputs have no names must have this order too (give it --labels)"});
    }
    return classes;
  }
  for (std::size_t i = 1; i < numbers->size(); ++i)
    if ((*numbers)[i].number == (*numbers)[i - 1].number)
      return Error{.code = ErrorCode::kBadData,
                   .what = "two classes have one number",
                   .where = where,
                   .got = (*numbers)[i - 1].name + " and " + (*numbers)[i].name,
                   .hint = "rename one of them, or say order=name: then they are two classes"};
  if (order == ClassOrder::kNumber) return fill_gaps(*numbers, where);
  return order_numbers(*numbers, std::move(names), where);
}

}  // namespace hedge::data::internal

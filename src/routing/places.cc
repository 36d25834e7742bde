// Which images a data set's specification names, as far as its text tells.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "routing/splits.h"

namespace hedge::routing {
namespace {

constexpr std::string_view kAnd = " | ", kPart = "part=";

std::vector<std::string_view> cut(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    const auto end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + separator.size());
  }
}

/// A specification without its limit.
struct Place {
  std::string source;
  std::string_view split = "all";
  std::string division;                 ///< options by which the same images are divided otherwise
  std::vector<std::string_view> parts;  ///< of its rows, each a path of "NAME.DIVISION"; none: all rows
  std::string whole;                    ///< the specification without its parts
};

Place place_of(std::string_view spec) {
  constexpr std::string_view kSplit = "split=";
  const auto question = spec.rfind('?');
  Place place{.source = std::string(spec.substr(0, question)), .whole = std::string(spec.substr(0, question))};
  if (const auto colon = place.source.find(':'); colon != std::string::npos)
    place.source = place.source.substr(0, colon + 1) +
                   (std::filesystem::path(place.source.substr(colon + 1)) / "").lexically_normal().generic_string();
  if (question == std::string_view::npos) return place;
  for (const auto option : cut(spec.substr(question + 1), "&")) {
    if (option.starts_with(kPart)) {
      place.parts = cut(option.substr(kPart.size()), ",");
      continue;
    }
    if (option.starts_with(kSplit)) place.split = option.substr(kSplit.size());
    if (option.starts_with("group=") || option.starts_with("val=")) place.division += std::string(option) + "&";
    place.whole += (place.whole.size() == question ? "?" : "&") + std::string(option);
  }
  return place;
}

std::string_view division_of(std::string_view part) { return part.substr(std::min(part.rfind('.'), part.size())); }

/// Two parts share no image where the first step in which they differ is of one division.
bool disjoint(std::string_view a, std::string_view b) {
  const auto one = cut(a, "/"), other = cut(b, "/");
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i)
    if (one[i] != other[i]) return division_of(one[i]) == division_of(other[i]);
  return false;
}

bool parts_disjoint(const Place& a, const Place& b) {
  if (a.parts.empty() || b.parts.empty()) return false;
  return std::all_of(a.parts.begin(), a.parts.end(), [&](std::string_view one) {
    return std::all_of(b.parts.begin(), b.parts.end(), [&](std::string_view other) { return disjoint(one, other); });
  });
}

bool overlap(const Place& one, const Place& other) {
  if (one.source != other.source || parts_disjoint(one, other)) return false;
  const bool divided_alike = one.division == other.division;
  return !divided_alike || one.split == other.split || one.split == "all" || other.split == "all";
}

}  // namespace

bool same_or_overlapping(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return false;
  for (const auto one : cut(a, kAnd))
    for (const auto other : cut(b, kAnd))
      if (overlap(place_of(one), place_of(other))) return true;
  return false;
}

std::string part_of_dataset(const std::string& dataset, const std::string& name, const std::string& division) {
  const std::string step = name + "." + division;
  std::string parts;
  for (const auto spec : cut(dataset, kAnd)) {
    const auto place = place_of(spec);
    std::string steps;
    for (const auto part : place.parts) steps += (steps.empty() ? "" : ",") + std::string(part) + "/" + step;
    const bool has_options = place.whole.size() > std::min(place.whole.rfind('?'), place.whole.size());
    parts += (parts.empty() ? "" : std::string(kAnd)) + place.whole + (has_options ? "&" : "?") + std::string(kPart) +
             (steps.empty() ? step : steps);
  }
  return parts;
}

std::string union_of_datasets(const std::vector<std::string>& datasets) {
  std::vector<std::string> specs;
  for (const auto& dataset : datasets)
    for (const auto spec : cut(dataset, kAnd))
      if (std::find(specs.begin(), specs.end(), spec) == specs.end()) specs.emplace_back(spec);
  std::string together, all_parts;
  bool of_one = true, whole = false;
  for (const auto& spec : specs) {
    const auto place = place_of(spec);
    of_one = of_one && place.whole == place_of(specs.front()).whole;
    whole = whole || place.parts.empty();
    for (const auto part : place.parts) all_parts += (all_parts.empty() ? "" : ",") + std::string(part);
    together += (together.empty() ? "" : std::string(kAnd)) + spec;
  }
  if (!of_one || specs.empty()) return together;
  const auto first = place_of(specs.front()).whole;
  if (whole) return first;
  return first + (first.find('?') == std::string::npos ? "?" : "&") + std::string(kPart) + all_parts;
}

}  // namespace hedge::routing

#include "data/skipped.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_set>

namespace hedge::data {
namespace {

struct Group {
  const Skipped* first;
  std::vector<std::string> paths;
};

std::vector<Group> by_reason(const std::vector<Skipped>& skipped) {
  std::vector<Group> groups;
  for (const auto& one : skipped) {
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.first->reason == one.reason; });
    if (group == groups.end()) group = groups.insert(groups.end(), {.first = &one, .paths = {}});
    group->paths.push_back(one.path);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.paths.size() > b.paths.size(); });
  return groups;
}

}  // namespace

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kShown ? text + ", …" : text;
}

std::vector<std::string> unreadable_classes(const Dataset& dataset, const std::vector<Skipped>& skipped) {
  if (skipped.empty()) return {};
  std::unordered_set<std::string_view> paths;
  for (const auto& one : skipped) paths.insert(one.path);
  enum class State { kNoImage, kUnreadable, kReadable };
  std::vector<State> states(dataset.class_names().size(), State::kNoImage);
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    auto& state = states[static_cast<std::size_t>(dataset.label(i))];
    if (state != State::kReadable) state = paths.contains(dataset.id(i)) ? State::kUnreadable : State::kReadable;
  }
  std::vector<std::string> names;
  for (std::size_t c = 0; c < states.size(); ++c)
    if (states[c] == State::kUnreadable) names.push_back(dataset.class_names()[c]);
  return names;
}

std::vector<std::string> skipped_lines(const std::vector<Skipped>& skipped) {
  std::vector<std::string> lines;
  for (const auto& [first, paths] : by_reason(skipped))
    lines.push_back("skipped " + std::to_string(paths.size()) + ": " + first->reason + " (" + some_of(paths) + ")" +
                    (first->hint.empty() ? "" : "; " + first->hint));
  return lines;
}

}  // namespace hedge::data

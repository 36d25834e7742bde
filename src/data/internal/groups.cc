#include "data/internal/groups.h"

#include <map>
#include <regex>
#include <set>

namespace hedge::data::internal {
namespace {

constexpr std::size_t kMostPattern = 512;

Error bad_pattern(const std::string& pattern, const std::string& where, std::string what) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = std::move(what),
               .where = where,
               .got = pattern.substr(0, 80),
               .expected = "a regular expression with a capture, e.g. group=([^/]*/\\d+)_ for track 00007 of a/00007_0003.png",
               .hint = "write %26 for & and %3F for ?, and quote the data set in the shell"};
}

/// The patterns's first capture in a text, anywhere in it.
class Capture {
 public:
  /// Throws std::regex_error.
  explicit Capture(const std::string& pattern) {
    // Matching in polynomial time (libstdc++) needs the whole text to match; so what lies around the pattern is matched too.
    auto how = std::regex_constants::ECMAScript;
#ifdef __GLIBCXX__
    how |= std::regex_constants::__polynomial;
#endif
    regex_ = std::regex("[\\s\\S]*?(?:" + pattern + ")[\\s\\S]*", how);
  }
  [[nodiscard]] std::size_t captures() const { return regex_.mark_count(); }
  /// Empty where there is none. Throws std::regex_error.
  [[nodiscard]] std::string of(const std::string& text) const {
    std::smatch match;
    return std::regex_match(text, match, regex_) ? match[1].str() : std::string();
  }

 private:
  std::regex regex_;
};

}  // namespace

Status set_groups(const std::string& pattern, const std::string& where, FolderListing& listing) {
  if (pattern.size() > kMostPattern) return bad_pattern(pattern, where, "the groups' pattern is too long");
  try {
    const Capture capture(pattern);
    if (capture.captures() == 0) return bad_pattern(pattern, where, "the groups' pattern has no capture in parentheses");
    std::vector<std::string> unmatched;
    for (auto& file : listing.files) {
      file.group = capture.of(file.path);
      if (file.group.empty()) unmatched.push_back(file.path);
    }
    if (!unmatched.empty())
      return Error{.code = ErrorCode::kBadData,
                   .what = "the groups' pattern finds no group in " + counted(unmatched.size(), "path") + " of " +
                           std::to_string(listing.files.size()),
                   .where = where,
                   .got = few_of(unmatched),
                   .expected = "a match of " + pattern.substr(0, 80) + " with a capture that is not empty in each path"};
  } catch (const std::exception& exception) {  // std::regex_error, and memory
    return bad_pattern(pattern, where, std::string("the groups' pattern is no regular expression: ") + exception.what());
  }
  note_groups(listing);
  return {};
}

void note_groups(FolderListing& listing) {
  std::map<std::string, std::set<std::int64_t>> classes_of;
  for (const auto& file : listing.files) classes_of[file.group].insert(file.label);
  std::vector<std::string> mixed;
  for (const auto& [group, classes] : classes_of)
    if (classes.size() > 1) mixed.push_back(group);
  listing.notes.push_back({.text = counted(listing.files.size(), "file") + " in " + counted(classes_of.size(), "group")});
  if (!mixed.empty())
    listing.notes.push_back({.level = LogLevel::kWarning,
                             .text = counted(mixed.size(), "group") + " of " + std::to_string(classes_of.size()) +
                                     " hold images of several classes (" + few_of(mixed) +
                                     "): where numbers begin anew in each class, capture the class too, e.g. group=(.*)_"});
}

}  // namespace hedge::data::internal

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/log.h"

namespace hedge::data::internal {

/// What is worth saying of a data set: a sentence.
struct Note {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};

/// "a, b, c and 4 more" of the first few.
std::string few_of(const std::vector<std::string>& names, std::size_t shown = 3);

/// "1 file", "3 files".
std::string counted(std::size_t count, std::string_view what);

/// Names of one kind, each counted once, said in one sentence.
class Tally {
 public:
  void add(const std::string& name) { names_.insert(name); }
  [[nodiscard]] bool empty() const { return names_.empty(); }
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] std::string few() const { return few_of({names_.begin(), names_.end()}); }

 private:
  std::set<std::string> names_;
};

}  // namespace hedge::data::internal

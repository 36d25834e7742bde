#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hedge/result.h"

namespace hedge::data {

/// The classes that tables, routers and answers speak of.
struct ClassSpace {
  std::vector<std::string> names;        ///< of each class; all different
  std::vector<std::int64_t> of_dataset;  ///< the data set's class -> the class here
};

/// A name's place in a list of names.
using ClassIndex = std::map<std::string, std::int64_t>;

/// The places of the named ones; "" is no name. Errors: kBadData: a name twice, with `where`.
Result<ClassIndex> index_class_names(const std::vector<std::string>& names, const std::string& where);

/// What a model's outputs are called, by index; a nameless output ("") is no class, such as a background. `where` names the text in errors.
/// By its content it is a JSON array of names; a JSON object {name: index}; otherwise text, a name a line, the line's number from 0
/// being the index (docs/formats/class_names.md).
/// Errors: kBadFormat (an index beyond 2^20 as well); kBadData: fewer than two names, a name twice, an index twice.
Result<std::vector<std::string>> parse_class_names(const std::string& text, const std::string& where);

/// The class names of a file. Errors: those of read_file and parse_class_names.
Result<std::vector<std::string>> read_class_names(const std::filesystem::path& path);

}  // namespace hedge::data

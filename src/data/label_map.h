#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hedge/result.h"

namespace hedge::data {

/// The classes that tables, routers and answers speak of.
struct ClassSpace {
  std::vector<std::string> names;        ///< of each class; all different
  std::vector<std::int64_t> of_dataset;  ///< the data set's class -> the class here
};

/// What a model's outputs are called, by index; a nameless output ("") is no class, such as a background.
/// Reads, by its content: a JSON array of names; a JSON object {name: index}; otherwise text, a name a line, the line's number from 0
/// being the index (docs/formats/class_names.md).
/// Errors: those of read_file; kBadFormat; kBadData: fewer than two names, a name twice, an index twice.
Result<std::vector<std::string>> read_class_names(const std::filesystem::path& path);

/// One model's part in map_classes.
struct ModelClasses {
  std::vector<std::string> names;  ///< by output; empty: not known
  std::int64_t outputs = 0;        ///< 0: not known
  std::string where;               ///< for errors
};

struct ClassMaps {
  ClassSpace space;
  std::vector<std::int64_t> base_columns;    ///< class -> output of the base; empty: as they are
  std::vector<std::int64_t> global_columns;  ///< class -> output of the global; empty: as they are
  std::vector<std::string> notes;            ///< what was taken for granted; to be told to the user
};

/// Brings a data set's class names and the outputs of a base and a global to one space of classes.
///
/// Without any model's names it is the data set's. Otherwise it is the base's named outputs (the global's where the base's are not
/// known), in their order; the global's are found by name. A model with one output more than names has a background before them, as
/// TensorFlow's ImageNet models have; that and an order taken for granted are noted. `global.outputs` and names empty: no global.
/// Errors: kMismatch: a class of the data set or the space that a model does not have, more outputs than names; kBadData: a name twice.
Result<ClassMaps> map_classes(const std::vector<std::string>& dataset, const ModelClasses& base, const ModelClasses& global);

}  // namespace hedge::data

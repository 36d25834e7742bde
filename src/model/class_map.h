#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/label_map.h"
#include "hedge/model.h"
#include "hedge/result.h"

namespace hedge::model {

/// One model's part in a class map.
struct ModelClasses {
  std::vector<std::string> names;  ///< by output; a name "" is no class; empty: not known
  std::int64_t outputs = 0;        ///< 0: not known
  std::string where;               ///< for errors
};

ModelClasses classes_of(const ModelCard& card);

/// A name for each output: where a model has one output more than names, its first is a background, as in TensorFlow's ImageNet models,
/// which is added to `notes`. `role`: "base" or "global". Names that are not known stay so.
/// Errors: kMismatch: another number of outputs than names.
Result<std::vector<std::string>> names_by_output(const ModelClasses& model, const std::string& role, std::vector<std::string>& notes);

/// The output of each class of `classes`, by name (capitals and separators do not count where that is unique, which is added to `notes`);
/// empty where those are the outputs in their order. Errors: kMismatch (a class that the model does not have, another number of outputs
/// than names); kBadData (a name twice).
Result<std::vector<std::int64_t>> columns_by_name(const std::vector<std::string>& classes, const ModelClasses& model,
                                                  const std::string& role, std::vector<std::string>& notes);

/// How a class's outputs were found.
enum class Decided {
  kByName,      ///< both models name their outputs
  kByPosition,  ///< one does not: its outputs are taken to be in the other's order
};

/// A hybrid's classes, and the output of each in its two models.
struct ClassMap {
  std::vector<std::string> names;            ///< the base's named outputs in their order (the global's, where the base names none)
  std::vector<std::int64_t> base_columns;    ///< class -> output of the base; empty: as they are
  std::vector<std::int64_t> global_columns;  ///< class -> output of the global; empty: as they are
  Decided decided = Decided::kByName;
  std::vector<std::string> notes;                     ///< what was taken for granted; to be told to the user
  std::vector<std::string> base_names, global_names;  ///< of the outputs, "" is no class; empty: the model does not say
};

/// Brings the outputs of a base and a global to one list of classes. The global may have them in another order, more of them, and outputs
/// that are no class: those are in no column, so that the largest logit is taken among the classes alone.
/// Errors: kNotFound: neither model names its outputs; kMismatch: a class that the global does not have, another number of outputs than
/// names, each with what to do; kBadData: a name twice.
Result<ClassMap> map_outputs(const ModelClasses& base, const ModelClasses& global);

/// Refuses a map that is not by name. Errors: kMismatch, with the notes.
Status check_by_name(const ClassMap& map);

/// A data set's classes and two models' outputs in one list of classes.
struct ClassMaps {
  data::ClassSpace space;
  std::vector<std::int64_t> base_columns;             ///< as in ClassMap
  std::vector<std::int64_t> global_columns;           ///< as in ClassMap
  std::vector<std::string> notes;                     ///< what was taken for granted; to be told to the user
  Decided decided = Decided::kByName;                 ///< of the two models' outputs
  std::vector<std::string> base_names, global_names;  ///< as in ClassMap
};

/// map_outputs, and the data set's labels placed by name, capitals and separators not counting where that is unique; by position where not
/// one of its names is known and the numbers agree. Without any model's names the classes are the data set's. `global` without outputs,
/// names and where: there is none. Errors: those of map_outputs but kNotFound; kMismatch: a class of the data set that the models do not
/// have.
Result<ClassMaps> map_classes(const std::vector<std::string>& dataset, const ModelClasses& base, const ModelClasses& global);

}  // namespace hedge::model

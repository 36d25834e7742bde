#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hedge/api.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::routing {

/// Which outputs of a model are the classes of a table.
struct ModelOutputs {
  std::int64_t outputs = 0;                ///< the width of its logits; 0: not known
  std::vector<std::int64_t> columns = {};  ///< the output of each class; empty: the outputs are the classes, in their order
  std::vector<std::string> names = {};     ///< of its outputs, "" is no class; empty: the model does not say
  bool operator==(const ModelOutputs&) const = default;
};

/// How the outputs of base and global were brought to one list of classes. What runs must do it as it was judged.
struct JudgedClasses {
  std::vector<std::string> names = {};  ///< the classes
  std::string by = "position";          ///< "name"; "position": one of the models does not name its outputs
  std::vector<std::string> notes = {};  ///< what was taken for granted, for people
  ModelOutputs base = {}, global = {};  ///< `global` without a global: as it is made
  bool operator==(const JudgedClasses&) const = default;
};

/// What a query of the global costs in money.
struct Price {
  double per_query = 0;          ///< > 0
  std::string currency = "USD";  ///< as it is shown
  bool operator==(const Price&) const = default;
};

/// Where a table's rows come from; travels as the file's metadata (docs/formats/prediction_table.md).
struct TableInfo {
  std::string dataset;              ///< canonical data-set specification, "fashion-mnist?split=test"
  std::string split;                ///< "train", "calibration", "test", "all"
  std::string content_hash;         ///< of the images (data::Dataset::content_hash)
  std::string base_hash;            ///< SHA-256 of the base's file
  std::string global_hash;          ///< SHA-256 of the global's file; empty where there is no global
  std::string executor;             ///< Executor::description() of the base: runner, version, precision
  std::string mode = "evaluation";  ///< how predictions were made: "evaluation" (no augmentation, inference statistics)
  std::vector<std::string> class_names;
  /// The base's tensor that base_features holds: its name, "auto" (the runner found it; also in files older than this), "": none.
  std::string features = "auto";
  /// The data sets that the models were trained on and their content hashes; empty: the model's file does not say.
  std::string base_trained_on, base_trained_on_hash;
  std::string global_trained_on, global_trained_on_hash;
  std::int64_t base_macs = 0;
  std::int64_t global_macs = 0;
  std::int64_t base_parameters = 0;
  std::int64_t global_parameters = 0;
  std::optional<JudgedClasses> classes = {};     ///< nothing: the table does not say, as those older than this
  std::vector<std::string> accepted_risks = {};  ///< alarms about the models that the user accepted, a sentence each
  /// Of imported predictions: what the models are called, and what the logits were made of ("logits", "probabilities", "top 5 of 1000
  /// classes, the rest spread evenly"); empty: not known.
  std::string base_name = {}, global_name = {};
  std::string base_form = {}, global_form = {};
  std::optional<Price> price = {};  ///< nothing: not known
};

/// What base and global say of each image of a split; all of routing and evaluation starts from it.
struct HEDGE_API PredictionTable {
  Tensor labels;         ///< i64 [N], in 0..C-1
  Tensor base_logits;    ///< f32 [N, C]
  Tensor base_features;  ///< f32 [N, F]; F may be 0
  Tensor global_logits;  ///< f32 [N, C]; [0, C] where there is no global
  TableInfo info;
  /// i64 [N], or [0] where the images depend on no other: rows of one number are of one group (data::Dataset::group), and are drawn
  /// together.
  Tensor groups = Tensor(DType::kI64, {0});
  /// i64 [N], or [0] where it is not known: data::Dataset::stored_hash of each row's image, by which exact copies are found.
  Tensor image_hashes = Tensor(DType::kI64, {0});

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(labels.num_elements()); }
  [[nodiscard]] std::int64_t classes() const { return base_logits.shape()[1]; }
  [[nodiscard]] std::int64_t features() const { return base_features.shape()[1]; }
  [[nodiscard]] bool has_global() const { return global_logits.shape()[0] > 0; }
  [[nodiscard]] bool has_groups() const { return groups.shape()[0] > 0; }

  /// Errors: kMismatch (row or class counts), kBadData (empty, NaN or infinite logits or features - with the row -, labels out of range).
  [[nodiscard]] Status validate() const;
};

/// Errors: those of read_safetensors; kUnsupported for a newer schema; those of validate.
HEDGE_API Result<PredictionTable> read_table(const std::filesystem::path& path);
/// Writes the file as a whole or not at all. Errors: those of validate; kIo.
HEDGE_API Status write_table(const std::filesystem::path& path, const PredictionTable& table);

}  // namespace hedge::routing

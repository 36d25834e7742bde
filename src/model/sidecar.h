#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/model.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::model {

/// What stands beside a model file of elsewhere, in MODEL.hedge.json, where the file itself does not say it (docs/formats/model.md).
struct Sidecar {
  std::optional<data::Preprocess> recipe;
  std::vector<std::string> labels;  ///< of the outputs, by index; empty: not said
  std::string labels_file;          ///< where the names are instead, relative to the sidecar; read_sidecar has read them; empty: nowhere
  std::string features;             ///< the penultimate tensor's name; empty: not said
  std::int64_t macs = 0;            ///< 0: not said
  std::int64_t parameters = 0;      ///< 0: not said
  Layout input_layout = Layout::kUnknown;         ///< kUnknown: not said
  std::string output;                             ///< the classifying output's name; empty: not said
  OutputKind output_kind = OutputKind::kUnknown;  ///< what its numbers are; kUnknown: not said
};

/// Reads a sidecar's text; touches no file. `where` names it in errors.
/// Errors: kBadFormat (a field of another type, an unknown field), kUnsupported (a newer schema), those of the recipe.
Result<Sidecar> parse_sidecar(std::string_view text, const std::string& where);

/// Empty where there is no such file. A file of names is relative to the sidecar.
/// Errors: those of read_file, parse_sidecar and data::read_class_names.
Result<Sidecar> read_sidecar(const std::filesystem::path& model);

/// "nchw" or "nhwc", in any case; empty: kUnknown. Errors: kInvalidArgument, naming `where`.
Result<Layout> parse_layout(const std::string& word, const std::string& where);
/// A word of to_string(OutputKind) but "unknown"; empty: kUnknown. Errors: kInvalidArgument, naming `where`.
Result<OutputKind> parse_output_kind(const std::string& word, const std::string& where);

/// How a model's file is to be understood, as far as somebody says it: the user, else the sidecar.
struct SaidForm {
  Layout input_layout = Layout::kUnknown;
  std::string output;  ///< the classifying output's name
  OutputKind output_kind = OutputKind::kUnknown;
};
/// Errors: those of parse_layout and parse_output_kind.
Result<SaidForm> said_form(const Sidecar& sidecar, const CardOptions& options);
/// Errors: those and read_sidecar's.
Result<SaidForm> said_form(const std::filesystem::path& model, const CardOptions& options);
/// What changes in a sidecar; what is empty stays.
struct SidecarChange {
  std::optional<data::Preprocess> recipe;
  std::vector<std::string> labels;
};

/// Writes the change into the sidecar of `model`, which is made where there is none. All other fields stay as they are, whatever they are.
/// Returns the sidecar's path. Errors: kBadFormat, kUnsupported: the sidecar that is there cannot be read; kIo.
Result<std::filesystem::path> change_sidecar(const std::filesystem::path& model, const SidecarChange& change);

/// A recipe as a person gives it: a file with a Preprocess in JSON, or its short form (data/recipe_text.h).
Result<data::Preprocess> read_recipe(const std::string& path_or_text);

}  // namespace hedge::model

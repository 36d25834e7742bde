#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "hedge/workflow.h"

namespace hedge::cli {

/// The flags that say how a model's file is to be understood, where nothing in it does: --input-layout, --output and --output-kind, each
/// after `prefix` ("base-", "global-" or empty).
struct FormFlags {
  std::string input_layout, output, output_kind;

  /// `of`: whose, in the help: "the base", "the model".
  void add(CLI::App& app, const std::string& prefix, const std::string& of);
};

/// Fills what is empty in `model` from the flags of this model, then from those of both.
void apply(const FormFlags& own, const FormFlags& both, workflow::ModelOptions& model);

}  // namespace hedge::cli

#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "cli/form_flags.h"
#include "workflow/predict.h"

namespace hedge::cli {

/// The flags that name a pair of models, for the commands that predict. add(), and after parsing options().
struct PairFlags {
  std::string base, global;                ///< the models' files; `global` may be empty
  std::string base_recipe, global_recipe;  ///< empty: as the models say
  std::string labels;                      ///< names of both models' outputs; empty: as the models say
  std::string base_labels, global_labels;  ///< of one model's
  FormFlags form, base_form, global_form;  ///< of both models, and of one
  std::string features = "auto";           ///< the base's penultimate tensor
  bool accept_risk = false;                ///< alarms do not end the command
  std::string cache;                       ///< a folder; "none": nowhere; empty: "predictions" in the output's folder

  void add(CLI::App& app, bool required);
  /// `folder` is the output's.
  [[nodiscard]] workflow::PairOptions options(const std::filesystem::path& folder) const;
};

}  // namespace hedge::cli

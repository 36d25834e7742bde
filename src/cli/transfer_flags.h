#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/form_flags.h"
#include "workflow/train.h"

namespace hedge::cli {

/// The flags of a training that begins with a trained network. Stays where it is once added.
class TransferFlags {
 public:
  void add(CLI::App& app);
  /// Nothing without --from.
  [[nodiscard]] std::optional<workflow::TransferOptions> options() const;

 private:
  workflow::TransferOptions options_;
  std::string from_;
  FormFlags form_;
};

}  // namespace hedge::cli

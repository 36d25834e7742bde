#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "workflow/train.h"

namespace hedge::cli {

/// The flags of a training of many networks in one. Stays where it is once added.
class SupernetFlags {
 public:
  void add(CLI::App& app);
  /// Nothing without --supernet.
  [[nodiscard]] std::optional<workflow::SupernetOptions> options() const;

 private:
  workflow::SupernetOptions options_;
  std::string method_;
};

}  // namespace hedge::cli

#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "workflow/train.h"

namespace hedge::cli {

/// The flags of a training that has a teacher. Stays where it is once added.
class TeacherFlags {
 public:
  void add(CLI::App& app);
  /// Nothing without --teacher.
  [[nodiscard]] std::optional<workflow::TeacherOptions> options() const;

 private:
  workflow::TeacherOptions options_;
  std::string model_;
};

}  // namespace hedge::cli

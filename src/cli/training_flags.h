#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "hedge/result.h"
#include "train/router_fit.h"
#include "train/trainer.h"

namespace hedge::cli {

/// The flags that every training has. Set the defaults in `options`, add(), and after parsing finish(). Stays where it is once added.
class TrainingFlags {
 public:
  train::TrainOptions options;

  void add(CLI::App& app);
  /// The switches of a recipe (docs/learning.md), and the time budget.
  void add_switches(CLI::App& app);
  /// Turns the names into options. Errors: those of TrainOptions::validate.
  Status finish();
  /// Sets again what the command line gives, over what a recipe has set. Copies; outlives this object.
  [[nodiscard]] std::function<void(train::TrainOptions&)> given() const;

 private:
  using Copy = std::function<void(train::TrainOptions& to, const train::TrainOptions& from)>;

  /// `access`: the option's field of a TrainOptions.
  template <typename Access>
  CLI::Option* value(CLI::App& app, const std::string& name, Access access, const std::string& help) {
    return note(app.add_option(name, access(options), help)->capture_default_str(), access);
  }
  template <typename Access>
  CLI::Option* flag(CLI::App& app, const std::string& name, Access access, const std::string& help) {
    return note(app.add_flag(name, access(options), help), access);
  }
  /// One of the names that to_string gives the values of an enumeration.
  template <typename Access, typename Enum>
  CLI::Option* choice(CLI::App& app, const std::string& name, Access access, std::initializer_list<Enum> values, const std::string& help);
  template <typename Access>
  CLI::Option* note(CLI::Option* option, Access access) {
    settings_.emplace_back(option, [access](train::TrainOptions& to, const train::TrainOptions& from) {
      access(to) = access(const_cast<train::TrainOptions&>(from));
    });
    return option;
  }

  std::vector<std::pair<CLI::Option*, Copy>> settings_;
};

/// How a router is fitted; `options` must outlive the parsing.
void add_router_training_flags(CLI::App& app, train::RouterFitOptions& options);

}  // namespace hedge::cli

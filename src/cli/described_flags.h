#pragma once

#include <CLI/CLI.hpp>

namespace hedge::cli {

/// What a command needs that makes an int8 model of a file: how its images are prepared, what its outputs are called, where the model goes.
template <typename Options>
void add_described(CLI::App& app, Options& options) {
  app.add_option("--recipe", options.recipe,
                 "how images are prepared: a JSON file or the short form; needed where the model does not say it");
  app.add_option("--labels", options.labels, "file with the class names of the outputs; needed where the model does not say them");
  app.add_option("-o,--out", options.out, "file for the int8 model (.onnx)")->required();
}

}  // namespace hedge::cli

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codegen/kernels.h"
#include "graph/zoo.h"
#include "hedge/result.h"
#include "workflow/latency_table.h"

namespace hedge::workflow {

/// What a network would need on a microcontroller, in int8. Independent of its weights.
struct DeviceNeeds {
  std::int64_t arena_bytes = 0;   ///< RAM of the activations, as the planner lays them
  std::int64_t flash_bytes = 0;   ///< constants, and codegen::kCodeBytesAllowed for the code
  std::int64_t instructions = 0;  ///< estimated, an image
};

/// What one network of the zoo costs.
struct ZooFigures {
  std::string spec;
  graph::ImageShape image;
  std::int64_t classes = 0;
  std::int64_t macs = 0;        ///< an image
  std::int64_t parameters = 0;  ///< learned values: weights, biases, batch normalisation's scales and shifts
  std::optional<DeviceNeeds> device;
  std::string no_device;             ///< why there is none
  std::optional<double> latency_ms;  ///< on a machine, by a table of its parts; where one was given
};

/// Builds the network untrained and counts. Sizes on the device come from the same planner and code generator as `hedge mcu export`; the
/// ranges of int8, which they do not depend on, are made up. Networks of more than 4 MB of weights get none,
/// nor does any without a `target`. `latencies`: nullptr for none.
/// Errors: those of graph::build_zoo and LatencyTable.
Result<ZooFigures> measure_zoo(const std::string& spec, const graph::ImageShape& image, std::int64_t classes,
                               std::optional<codegen::Target> target = codegen::Target::kCortexM7, LatencyTable* latencies = nullptr);

/// What the whole network takes with OpenVINO, an image at a time, ms (the median). Errors: those of graph::build_zoo and OpenVINO.
Result<double> time_zoo(const std::string& spec, const graph::ImageShape& image, std::int64_t classes, int threads);

/// Each network of graph::zoo_catalogue() at its own image size. Errors: those of measure_zoo.
Result<std::vector<ZooFigures>> measure_catalogue();

/// docs/zoo.md: a table a family.
std::string to_markdown(const std::vector<ZooFigures>& figures);
/// A table for people.
std::string to_text(const std::vector<ZooFigures>& figures);

}  // namespace hedge::workflow

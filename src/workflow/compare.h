#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "eval/baselines.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// Predictions of another pair of models of the judged images.
struct OtherTable {
  std::string name;
  std::filesystem::path table;
};

struct CompareOptions {
  std::filesystem::path table;                 ///< predictions of a split that nothing was trained, fitted or calibrated on
  std::vector<std::filesystem::path> hybrids;  ///< folders of `fit`, one a router seed
  std::filesystem::path global;                ///< the global (.onnx): its recipe says how many bytes an image is
  std::filesystem::path exits;                 ///< the global with exit heads trained jointly: early exits on one device; empty: left out
  std::filesystem::path split;                 ///< the global with exit heads at its cuts: split computation; empty: left out
  std::filesystem::path distilled;             ///< the same split's table of a base trained with a teacher; empty: left out
  std::vector<OtherTable> also;
  std::string calibrate;                ///< images for the scales of int8; empty: the same data set's train split
  std::size_t calibrate_images = 1000;  ///< so many of them, >= 1
  int threads = 0;                      ///< 0: as many as OpenVINO likes
  eval::BaselineOptions judging;
  std::filesystem::path out;  ///< where the rows go (JSON); empty: nothing is written
};

/// The other ways to share the work, on the same images as the hybrid: cascades, early exits, split computation, a distilled base.
/// Errors: those of reading tables, routers and models; kMismatch (another pair's policy, other images, a network that was trained on the
/// judged images, or int8 scales from them); those of eval::baseline_rows; kCancelled; kIo.
Result<eval::Baselines> compare(const CompareOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

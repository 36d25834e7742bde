#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

struct ExtractOptions {
  std::filesystem::path supernet;  ///< .onnx that `train` made with SupernetOptions
  std::string network;             ///< "kernel=3,expand=4,depth=2", what is left out as in the supernet; or a whole "ofa-mbv3:…"
  std::filesystem::path out;       ///< .onnx
  std::string data;                ///< images for the running statistics; empty: those that the supernet was trained on
  std::int64_t images = 2000;      ///< of them, >= 2
  std::uint64_t seed = 1;          ///< that draws them
  int threads = 0;                 ///< 0: one per core
};

struct ExtractedNetwork {
  std::string network;  ///< its whole specification
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::string sha256;  ///< of the file
};

/// Takes one network out of a supernet, computes its running statistics anew and writes it as a plain model.
/// Errors: kInvalidArgument (no supernet, a network that is not in the space), kMismatch (larger than the supernet; images with other
/// classes), those of reading, of the data set and of train::recalibrate, kIo.
Result<ExtractedNetwork> extract_network(const ExtractOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "codegen/kernels.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "search/costs.h"
#include "workflow/search.h"

namespace hedge::workflow {

struct SupernetSearchOptions {
  std::filesystem::path supernet;  ///< .onnx that `train` made with SupernetOptions and `held_share`
  std::string data;                ///< the data set that it was trained on, without a split the train split
  std::filesystem::path out;       ///< a folder: judged/, search.json, search.html, base.onnx
  double held_share = 0.1;         ///< as in that training: the networks are judged on what was held out
  search::Limits limits;
  codegen::Target target = codegen::Target::kCortexM7;  ///< of RAM, flash and instructions
  std::filesystem::path latency_table;                  ///< of a limited latency (LatencyTable, one thread); empty: OUT/latency.json
  std::int64_t judged = 120;      ///< >= AccuracyPredictor::kFewest; networks, drawn from the whole space, that the predictor learns from
  std::int64_t proposed = 16;     ///< >= 1; networks within the limits that it holds best, which are judged as well
  std::int64_t population = 100;  ///< of the evolution that finds them
  std::int64_t generations = 30;
  double mutation = 0.1;
  std::int64_t images = 1000;  ///< for the running statistics of each judged network
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: one per core
};

/// Finds the most accurate base within the limits in a supernet, without training: some networks are judged, a predictor learns accuracy
/// from them (search/predictor.h), an evolution proposes what it holds best, those are judged, and the best one is written. What was judged
/// is kept, so that a stopped search goes on and another one with other limits in the same folder begins with it.
/// Errors: kInvalidArgument (options, no supernet), kMismatch (images that the supernet has seen, or a folder of another supernet),
/// kUnreachable, those of reading and of train::recalibrate, kCancelled, kIo.
Result<SearchReport> search_supernet(const SupernetSearchOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "graph/graph.h"
#include "hedge/result.h"

namespace hedge::workflow {

/// What the parts of networks take on one machine with OpenVINO, an image at a time: a network's latency is the sum of its parts' (Cai et
/// al. 2019, "ProxylessNAS", section 3.3). Parts are measured when they are first asked for and kept in a file. Not thread-safe.
class LatencyTable {
 public:
  /// Begins a new table where there is no file. `threads`: of OpenVINO, >= 1. Errors: kBadFormat (a damaged file); kMismatch (a table for
  /// another number of threads).
  static Result<LatencyTable> open(const std::filesystem::path& file, int threads = 1);

  /// Of `graph`, ms. Errors: those of OpenVINO; kNotFound: the table is another machine's and lacks a part (what that machine should do);
  /// kIo.
  Result<double> latency_ms(const graph::Graph& graph);
  /// Parts that it knows.
  [[nodiscard]] std::size_t size() const { return parts_.size(); }

 private:
  struct Part {
    std::string what;  ///< for people
    double ms = 0;
  };
  LatencyTable() = default;
  Result<double> part_ms(const graph::Graph& part);
  Result<double> measured_part(const graph::Graph& part);
  Result<double> neighbours_ms(const Shape& shape);
  Status save() const;

  std::filesystem::path file_;
  int threads_ = 1;
  std::string machine_;                 ///< that the table is of
  double call_ms_ = -1;                 ///< what a call alone takes; below 0: not measured
  std::map<Shape, double> neighbours_;  ///< a pair of them around a tensor; not kept
  std::map<std::string, Part> parts_;   ///< by the hash of their form
};

}  // namespace hedge::workflow

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hedge/result.h"

namespace hedge::data {

/// Which part of a data set. Train, calibration and test are disjoint; `kAll` is their union.
enum class Split : std::uint8_t { kTrain = 1, kCalibration = 2, kTest = 3, kAll = 4 };

/// "train", "calibration", "test", "all".
const char* to_string(Split split);
/// Errors: kInvalidArgument, naming the four.
Result<Split> parse_split(std::string_view name);

enum class Source : std::uint8_t { kFashionMnist = 1, kFolder = 2 };

/// Neighbouring classes, by their numbers, both included.
struct ClassRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  [[nodiscard]] bool holds(std::int64_t label) const { return label >= first && label <= last; }
};

/// A specification string, taken apart (docs/formats/datasets.md).
struct DatasetSpec {
  Source source = Source::kFashionMnist;
  std::string path;  ///< of a folder; as the user wrote it, without trailing slashes
  Split split = Split::kAll;
  std::optional<ClassRange> classes;  ///< only images of these; the classes keep their names and numbers
  std::optional<std::size_t> limit;   ///< at most so many images, >= 1

  /// Whether images of this class are wanted.
  [[nodiscard]] bool wants(std::int64_t label) const { return !classes || classes->holds(label); }
};

/// "fashion-mnist" | "folder:PATH", then optionally "?key=value&key=value" with the keys split, classes (A-B) and limit.
/// The options begin at the last '?', so a path that holds one is written with options behind it.
/// Errors: kInvalidArgument, with the grammar and an example.
Result<DatasetSpec> parse_spec(std::string_view spec);

/// The canonical form: the split is always written, classes and limit where there are any.
std::string to_string(const DatasetSpec& spec);

/// `spec` with another split and the same limit: "folder:pets?limit=9", "test" -> "folder:pets?split=test&limit=9".
/// Errors: kInvalidArgument.
Result<std::string> spec_with_split(std::string_view spec, std::string_view split);

}  // namespace hedge::data

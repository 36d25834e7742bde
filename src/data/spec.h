#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/corrupt.h"
#include "hedge/result.h"

namespace hedge::data {

/// Which part of a data set. Train, calibration and test are disjoint; `kAll` is their union.
enum class Split : std::uint8_t { kTrain = 1, kCalibration = 2, kTest = 3, kAll = 4 };

/// "train", "calibration", "test", "all".
const char* to_string(Split split);
/// Errors: kInvalidArgument, naming the four.
Result<Split> parse_split(std::string_view name);

enum class Source : std::uint8_t { kFashionMnist = 1, kFolder = 2, kCsv = 3, kIdx = 4, kCifar = 5, kFlat = 6 };

/// How classes are numbered. Nothing given: by number where all names are numbers without gaps, else in byte order.
enum class ClassOrder : std::uint8_t {
  kName = 1,    ///< in byte order of their names
  kNumber = 2,  ///< the name is the class's number; a number without a name between is a class without images
};

/// Neighbouring classes, by their numbers, both included.
struct ClassRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  [[nodiscard]] bool holds(std::int64_t label) const { return label >= first && label <= last; }
};

/// A specification string, taken apart (docs/formats/datasets.md).
struct DatasetSpec {
  Source source = Source::kFashionMnist;
  std::string path;  ///< of the folder or file; as the user wrote it, without trailing slashes
  Split split = Split::kAll;
  std::optional<ClassRange> classes;  ///< only images of these; the classes keep their names and numbers
  std::optional<std::size_t> limit;   ///< at most so many images, >= 1

  std::string group = {};                  ///< folder, csv, flat: a regular expression; its first capture of a path is the image's group
  std::string root = {};                   ///< csv: where its paths begin; empty: the file's folder
  std::string list = {};                   ///< flat: the file with the labels
  std::string labels = {};                 ///< idx: the file with the labels; cifar: "fine" or "coarse"
  std::string names = {};                  ///< csv, idx, flat: a file with the classes' names, in order
  std::optional<ClassOrder> order = {};    ///< folder, csv, flat
  std::optional<std::int64_t> first = {};  ///< csv, idx, flat: the label (0 or 1) that is the first class
  bool val_calibrates = false;             ///< folder: val/ beside test/ is the calibration split
  std::optional<Corruption> corrupt = {};  ///< what is done to each image after decoding

  /// Whether images of this class are wanted.
  [[nodiscard]] bool wants(std::int64_t label) const { return !classes || classes->holds(label); }
};

/// "fashion-mnist" | "folder:PATH" | "csv:FILE" | "idx:PATH" | "cifar:FOLDER" | "flat:FOLDER", then optionally
/// "?key=value&key=value". The options begin at the last '?' behind which a known key stands, else at the last '?'; so a path that holds
/// one is written with options behind it. In the values of text options "%26" is '&', "%3F" '?' and "%25" '%'.
/// Errors: kInvalidArgument, with the grammar and an example.
Result<DatasetSpec> parse_spec(std::string_view spec);

/// The canonical form: the split is always written, everything else where there is any.
std::string to_string(const DatasetSpec& spec);

/// `spec` with another split and the same limit: "folder:pets?limit=9", "test" -> "folder:pets?split=test&limit=9".
/// Errors: kInvalidArgument.
Result<std::string> spec_with_split(std::string_view spec, std::string_view split);

}  // namespace hedge::data

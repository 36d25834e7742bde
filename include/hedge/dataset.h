#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hedge/api.h"
#include "hedge/image.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::data {

/// A labelled, finite, randomly accessible set of images. Const methods are thread-safe.
class HEDGE_API Dataset {
 public:
  virtual ~Dataset() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual const std::vector<std::string>& class_names() const = 0;
  [[nodiscard]] virtual std::int64_t label(std::size_t index) const = 0;
  /// A stable name: the path within the folder, or "t10k/00042".
  [[nodiscard]] virtual std::string id(std::size_t index) const = 0;
  /// Decodes. Errors: kBadFormat, kIo, `where` = the id.
  [[nodiscard]] virtual Result<Image> image(std::size_t index) const = 0;
  /// SHA-256 over each image's stored bytes and label, in order; made once at opening.
  [[nodiscard]] virtual const std::string& content_hash() const = 0;
  /// "fashion-mnist?split=train", canonical: opening it gives the same images in the same order.
  [[nodiscard]] virtual const std::string& spec() const = 0;
  /// The name of the image's group: images of one group (a track, a patient, a camera) depend on each other, so they lie in one split and
  /// are drawn together. Empty: the image depends on no other.
  [[nodiscard]] virtual std::string group(std::size_t /*index*/) const { return {}; }
  /// The first 8 bytes of the SHA-256 of the image's stored bytes: equal for exact copies. Nothing: not known.
  [[nodiscard]] virtual std::optional<std::uint64_t> stored_hash(std::size_t /*index*/) const { return std::nullopt; }
};

/// How a specification string is opened.
struct OpenOptions {
  bool strict = false;  ///< a file that is no image is an error; otherwise it is skipped, counted and listed
  LogSink log = {};     ///< told of skipped files and empty classes
  std::string fashion_mnist_dir = "/usr/share/datasets/fashion-mnist";  ///< where Debian's dataset-fashion-mnist puts it
};

/// A file left out of a data set, and why.
struct Skipped {
  std::string path;
  std::string reason;     ///< the same words for every file of its kind, so that files can be counted by it
  std::string hint = {};  ///< the way out; may be empty
};

struct Opened {
  std::unique_ptr<Dataset> dataset;
  std::vector<Skipped> skipped;
};

/// Opens "fashion-mnist", "folder:PATH", "csv:FILE", "idx:PATH", "cifar:FOLDER" or "flat:FOLDER", with
/// "?split=train|calibration|test|all&classes=A-B&limit=N&corrupt=KIND:STRENGTH" and the source's own options
/// (docs/formats/datasets.md). No split means the whole of it ("all"). `limit` keeps a class-balanced, deterministic first part. `corrupt`
/// brightens, blurs, compresses or adds noise to each image after decoding, to see what other images than the calibration's would do.
/// Errors: kInvalidArgument (the grammar, with an example), kNotFound, kBadFormat, kBadData (no image, a single class; what could be read
/// in two ways, with the option that says which).
HEDGE_API Result<Opened> open_dataset(const std::string& spec, const OpenOptions& options = {});

}  // namespace hedge::data

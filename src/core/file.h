#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"

namespace hedge {

/// The whole of a regular file. Errors: kNotFound; kIo, also for a folder, a pipe or a device; kBadFormat where it is larger
/// than `most_bytes`, which is seen before any of it is read.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t most_bytes = std::size_t{1} << 34);

/// One open file to write; tests replace it to make the disk fail.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  [[nodiscard]] virtual Status write(std::string_view bytes) = 0;
  /// Flushes to the disk and closes.
  [[nodiscard]] virtual Status finish() = 0;
};
using OpenWriter = std::function<Result<std::unique_ptr<FileWriter>>(const std::filesystem::path&)>;

/// Opens a plain file for writing, truncating it.
Result<std::unique_ptr<FileWriter>> open_file_writer(const std::filesystem::path& path);

/// Writes `path` as a whole or not at all: a temporary file beside it, flushed, then renamed over it. On an error the old
/// file stands as it was and the temporary one is removed. Missing parent folders are made.
/// Errors: kIo (with the system's reason).
Status write_file_atomic(const std::filesystem::path& path, std::string_view bytes, const OpenWriter& open = open_file_writer);

/// The same for content that is produced piece by piece.
Status write_file_atomic(const std::filesystem::path& path, const std::function<Status(FileWriter&)>& produce,
                         const OpenWriter& open = open_file_writer);

}  // namespace hedge

#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/file.h"

namespace hedge::testing {

/// A folder of a test's own, removed with everything in it at the end.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("hedge_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

/// A disk that is full after `room` bytes, or that fails at the flush.
class FailingWriter final : public FileWriter {
 public:
  FailingWriter(std::unique_ptr<FileWriter> inner, std::size_t room, bool fail_finish)
      : inner_(std::move(inner)), room_(room), fail_finish_(fail_finish) {}

  Status write(std::string_view bytes) override {
    const auto fit = bytes.substr(0, room_);
    room_ -= fit.size();
    auto status = inner_->write(fit);
    if (!status) return status;
    if (fit.size() < bytes.size()) return Error{.code = ErrorCode::kIo, .what = "no space left (injected)"};
    return {};
  }
  Status finish() override {
    if (fail_finish_) return Error{.code = ErrorCode::kIo, .what = "cannot flush (injected)"};
    return inner_->finish();
  }

 private:
  std::unique_ptr<FileWriter> inner_;
  std::size_t room_;
  bool fail_finish_;
};

/// Opens real files whose disk is full after `room` bytes.
inline OpenWriter full_after(std::size_t room) {
  return [room](const std::filesystem::path& path) -> Result<std::unique_ptr<FileWriter>> {
    auto inner = open_file_writer(path);
    if (!inner) return std::move(inner).error();
    return std::unique_ptr<FileWriter>(std::make_unique<FailingWriter>(std::move(inner).value(), room, false));
  };
}

/// Opens real files that take everything and fail when flushed.
inline OpenWriter failing_flush() {
  return [](const std::filesystem::path& path) -> Result<std::unique_ptr<FileWriter>> {
    auto inner = open_file_writer(path);
    if (!inner) return std::move(inner).error();
    return std::unique_ptr<FileWriter>(std::make_unique<FailingWriter>(std::move(inner).value(), SIZE_MAX, true));
  };
}

}  // namespace hedge::testing

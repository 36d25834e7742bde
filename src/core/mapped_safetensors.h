#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge {

/// A file's bytes in the address space, read-only: the system pages them in and drops them again, so that a file larger than the memory can
/// be read. Move-only; views into it must not outlive it. A file that another process cuts short while it is mapped ends this process
/// (SIGBUS), as with every mapping: map what is written as a whole and renamed (write_file_atomic).
class MappedFile {
 public:
  /// Errors: kNotFound; kIo, also for what is no regular file.
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(bytes_), size_}; }
  /// The pages that lie wholly in [offset, offset + length) are not needed again soon: the system may drop them.
  void done_with(std::size_t offset, std::size_t length) const;

 private:
  MappedFile(void* bytes, std::size_t size) : bytes_(bytes), size_(size) {}
  void* bytes_ = nullptr;
  std::size_t size_ = 0;
};

/// The safetensors format of core/safetensors.h, its tensors as views into a mapping. Nothing but the header is read when it is opened, and
/// that is checked as decode_safetensors checks it.
class MappedTensors {
 public:
  /// Errors: those of MappedFile::open and decode_safetensors.
  static Result<MappedTensors> open(const std::filesystem::path& path);

  /// Errors: kNotFound, kMismatch, as TensorFile::get; kUnsupported where the bytes are not aligned to the element.
  [[nodiscard]] Result<TensorView> get(const std::string& name, DType dtype, const Shape& spec) const;
  /// A tensor of one's own, however it is aligned. Errors: kNotFound, kMismatch.
  [[nodiscard]] Result<Tensor> copy(const std::string& name, DType dtype, const Shape& spec) const;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Lets go of the pages of `part`, a view that get gave or a part of one.
  void done_with(const TensorView& part) const;

 private:
  explicit MappedTensors(MappedFile file) : file_(std::move(file)) {}
  [[nodiscard]] Result<TensorView> find(const std::string& name, DType dtype, const Shape& spec) const;
  MappedFile file_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace hedge

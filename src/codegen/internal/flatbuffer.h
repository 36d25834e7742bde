#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace hedge::codegen::internal {

/// A FlatBuffers file, read field by field without generated code. Every offset is checked against the bytes there are: what lies outside
/// reads as absent or 0 and marks the file as broken, which who reads must ask for at the end.
/// Source: the FlatBuffers binary format (flatbuffers.dev, "Internals"). Little-endian.
class FlatBytes {
 public:
  explicit FlatBytes(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  void mark_broken() { broken_ = true; }

  /// The number at `at`, or 0.
  template <typename T>
  T read(std::size_t at) {
    T value{};
    if (!holds(at, sizeof(T))) return value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  /// Whether `count` bytes from `at` are there; if not, the file is broken.
  bool holds(std::size_t at, std::size_t count) {
    if (at <= bytes_.size() && count <= bytes_.size() - at) return true;
    broken_ = true;
    return false;
  }
  std::string_view view(std::size_t at, std::size_t count) { return holds(at, count) ? bytes_.substr(at, count) : std::string_view(); }

 private:
  std::string_view bytes_;
  bool broken_ = false;
};

/// A vector in the file: `size` elements of `width` bytes, all of them inside the file.
class FlatVector {
 public:
  FlatVector() = default;
  FlatVector(FlatBytes* bytes, std::size_t at, std::size_t width) : bytes_(bytes), first_(at + 4) {
    const std::size_t count = bytes->read<std::uint32_t>(at);
    if (count <= bytes->size() / width && bytes->holds(first_, count * width)) {
      size_ = count;
    } else {
      bytes->mark_broken();
    }
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  template <typename T>
  [[nodiscard]] T at(std::size_t i) const {
    return i < size_ ? bytes_->read<T>(first_ + i * sizeof(T)) : T{};
  }
  /// The elements as raw bytes. Precondition: a vector of bytes.
  [[nodiscard]] std::string_view raw() const { return size_ == 0 ? std::string_view() : bytes_->view(first_, size_); }
  /// Where element i, an offset, points.
  [[nodiscard]] std::size_t target(std::size_t i) const { return first_ + i * 4 + at<std::uint32_t>(i); }

 private:
  FlatBytes* bytes_ = nullptr;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

/// A table in the file; one that is absent has no fields.
class FlatTable {
 public:
  FlatTable() = default;
  FlatTable(FlatBytes* bytes, std::size_t at) : bytes_(bytes), at_(at) {
    const auto back = static_cast<std::int64_t>(bytes->read<std::int32_t>(at));
    const std::int64_t vtable = static_cast<std::int64_t>(at) - back;
    if (vtable < 0) bytes->mark_broken();
    if (vtable < 0 || !bytes->holds(static_cast<std::size_t>(vtable), 4)) return;
    vtable_ = static_cast<std::size_t>(vtable);
    vtable_size_ = bytes->read<std::uint16_t>(vtable_);
    if (vtable_size_ < 4 || !bytes->holds(vtable_, vtable_size_)) {
      bytes->mark_broken();
      vtable_size_ = 0;
    }
  }
  /// The root table of a file.
  static FlatTable root(FlatBytes* bytes) { return {bytes, bytes->read<std::uint32_t>(0)}; }

  template <typename T>
  [[nodiscard]] T number(std::size_t field, T otherwise = {}) const {
    const std::size_t at = place(field);
    return at == 0 ? otherwise : bytes_->read<T>(at);
  }
  [[nodiscard]] FlatTable table(std::size_t field) const {
    const std::size_t at = place(field);
    return at == 0 ? FlatTable() : FlatTable(bytes_, at + bytes_->read<std::uint32_t>(at));
  }
  /// `width`: bytes an element (4 for tables and texts, which are offsets).
  [[nodiscard]] FlatVector vector(std::size_t field, std::size_t width) const {
    const std::size_t at = place(field);
    return at == 0 ? FlatVector() : FlatVector(bytes_, at + bytes_->read<std::uint32_t>(at), width);
  }
  /// Table `i` of a vector of tables.
  [[nodiscard]] FlatTable element(const FlatVector& tables, std::size_t i) const { return {bytes_, tables.target(i)}; }

 private:
  /// Where `field` lies, or 0 where it is left out.
  [[nodiscard]] std::size_t place(std::size_t field) const {
    const std::size_t slot = 4 + 2 * field;
    if (bytes_ == nullptr || slot + 2 > vtable_size_) return 0;
    const std::size_t offset = bytes_->read<std::uint16_t>(vtable_ + slot);
    return offset == 0 ? 0 : at_ + offset;
  }

  FlatBytes* bytes_ = nullptr;
  std::size_t at_ = 0;
  std::size_t vtable_ = 0;
  std::size_t vtable_size_ = 0;
};

}  // namespace hedge::codegen::internal

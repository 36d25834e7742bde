#include "core/mapped_safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "core/safetensors.h"

namespace hedge {
namespace {

Error io_error(const std::filesystem::path& path, const char* what) {
  return {.code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
          .what = std::string(what) + ": " + std::strerror(errno),
          .where = path.string()};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  struct Closer {
    int fd;
    ~Closer() {
      if (fd >= 0) ::close(fd);
    }
  } file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};  // a pipe would wait for its writer
  if (file.fd < 0) return io_error(path, "cannot open");
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return io_error(path, "cannot stat");
  if (!S_ISREG(info.st_mode)) return Error{.code = ErrorCode::kIo, .what = "is no regular file", .where = path.string()};
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return MappedFile(nullptr, 0);  // the system maps nothing of no length
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (bytes == MAP_FAILED) return io_error(path, "cannot map");
  return MappedFile(bytes, size);
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (bytes_ != nullptr) ::munmap(bytes_, size_);
}

void MappedFile::done_with(std::size_t offset, std::size_t length) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (offset > size_ || length > size_ - offset) return;
  const std::size_t from = (offset + page - 1) / page * page;
  const std::size_t to = (offset + length) / page * page;
  if (to > from) ::madvise(static_cast<char*>(bytes_) + from, to - from, MADV_DONTNEED);  // advice: what fails changes nothing
}

Result<MappedTensors> MappedTensors::open(const std::filesystem::path& path) {
  HEDGE_TRY(MappedFile file, MappedFile::open(path));
  MappedTensors mapped(std::move(file));
  HEDGE_TRY(SafetensorsIndex index, read_safetensors_index(mapped.file_.bytes(), path.string()));
  const auto* payload = reinterpret_cast<const std::byte*>(mapped.file_.bytes().data()) + index.payload;
  for (SafetensorsEntry& entry : index.entries) {
    const std::byte* bytes = payload + entry.begin;
    mapped.tensors_.emplace(std::move(entry.name), TensorView{.dtype = entry.dtype, .shape = std::move(entry.shape), .bytes = bytes});
  }
  mapped.metadata_ = std::move(index.metadata);
  return mapped;
}

Result<TensorView> MappedTensors::find(const std::string& name, DType dtype, const Shape& spec) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    std::string names;
    for (const auto& [other, unused] : tensors_) names += (names.empty() ? "" : ", ") + other;
    return Error{.code = ErrorCode::kNotFound, .what = "the file has no such tensor", .where = name, .expected = "one of: " + names};
  }
  const TensorView& tensor = found->second;
  if (tensor.dtype != dtype || !fits(tensor.shape, spec))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the tensor has another type or shape",
                 .where = name,
                 .got = std::string(to_string(tensor.dtype)) + to_string(tensor.shape),
                 .expected = std::string(to_string(dtype)) + to_string(spec)};
  return tensor;
}

Result<TensorView> MappedTensors::get(const std::string& name, DType dtype, const Shape& spec) const {
  HEDGE_TRY(TensorView tensor, find(name, dtype, spec));
  if (reinterpret_cast<std::uintptr_t>(tensor.bytes) % size_of(dtype) == 0) return tensor;
  return Error{.code = ErrorCode::kUnsupported,
               .what = "a tensor's bytes are not aligned to its elements, so it cannot be used where it lies",
               .where = name,
               .hint = "copy it"};
}

Result<Tensor> MappedTensors::copy(const std::string& name, DType dtype, const Shape& spec) const {
  HEDGE_TRY(const TensorView tensor, find(name, dtype, spec));
  return Tensor(tensor);
}

void MappedTensors::done_with(const TensorView& part) const {
  const auto* start = reinterpret_cast<const std::byte*>(file_.bytes().data());
  file_.done_with(static_cast<std::size_t>(part.bytes - start), part.num_bytes());
}

}  // namespace hedge

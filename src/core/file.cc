#include "core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace hedge {
namespace {

Error io_error(const std::filesystem::path& path, const char* what) {
  return {.code = ErrorCode::kIo, .what = std::string(what) + ": " + std::strerror(errno), .where = path.string()};
}

Error too_large(const std::filesystem::path& path, std::size_t most_bytes) {
  return {.code = ErrorCode::kBadFormat,
          .what = "the file is too large",
          .where = path.string(),
          .expected = "at most " + std::to_string(most_bytes) + " bytes"};
}

class PosixWriter final : public FileWriter {
 public:
  PosixWriter(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
  PosixWriter(const PosixWriter&) = delete;
  PosixWriter& operator=(const PosixWriter&) = delete;
  ~PosixWriter() override {
    if (fd_ >= 0) ::close(fd_);
  }

  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return io_error(path_, "cannot write");
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  Status finish() override {
    if (::fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) return io_error(path_, "cannot flush");
    const int fd = std::exchange(fd_, -1);
    if (::close(fd) != 0) return io_error(path_, "cannot close");
    return {};
  }

 private:
  int fd_;
  std::filesystem::path path_;
};

Status write_then_rename(const std::filesystem::path& path, const std::filesystem::path& temporary,
                         const std::function<Status(FileWriter&)>& produce, const OpenWriter& open) {
  HEDGE_TRY(auto writer, open(temporary));
  HEDGE_CHECK(produce(*writer));
  HEDGE_CHECK(writer->finish());
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return io_error(path, "cannot rename the finished file");
  return {};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t most_bytes) {
  struct Closer {
    int fd;
    ~Closer() {
      if (fd >= 0) ::close(fd);
    }
  } file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};  // a pipe would wait for its writer
  if (file.fd < 0) {
    Error error = io_error(path, "cannot open");
    if (errno == ENOENT) error.code = ErrorCode::kNotFound;
    return error;
  }
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return io_error(path, "cannot stat");
  if (!S_ISREG(info.st_mode))
    return Error{.code = ErrorCode::kIo,
                 .what = S_ISDIR(info.st_mode) ? "is a folder, not a file" : "is a pipe or a device, not a regular file",
                 .where = path.string()};
  if (static_cast<std::uint64_t>(info.st_size) > most_bytes) return too_large(path, most_bytes);
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(info.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t n = ::read(file.fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error(path, "cannot read");
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(n));
    if (bytes.size() > most_bytes) return too_large(path, most_bytes);  // it grew, or its size is not known before
  }
}

Result<std::unique_ptr<FileWriter>> open_file_writer(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return io_error(path, "cannot open for writing");
  return std::unique_ptr<FileWriter>(std::make_unique<PosixWriter>(fd, path));
}

Status write_file_atomic(const std::filesystem::path& path, const std::function<Status(FileWriter&)>& produce, const OpenWriter& open) {
  std::error_code code;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), code);
  if (code) return Error{.code = ErrorCode::kIo, .what = "cannot make the folder: " + code.message(), .where = path.parent_path()};
  auto temporary = path;
  temporary += ".tmp." + std::to_string(::getpid());
  auto status = write_then_rename(path, temporary, produce, open);
  if (!status) std::filesystem::remove(temporary, code);
  return status;
}

Status write_file_atomic(const std::filesystem::path& path, std::string_view bytes, const OpenWriter& open) {
  return write_file_atomic(
      path, [bytes](FileWriter& writer) { return writer.write(bytes); }, open);
}

}  // namespace hedge

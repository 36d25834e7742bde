#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hedge/answer.h"
#include "hedge/api.h"
#include "hedge/image.h"
#include "hedge/log.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge {

using edge::Answer;

/// How a device reaches the global in the cloud.
struct CloudConnection {
  /// HOST:PORT of a server that speaks the Open Inference Protocol over gRPC: hedge-cloud, Triton, another.
  std::string address = {};
  /// Longest wait for one answer of the cloud, 1 ms or more; then the base's answer stands (source edge-fallback). Longer: fewer
  /// fallbacks, a slower worst case.
  int deadline_ms = 200;
  /// Encrypts the connection; implied by any of the next four. Costs a handshake a connection and some CPU time a query.
  bool tls = false;
  oip::TlsFiles tls_files = {};  ///< authorities to trust (none: the system's); this device's certificate and key, where the server asks
  std::string tls_server_name = {};  ///< the name to look for in the server's certificate, where it is not the address's host
  /// After so many failed queries in a row, 1 or more, the device stops waiting for the cloud. Fewer: a dead cloud costs less time. More:
  /// single failures do not cut the cloud off.
  int failures_to_open = 5;
  /// Then one query is tried this often, 1 ms or more. Shorter: a cloud that is back is found sooner. Longer: a late cloud costs fewer
  /// waits.
  int probe_interval_ms = 500;
  /// Queries also a server whose model is not the one that the bundle was judged with, or cannot be shown to be. What the report says of
  /// accuracy does not hold then.
  bool accept_other_global = false;
};

/// What a Runtime is opened with.
struct RuntimeOptions {
  std::filesystem::path bundle = {};          ///< the folder that `hedge bundle` wrote
  std::optional<CloudConnection> cloud = {};  ///< none: never queries; the base answers everything
  int threads = 0;                            ///< CPU threads for the base's network, 0..1024; 0: OpenVINO's choice
  /// Set it where several threads call answer() at once: more answers a second in all, a longer wait for each.
  bool throughput = false;
  /// Told where the cloud cannot be reached at the start, or serves another model than the bundle's; may be empty. The runtime keeps it,
  /// and may call it from any thread.
  LogSink log = {};

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] HEDGE_API Status validate() const;
};

/// What a Runtime's answers add up to since it was opened. Counts of calls of answer().
struct RuntimeStatistics {
  std::uint64_t answered = 0;  ///< calls that gave an answer, whoever gave it
  std::uint64_t errors = 0;    ///< calls that gave an error
  std::uint64_t edge = 0;      ///< answered by the base, as the router saw no gain or no cloud is configured
  std::uint64_t cloud = 0;     ///< answered by the global
  std::uint64_t fallback = 0;  ///< answered by the base because a query failed
  double coverage = 0;         ///< share of the answered with score <= threshold; 0 before the first answer
  double mean_ms = 0;          ///< of an answer's total time
  double p50_ms = 0;           ///< of the latest 4096 answers, by the nearest rank
  double p99_ms = 0;           ///< the same
  /// Why queries fail, where that does not pass by itself: the server's model is another one than was judged, takes other images or lacks a
  /// class, TLS refuses it; or no query has succeeded although some were wanted. Empty: nothing of this happened since the opening.
  std::string alarm = {};
};

/// A bundle, opened: answers images by the base on this device, and by the global where the router says that this helps. Its answers
/// are those of hedge-edge. Thread-safe; a moved-from Runtime may only be assigned to or destroyed.
class HEDGE_API Runtime {
 public:
  /// Reads and checks the bundle, compiles its networks, and says hello to the cloud: waits for that at most 2 s or the deadline, where
  /// that is longer, and as long for each of the (at most 16) images by which a server that does not say which model it serves is known. A
  /// cloud that is not there is no error: it may come later, and until then the base's answers stand.
  /// Errors: those of RuntimeOptions::validate; kNotFound, kBadFormat, kMismatch, kUnsupported (the bundle, naming the part; a TLS
  /// file); kInvalidArgument (the address; a certificate without its key); kMismatch, kNotFound, kBadFormat (the server's model is not the
  /// one that was judged, or another name, certificate or shape: what does not pass by itself).
  static Result<Runtime> open(const RuntimeOptions& options);

  Runtime(Runtime&& other) noexcept;
  Runtime& operator=(Runtime&& other) noexcept;
  ~Runtime();

  /// Answers an image file (JPEG, PNG, WebP, BMP, TIFF, GIF). Errors: kNotFound, kIo, kBadFormat, kUnsupported (the file); those of the last overload.
  [[nodiscard]] Result<Answer> answer(const std::filesystem::path& file) const;
  /// Answers the bytes of an image file. Errors: kBadFormat, kUnsupported; those of the next overload.
  [[nodiscard]] Result<Answer> answer(std::span<const std::byte> encoded) const;
  /// Answers pixels: u8 [height, width, 1 or 3], of any size; the bundle's recipe fits them to the networks.
  /// Errors: kInvalidArgument (no image of its stated size); kBadData (a base or router that gives no finite numbers); kInternal.
  /// A failure of the cloud is none: the base's answer stands, with the reason.
  [[nodiscard]] Result<Answer> answer(const data::Image& image) const;

  /// Class names in the order of Answer::label_index; they live as long as the runtime.
  [[nodiscard]] const std::vector<std::string>& labels() const;
  [[nodiscard]] RuntimeStatistics statistics() const;

 private:
  struct Parts;
  explicit Runtime(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// The library's version, "0.2.0".
HEDGE_API const char* version();

}  // namespace hedge

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hedge/api.h"
#include "hedge/executor.h"
#include "hedge/result.h"

namespace hedge::oip {

/// Certificates in PEM, by content. Server: certificate and key needed, `ca` asks clients for one (mutual TLS).
/// Client: `ca` (empty: the system's), and certificate and key where the server asks for them.
struct Tls {
  std::string ca = {};
  std::string certificate = {};
  std::string key = {};
};

/// The same by file name; an empty name is a part that is left out.
struct TlsFiles {
  std::filesystem::path ca = {};
  std::filesystem::path certificate = {};
  std::filesystem::path key = {};
};
/// Reads the files, each of at most 1 MiB. Errors: kNotFound, kIo, kBadFormat (too large), naming the file.
HEDGE_API Result<Tls> read_tls(const TlsFiles& files);

struct RemoteOptions {
  std::string address = {};                    ///< HOST:PORT
  std::string model = {};                      ///< the served model's name
  std::string version = {};                    ///< "" = the server's default
  std::optional<Tls> tls = {};                 ///< none: plain text
  std::string tls_server_name = {};            ///< the name to check the certificate against; "" = the address's host
  std::size_t most_message_bytes = 64u << 20;  ///< larger answers are errors
};

/// What a server says of its model besides the tensors; empty where it says nothing, as servers of other makers do.
struct RemoteCard {
  std::vector<std::string> labels;  ///< class names, by output; a name "" is no class
  std::string sha256;               ///< the weights' identity (model/identity.h)
  std::string recipe = {};          ///< how the server prepares images for it: a data::Preprocess as JSON
};

/// A call under way. Dropping it does not cancel it.
class HEDGE_API RemoteCall {
 public:
  virtual ~RemoteCall() = default;
  /// Asks for an early end: `done` comes soon, with kCancelled unless the answer was faster. Harmless afterwards.
  virtual void cancel() = 0;
};

/// A model behind the Open Inference Protocol (KServe v2) over gRPC. Thread-safe. Transport, so an interface: tests fake it.
/// Destroying it cancels the calls under way and waits for their `done`; so not from within a `done`, nor with a lock that one needs.
class HEDGE_API RemoteModel {
 public:
  using Done = std::function<void(Result<std::vector<Tensor>>)>;
  virtual ~RemoteModel() = default;

  /// The model's inputs and outputs, asked once (and again after renew()).
  /// Errors: kUnavailable, kNotFound, kDeadline, kUnsupported (a datatype); kMismatch where TLS shows another server than is expected.
  [[nodiscard]] virtual Result<std::vector<TensorSpec>> inputs(std::chrono::milliseconds deadline) = 0;
  [[nodiscard]] virtual Result<std::vector<TensorSpec>> outputs(std::chrono::milliseconds deadline) = 0;
  /// Class names and identity, from the same answer. Errors: as inputs; kBadFormat (names that are none).
  [[nodiscard]] virtual Result<RemoteCard> card(std::chrono::milliseconds deadline) = 0;
  /// The number of the session. It changes when the connection is lost, and when an answer comes from another model than card() told of:
  /// then what was learned of the server may hold no longer. An answer is of the model that was asked for its card if the number was the
  /// same before the card was asked for and after the answer came.
  [[nodiscard]] virtual std::uint64_t session() const { return 0; }
  /// Forgets what inputs(), outputs() and card() said: the next of them asks the server again. Gives the session's number.
  virtual std::uint64_t renew() { return session(); }
  /// Starts a query; the inputs are copied before it returns. `done` is called exactly once, on another thread (where it must
  /// not linger nor call infer(): other answers wait behind it), with the tensors in the order of `output_names` (empty: the server's).
  /// Errors: kDeadline, kUnavailable, kCancelled, kNotFound, kMismatch, kBadFormat (an answer that breaks the protocol).
  virtual std::unique_ptr<RemoteCall> infer_async(std::span<const NamedView> inputs, const std::vector<std::string>& output_names,
                                                  std::chrono::milliseconds deadline, Done done) = 0;
  /// The same, waiting for the answer.
  [[nodiscard]] Result<std::vector<Tensor>> infer(std::span<const NamedView> inputs, const std::vector<std::string>& output_names,
                                                  std::chrono::milliseconds deadline);
};

/// Connects lazily: a server that is not there yet is an error of the first call, not of this one. A lost connection is tried again
/// after 100 ms, then less and less often, at least every 2 s; until it stands, calls fail at once with kUnavailable.
/// Errors: kInvalidArgument (the address, the model's name, a certificate without key); kBadFormat and kMismatch (certificates).
HEDGE_API Result<std::unique_ptr<RemoteModel>> connect(const RemoteOptions& options);

}  // namespace hedge::oip

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hedge/api.h"
#include "hedge/executor.h"
#include "hedge/log.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::oip {

struct ServerOptions {
  std::string address = "127.0.0.1:8001";      ///< HOST:PORT; port 0 picks a free one
  std::size_t most_message_bytes = 64u << 20;  ///< larger requests are refused
  int threads = 2;                             ///< requests computed at once, >= 1
  std::size_t most_waiting = 256;              ///< requests waiting for a thread, >= 1; more are refused (UNAVAILABLE)
  std::optional<Tls> tls = {};                 ///< none: plain text
  LogSink log = {};
};

/// A model to serve.
struct ServedModel {
  std::string name = {};
  std::string version = "1";
  std::unique_ptr<Executor> executor = {};
  std::vector<std::string> labels = {};  ///< class names, by output: for the metadata and the `classification` parameter; may be empty
  std::string sha256 = {};               ///< the weights' identity, for the metadata and every answer; may be empty
  std::string recipe = {};               ///< how images are prepared for it (data::Preprocess as JSON), for the metadata; may be empty
};

/// An Open Inference Protocol server over gRPC. Runs from start() until stop() or its destruction.
class HEDGE_API Server {
 public:
  virtual ~Server() = default;
  [[nodiscard]] virtual int port() const = 0;
  /// Lets calls under way finish for at most `grace_ms`, then cancels them.
  virtual void stop(int grace_ms) = 0;
  /// Blocks until stop().
  virtual void wait() = 0;
};

/// Errors: kInvalidArgument (address, threads, models without a name, twice the same or without executor, certificate without key);
/// kIo where the port is taken (named) or cannot be used; kBadFormat for bad certificates; kMismatch for a key that is another's.
HEDGE_API Result<std::unique_ptr<Server>> start_server(std::vector<ServedModel> models, const ServerOptions& options);

}  // namespace hedge::oip

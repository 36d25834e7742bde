#include "hedge/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

#include "oip/internal/address.h"
#include "oip/internal/grpc_status.h"
#include "oip/internal/model_service.h"
#include "oip/internal/tls.h"

namespace hedge::oip {
namespace {

constexpr int kDestructionGraceMs = 1000;

Error invalid(std::string what, std::string where = "", std::string got = "", std::string expected = "") {
  return {.code = ErrorCode::kInvalidArgument,
          .what = std::move(what),
          .where = std::move(where),
          .got = std::move(got),
          .expected = std::move(expected)};
}

Status check(const std::vector<ServedModel>& models, const ServerOptions& options) {
  if (models.empty()) return invalid("no model to serve");
  std::set<std::string> names;
  for (const auto& model : models) {
    if (model.name.empty()) return invalid("a model without a name");
    if (model.version.empty()) return invalid("a model without a version", model.name);
    if (!model.executor) return invalid("a model without an executor", model.name);
    if (!names.insert(model.name).second) return invalid("two models of the same name", model.name);
  }
  if (options.threads < 1) return invalid("threads is out of range", "", std::to_string(options.threads), ">= 1");
  if (options.most_waiting < 1) return invalid("most_waiting is out of range", "", "0", ">= 1");
  if (options.most_message_bytes < 1) return invalid("most_message_bytes is out of range", "", "0", ">= 1");
  return options.tls ? check_tls(*options.tls, true) : Status();
}

std::shared_ptr<grpc::ServerCredentials> credentials(const std::optional<Tls>& tls) {
  if (!tls) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions ssl(tls->ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                                        : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  ssl.pem_root_certs = tls->ca;
  ssl.pem_key_cert_pairs.push_back({tls->key, tls->certificate});
  return grpc::SslServerCredentials(ssl);
}

/// Members are destroyed in reverse: first the gRPC server, whose calls need the service.
class GrpcServer final : public Server {
 public:
  GrpcServer(std::vector<ServedModel> models, const ServerOptions& options) : log_(options.log), service_(std::move(models), options) {}
  ~GrpcServer() override { GrpcServer::stop(kDestructionGraceMs); }

  Status start(const ServerOptions& options, const Address& address) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    // Otherwise a second server on the port would start, and share its calls by chance.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Clients that keep an idle connection alive with pings every ten seconds are welcome.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    constexpr auto kMostInt = static_cast<std::size_t>(std::numeric_limits<int>::max());
    builder.SetMaxReceiveMessageSize(static_cast<int>(std::min(options.most_message_bytes, kMostInt)));
    builder.AddListeningPort(options.address, credentials(options.tls), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0) return cannot_listen(options.address, address);
    if (auto* health = server_->GetHealthCheckService())
      for (const auto& name : service_.model_names()) health->SetServingStatus(name, true);
    log(log_, LogLevel::kInfo, "listening on " + options.address + ", port " + std::to_string(port_));
    return {};
  }

  [[nodiscard]] int port() const override { return port_; }

  void stop(int grace_ms) override {
    {
      std::unique_lock lock(mutex_);
      if (state_ != State::kRunning) {
        stopped_.wait(lock, [this] { return state_ == State::kStopped; });
        return;
      }
      state_ = State::kStopping;
    }
    service_.drain();
    if (server_) {
      if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(false);
      server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(std::max(grace_ms, 0)));
    }
    {
      // Notified under the lock: a waiter may destroy this object as soon as it has it.
      const std::lock_guard lock(mutex_);
      state_ = State::kStopped;
      stopped_.notify_all();
    }
  }

  void wait() override {
    std::unique_lock lock(mutex_);
    stopped_.wait(lock, [this] { return state_ == State::kStopped; });
  }

 private:
  enum class State { kRunning, kStopping, kStopped };

  static Error cannot_listen(const std::string& text, const Address& address) {
    const std::string problem = listen_problem(address);
    return {.code = ErrorCode::kIo,
            .what = "cannot listen on port " + std::to_string(address.port) + ": " + (problem.empty() ? "gRPC refused" : problem),
            .where = text,
            .hint = "choose another port, or stop what uses it"};
  }

  LogSink log_;
  ModelService service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable stopped_;
  State state_ = State::kRunning;
};

}  // namespace

Result<std::unique_ptr<Server>> start_server(std::vector<ServedModel> models, const ServerOptions& options) {
  HEDGE_TRY(const auto address, parse_address(options.address, 0));
  HEDGE_CHECK(check(models, options));
  silence_grpc();
  auto server = std::make_unique<GrpcServer>(std::move(models), options);
  HEDGE_CHECK(server->start(options, address));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace hedge::oip

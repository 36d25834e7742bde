#include <grpcpp/grpcpp.h>
#include <open_inference_grpc.grpc.pb.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "hedge/remote.h"
#include "oip/internal/address.h"
#include "oip/internal/codec.h"
#include "oip/internal/grpc_status.h"
#include "oip/internal/tls.h"

namespace hedge::oip {
namespace {

using Stub = inference::GRPCInferenceService::Stub;

constexpr int kLeastReconnectMs = 100;
constexpr int kMostReconnectMs = 2000;
// Not below 300 s: servers with gRPC's defaults answer more frequent pings by closing the connection.
constexpr int kKeepaliveMs = 300'000;
// With a keepalive this also bounds how long a silent network may swallow bytes before the connection counts as lost.
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr std::chrono::seconds kWatchFor{5};  // then the connection's state is looked at anyway

/// All that one call needs until it is done; shared by the Calls and the RemoteCall, either of which may end first.
struct CallState {
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<inference::ModelInferResponse>> reader;
  std::vector<std::string> output_names;
  std::string where;
  RemoteModel::Done done;
  std::atomic<bool> cancelled = false;

  void cancel() {
    cancelled = true;
    context.TryCancel();
  }
  void finish() {
    if (!status.ok()) return done(from_grpc(status, where, cancelled));
    done(read_outputs(response, output_names));
  }
};

class GrpcCall final : public RemoteCall {
 public:
  explicit GrpcCall(std::shared_ptr<CallState> state) : state_(std::move(state)) {}
  void cancel() override { state_->cancel(); }

 private:
  std::shared_ptr<CallState> state_;
};

/// The calls under way, the connection's state, and the thread that ends the ones and sees the other. One queue for both: the loss of a
/// connection is seen before an answer that came over the next one. Destroying it cancels the calls and waits until each is done.
/// (Not gRPC 1.51's callback interface: it crashes where the last reference to a channel goes in a callback.)
class Calls {
 public:
  /// `answered` sees each answer before its call is done, `lost` each loss of the connection; both on the thread of this.
  struct Hooks {
    std::function<void(const inference::ModelInferResponse&)> answered;
    std::function<void()> lost;
  };
  Calls(std::shared_ptr<grpc::Channel> channel, Hooks hooks) : hooks_(std::move(hooks)), channel_(std::move(channel)) {
    watch();
    thread_ = std::thread([this] { work(); });
  }
  ~Calls() {
    std::shared_ptr<grpc::Channel> channel;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [tag, state] : live_) state->cancel();
      channel = std::move(channel_);
    }
    channel.reset();  // the last of it ends the watch
    queue_.Shutdown();
    thread_.join();
  }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void start(Stub& stub, const inference::ModelInferRequest& request, const std::shared_ptr<CallState>& state) {
    {
      const std::lock_guard lock(mutex_);
      live_.emplace(state.get(), state);
    }
    state->reader = stub.AsyncModelInfer(&state->context, request, &queue_);
    state->reader->Finish(&state->response, &state->status, state.get());
  }

 private:
  void work() {
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
      if (tag == this) {
        watch();
        continue;
      }
      const auto state = take(tag);
      if (state->status.ok()) hooks_.answered(state->response);
      state->finish();
    }
  }

  /// Notes what became of the connection, and waits for the next change.
  void watch() {
    bool lost = false;
    {
      const std::lock_guard lock(mutex_);
      if (!channel_) return;
      const auto now = channel_->GetState(false);
      const bool down = now == GRPC_CHANNEL_IDLE || now == GRPC_CHANNEL_TRANSIENT_FAILURE;
      lost = now != seen_ && (seen_ == GRPC_CHANNEL_READY || down);
      seen_ = now;
      channel_->NotifyOnStateChange(now, std::chrono::system_clock::now() + kWatchFor, &queue_, this);
    }
    if (lost) hooks_.lost();
  }

  std::shared_ptr<CallState> take(void* tag) {
    const std::lock_guard lock(mutex_);
    return std::move(live_.extract(tag).mapped());
  }

  const Hooks hooks_;
  grpc::CompletionQueue queue_;
  std::mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_;  ///< shared, as gRPC has it; empty while this ends
  grpc_connectivity_state seen_ = GRPC_CHANNEL_IDLE;
  std::unordered_map<void*, std::shared_ptr<CallState>> live_;
  std::thread thread_;
};

std::chrono::system_clock::time_point time_limit(std::chrono::milliseconds deadline) {
  // Capped: a "forever" must not overflow the clock.
  return std::chrono::system_clock::now() + std::min<std::chrono::milliseconds>(deadline, std::chrono::hours(24 * 365));
}

class GrpcModel final : public RemoteModel {
 public:
  GrpcModel(RemoteOptions options, const std::shared_ptr<grpc::Channel>& channel)
      : options_(std::move(options)),
        calls_(channel, {.answered = [this](const auto& response) { compare(response); }, .lost = [this] { ++session_; }}),
        stub_(inference::GRPCInferenceService::NewStub(channel)) {}

  Result<std::vector<TensorSpec>> inputs(std::chrono::milliseconds deadline) override {
    HEDGE_TRY(const auto metadata, metadata_within(deadline));
    return read_specs(metadata->inputs());
  }

  Result<std::vector<TensorSpec>> outputs(std::chrono::milliseconds deadline) override {
    HEDGE_TRY(const auto metadata, metadata_within(deadline));
    return read_specs(metadata->outputs());
  }

  Result<RemoteCard> card(std::chrono::milliseconds deadline) override {
    HEDGE_TRY(const auto metadata, metadata_within(deadline));
    return read_card(*metadata, options_.model + "@" + options_.address);
  }

  [[nodiscard]] std::uint64_t session() const override { return session_; }

  std::uint64_t renew() override {
    const std::lock_guard lock(mutex_);
    metadata_.reset();
    return session_;
  }

  std::unique_ptr<RemoteCall> infer_async(std::span<const NamedView> inputs, const std::vector<std::string>& output_names,
                                          std::chrono::milliseconds deadline, Done done) override {
    auto state = std::make_shared<CallState>();
    state->where = options_.model + "@" + options_.address;
    state->output_names = output_names;
    state->done = std::move(done);
    state->context.set_deadline(time_limit(deadline));
    inference::ModelInferRequest request;
    request.set_model_name(options_.model);
    request.set_model_version(options_.version);
    write_inputs(inputs, request);
    for (const auto& name : output_names) request.add_outputs()->set_name(name);
    calls_.start(*stub_, request, state);
    return std::make_unique<GrpcCall>(std::move(state));
  }

 private:
  using Metadata = std::shared_ptr<const inference::ModelMetadataResponse>;  // shared by readers while the first asker stores it

  Result<Metadata> metadata_within(std::chrono::milliseconds deadline) {
    {
      const std::lock_guard lock(mutex_);
      if (metadata_) return metadata_;
    }
    grpc::ClientContext context;
    context.set_deadline(time_limit(deadline));
    inference::ModelMetadataRequest request;
    request.set_name(options_.model);
    request.set_version(options_.version);
    auto response = std::make_shared<inference::ModelMetadataResponse>();
    const auto status = stub_->ModelMetadata(&context, request, response.get());
    if (!status.ok()) return from_grpc(status, options_.model + "@" + options_.address, false);
    const std::lock_guard lock(mutex_);
    if (!metadata_) metadata_ = std::move(response);
    return metadata_;
  }

  /// An answer of another model than the metadata's ends the session.
  void compare(const inference::ModelInferResponse& response) {
    const auto answers = response.parameters().find(kSha256Key);
    if (answers == response.parameters().end()) return;
    const std::lock_guard lock(mutex_);
    if (!metadata_) return;
    const auto said = metadata_->properties().find(kSha256Key);
    if (said != metadata_->properties().end() && said->second != answers->second.string_param()) ++session_;
  }

  const RemoteOptions options_;
  std::atomic<std::uint64_t> session_ = 0;
  std::mutex mutex_;
  Metadata metadata_;
  Calls calls_;                       // its thread uses what stands above
  const std::unique_ptr<Stub> stub_;  // its channel goes before the calls end
};

grpc::ChannelArguments channel_arguments(const RemoteOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kLeastReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kLeastReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMostReconnectMs);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, kMostReconnectMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // One model's lost connection is not another's, and a library does not read the environment's proxies.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A repeated inference is the caller's decision: retries amplify overload.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  constexpr auto kMostInt = static_cast<std::size_t>(std::numeric_limits<int>::max());
  arguments.SetMaxReceiveMessageSize(static_cast<int>(std::min(options.most_message_bytes, kMostInt)));
  if (options.tls && !options.tls_server_name.empty()) arguments.SetSslTargetNameOverride(options.tls_server_name);
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> credentials(const std::optional<Tls>& tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = tls->ca, .pem_private_key = tls->key, .pem_cert_chain = tls->certificate});
}

}  // namespace

Result<std::unique_ptr<RemoteModel>> connect(const RemoteOptions& options) {
  if (const auto address = parse_address(options.address, 1); !address) return address.error();
  if (options.model.empty()) return Error{.code = ErrorCode::kInvalidArgument, .what = "the model's name is empty"};
  if (options.tls) HEDGE_CHECK(check_tls(*options.tls, false));
  silence_grpc();
  auto channel = grpc::CreateCustomChannel(options.address, credentials(options.tls), channel_arguments(options));
  return std::unique_ptr<RemoteModel>(std::make_unique<GrpcModel>(options, channel));
}

}  // namespace hedge::oip

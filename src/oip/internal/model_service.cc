#include "oip/internal/model_service.h"

#include <chrono>
#include <exception>
#include <utility>

#include "oip/internal/codec.h"
#include "oip/internal/grpc_status.h"
#include "oip/internal/infer_request.h"

namespace hedge::oip {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* answer(CallbackServerContext* context, const grpc::Status& status = grpc::Status::OK) {
  auto* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

/// answer_infer behind the room's edge: what an executor throws becomes an error.
Status answer_guarded(const ServedModel& model, const inference::ModelInferRequest& request, inference::ModelInferResponse& response) {
  try {
    return answer_infer(model, request, response);
  } catch (const std::exception& exception) {
    return Error{.code = ErrorCode::kInternal, .what = exception.what(), .where = model.name};
  } catch (...) {
    return Error{.code = ErrorCode::kInternal, .what = "an exception of unknown type", .where = model.name};
  }
}

}  // namespace

ModelService::ModelService(std::vector<ServedModel> models, LogSink log, WorkerPool& pool) : log_(std::move(log)), pool_(pool) {
  for (auto& model : models) models_.emplace(model.name, std::move(model));
}

std::vector<std::string> ModelService::model_names() const {
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) names.push_back(name);
  return names;
}

Result<const ServedModel*> ModelService::find(const std::string& name, const std::string& version) const {
  const auto found = models_.find(name);
  if (found == models_.end()) {
    std::string names;
    for (const auto& [known, model] : models_) names += (names.empty() ? "" : ", ") + known;
    return Error{.code = ErrorCode::kNotFound, .what = "no model of that name", .got = name, .expected = "one of: " + names};
  }
  if (!version.empty() && version != found->second.version)
    return Error{.code = ErrorCode::kNotFound,
                 .what = "no such version of the model",
                 .where = name,
                 .got = version,
                 .expected = found->second.version};
  return &found->second;
}

ServerUnaryReactor* ModelService::ServerLive(CallbackServerContext* context, const inference::ServerLiveRequest*,
                                             inference::ServerLiveResponse* response) {
  response->set_live(true);
  return answer(context);
}

ServerUnaryReactor* ModelService::ServerReady(CallbackServerContext* context, const inference::ServerReadyRequest*,
                                              inference::ServerReadyResponse* response) {
  response->set_ready(!draining_);
  return answer(context);
}

ServerUnaryReactor* ModelService::ModelReady(CallbackServerContext* context, const inference::ModelReadyRequest* request,
                                             inference::ModelReadyResponse* response) {
  response->set_ready(!draining_ && find(request->name(), request->version()).ok());
  return answer(context);
}

ServerUnaryReactor* ModelService::ServerMetadata(CallbackServerContext* context, const inference::ServerMetadataRequest*,
                                                 inference::ServerMetadataResponse* response) {
  response->set_name("hedge");
  response->set_version(HEDGE_VERSION);
  response->add_extensions("classification");
  return answer(context);
}

ServerUnaryReactor* ModelService::ModelMetadata(CallbackServerContext* context, const inference::ModelMetadataRequest* request,
                                                inference::ModelMetadataResponse* response) {
  const auto found = find(request->name(), request->version());
  if (!found) return answer(context, {grpc::StatusCode::NOT_FOUND, found.error().message()});
  const ServedModel& model = **found;
  response->set_name(model.name);
  response->add_versions(model.version);
  response->set_platform("hedge");
  (*response->mutable_properties())["executor"] = model.executor->description();
  for (const auto& spec : model.executor->inputs()) write_spec(spec, *response->add_inputs());
  for (const auto& spec : model.executor->outputs()) write_spec(spec, *response->add_outputs());
  return answer(context);
}

ServerUnaryReactor* ModelService::ModelInfer(CallbackServerContext* context, const inference::ModelInferRequest* request,
                                             inference::ModelInferResponse* response) {
  if (draining_) return answer(context, {grpc::StatusCode::UNAVAILABLE, "the server is shutting down"});
  const auto found = find(request->model_name(), request->model_version());
  if (!found) return answer(context, {grpc::StatusCode::NOT_FOUND, found.error().message()});

  auto* reactor = context->DefaultReactor();
  const auto arrival = std::chrono::steady_clock::now();
  // The call's objects live until Finish, so the job may hold them.
  const bool taken = pool_.try_submit([this, context, reactor, request, response, arrival, model = *found] {
    // A client that is gone or no longer waits is not worth computing for.
    if (context->IsCancelled()) return reactor->Finish({grpc::StatusCode::CANCELLED, "cancelled while waiting"});
    const auto timeout = timeout_of(*request);
    if (timeout && std::chrono::steady_clock::now() - arrival > *timeout)
      return reactor->Finish({grpc::StatusCode::DEADLINE_EXCEEDED, "the request's timeout passed while it waited"});
    if (const auto status = answer_guarded(*model, *request, *response); !status) {
      log(log_, LogLevel::kDebug, "request refused: " + status.error().message());
      return reactor->Finish(to_grpc(status.error()));
    }
    reactor->Finish(grpc::Status::OK);
  });
  if (!taken) reactor->Finish({grpc::StatusCode::UNAVAILABLE, "too many requests are waiting"});
  return reactor;
}

}  // namespace hedge::oip
